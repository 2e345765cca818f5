"""Rules about stack traces: what they say, in which order, and what is said of those that are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event import Grouping
from app.grouping import explain, grouped
from app.grouping.configs import config
from app.grouping.stack_rules import parse
from tests.grouping.test_variants import all_hints, texts
from tests.normalize.senders import sent

BARE = "2026-11"  # which has no rules of its own


def frame(function: str, *, in_app: bool = True, **more: Any) -> dict[str, Any]:
    return {"function": function, "in_app": in_app, **more}


def error(*frames: dict[str, Any], platform: str = "go", **more: Any) -> dict[str, Any]:
    return {
        "platform": platform,
        "exception": [{"type": "E", "value": "v", "stacktrace": {"frames": list(frames)}, **more}],
    }


def ruled(rules: str, payload: dict[str, Any]) -> Grouping:
    """With its trees; that the hashes alone are the same is seen in passing."""
    event = sent(payload)
    found = explain(event.data, event.tags, BARE, rules)
    for _ in range(2):  # the second one is remembered
        assert grouped(event, config(BARE, rules)).grouping.hashes == found.hashes
    return found


def counted(rules: str, payload: dict[str, Any], variant: str = "system") -> list[str]:
    """The functions that count."""
    return [text for text in texts(ruled(rules, payload), variant) if text != "E"]


ABC = error(frame("a"), frame("b"), frame("c"))


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("function:b -group", ["a", "c"]),
        ("function:b ^-group", ["a", "b"]),
        ("function:b v-group", ["b", "c"]),
        ("function:b ^-group -group", ["a"]),
        ("function:b v-group -group", ["c"]),
        ("!function:b -group", ["b"]),
        ("function:* -group\nfunction:b +group", ["b"]),
        ("function:b +group\nfunction:* -group", []),
        ("stack.function:[ab] -group", ["c"]),
        ("[ function:a ] | function:b -group", ["a", "c"]),
        ("[ function:c ] | function:b -group", ["a", "b", "c"]),
        ("function:b | [ function:c ] -group", ["a", "c"]),
        ("[ function:a ] | function:b | [ function:c ] -group", ["a", "c"]),
        ("[ function:* ] | function:a -group", ["a", "b", "c"]),
        ("function:c | [ function:* ] -group", ["a", "b", "c"]),
        ("[ !function:a ] | function:c -group", ["a", "b"]),
        ("function:b max-frames=2", ["b", "c"]),
        ("function:none max-frames=1", ["a", "b", "c"]),
        ("function:b max-frames=2\nfunction:c -group", ["a", "b"]),
        ("function:b min-frames=3", ["a", "b", "c"]),
        ("family:other -group", []),
        ("family:native,javascript -group", ["a", "b", "c"]),
        ("family:all function:a -group", ["b", "c"]),
        ("error.type:E function:a -group", ["b", "c"]),
        ("error.type:X function:a -group", ["a", "b", "c"]),
        ("!error.type:X function:a -group", ["b", "c"]),
        ("error.value:V* function:a -group", ["b", "c"]),
        ("error.value:w* function:a -group", ["a", "b", "c"]),
        ("error.mechanism:<unknown> function:a -group", ["b", "c"]),
        ("error.type:E max-frames=1", ["c"]),
        ("function:a category=entry\ncategory:entry -group", ["b", "c"]),
        ("function:a category=entry\n!category:entry -group", ["a"]),
        ("category:entry -group\nfunction:a category=entry", ["a", "b", "c"]),
        ("function:a +prefix\nfunction:b ^-sentinel invert-stacktrace=1", ["a", "b", "c"]),
        ("function:a -group # and why", ["b", "c"]),
        ("# function:a -group", ["a", "b", "c"]),
    ],
)
def test_what_counts_by_the_rules(rules: str, left: list[str]) -> None:
    assert parse(rules)[1] == []
    assert counted(rules, ABC) == (left or ["v"])  # without a frame the message counts


@pytest.mark.parametrize(
    ("rules", "ours"),
    [
        ("function:b -app", ["a"]),
        ("function:c +app", ["a", "b", "c"]),
        ("function:[ab] -app", []),
        ("function:b ^+app", ["a", "b", "c"]),
        ("function:b -app\napp:no -group", ["a"]),
        ("app:yes function:a -app", ["b"]),
        ("app:no function:c +app\napp:yes function:c -group", ["a", "b"]),
        ("function:c +group", ["a", "b", "c"]),
        ("path:**/lib/** +app", ["a", "b", "c"]),
        ("package:**.so +app", ["a", "b", "c"]),
        ("module:lib.* +app", ["a", "b", "c"]),
    ],
)
def test_what_is_in_app_by_the_rules(rules: str, ours: list[str]) -> None:
    other = frame("c", in_app=False, abs_path="/usr/Lib/x.c", package="/x/y.so", module="lib.x")
    found = ruled(rules, error(frame("a"), frame("b"), other))
    variants = {one.name: one.hash for one in found.variants}
    functions = [text for text in texts(found, "app") if text not in ("E", "lib.x")]
    assert functions == (ours if variants["app"] else []), all_hints(found)
    if not ours:
        assert variants["app"] is None


def test_a_trace_with_too_few_frames_counts_no_more() -> None:
    rules = "function:a min-frames=2"
    found = ruled(rules, error(frame("a")))
    assert texts(found, "system") == ["E", "v"]
    assert f"ignored because of the rule “{rules}”" in all_hints(found)


def test_a_rule_is_named_where_it_decides() -> None:
    found = ruled("function:a -group\nfunction:b -app\nfunction:c +app", error(
        frame("a"), frame("b"), frame("c", in_app=False), frame("d"),
    ))  # fmt: skip
    hints = all_hints(found)
    assert "ignored because of the rule “function:a -group”" in hints
    assert "ignored because it is not in-app because of the rule “function:b -app”" in hints
    assert "in-app because of the rule “function:c +app”" in hints


def test_frames_keep_what_the_client_said_and_the_change_is_told() -> None:
    event = sent(error(frame("a"), frame("b", in_app=False)))
    rules = config(BARE, "function:a -app\nfunction:b +app")
    frames = event.data["exception"]["values"][0]["stacktrace"]["frames"]
    for _ in range(2):
        moves = grouped(event, rules).moves
        assert [(one["function"], in_app) for one, in_app in moves] == [("a", False), ("b", True)]
        assert [one["in_app"] for one in frames] == [True, False]


def test_the_frame_of_a_family_is_known_by_its_own_platform() -> None:
    mixed = error(frame("a", platform="native"), frame("b"))
    assert counted("family:native -group", mixed) == ["b"]


def test_a_thread_and_a_bare_trace_are_ruled_too() -> None:
    trace = {"frames": [frame("a"), frame("b")]}
    for payload in ({"stacktrace": trace}, {"threads": [{"id": 1, "crashed": True, "stacktrace": trace}]}):
        found = ruled("function:a -group", {"platform": "go", **payload})
        assert texts(found, "system") == ["b"]


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("function", 1, "Here should be a matcher"),
        ("-app", 1, "Here should be a matcher"),
        ("function:a", 11, "An action is missing"),
        ("function:a # -app", 18, "An action is missing"),
        ("function: -app", 10, "The pattern of function is missing"),
        ('function:"a -app', 10, "A quotation mark is not closed"),
        ("name:a -app", 1, "There is no matcher “name”"),
        ("!name:a -app", 2, "There is no matcher “name”"),
        ("tags.a:b -app", 1, "There is no matcher “tags.a”"),
        ("function:a -apps", 12, "There is no such action"),
        ("function:a -app maybe", 17, "There is no such action"),
        ("function:a max-frames=x", 12, "max-frames is a number"),
        ("app:perhaps -group", 5, "app is yes or no"),
        ("family:ruby -group", 8, "There is no family “ruby”"),
        ("[ function:a | function:b -app", 14, "A bracket is not closed"),
        ("[ function:a ] function:b -app", 16, "Between the frame before"),
        ("function:a | -app", 14, "Behind the | stands the next frame"),
        ("[ ] | function:a -app", 3, "Here should be a matcher"),
        ("[ type:E ] | function:a -app", 1, "type is asked of the exception"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, column: int, says: str) -> None:
    good = "function:a -group"
    rules, wrong = parse(f"{good}\n\n{line}\n{good}")
    assert len(rules) == 2
    assert [(one.line, one.column) for one in wrong] == [(3, column)]
    assert wrong[0].text.startswith(says)
    assert str(wrong[0]).startswith(f"Line 3, column {column}: ")


def test_a_line_that_is_no_rule_spoils_no_other() -> None:
    assert counted("nonsense\nfunction:a -group\nfunction:b -what", ABC) == ["b", "c"]


def test_rules_end_somewhere() -> None:
    rules, wrong = parse("function:a -group\n" * 600)
    assert len(rules) == 500
    assert [one.line for one in wrong] == [501]


@given(st.text(max_size=200))
def test_any_text_is_read_and_never_breaks_grouping(text: str) -> None:
    rules, _ = parse(text)
    assert ruled(text, ABC).hashes
    assert len(rules) <= text.count("\n") + text.count("\r") + len(text.splitlines())


_lines = st.sampled_from([
    "function:a -group", "function:b ^-group", "function:c v-group", "function:a -app", "function:b +app",
    "[ function:a ] | function:b +group", "app:no -group", "function:* max-frames=2", "error.type:E ^-app",
    "function:c category=x", "category:x -group", "family:other function:a +group",
])  # fmt: skip


@given(st.lists(_lines, max_size=6), st.lists(st.sampled_from("abc"), min_size=1, max_size=6))
def test_short_and_long_way_agree_whatever_the_rules(lines: list[str], names: list[str]) -> None:
    frames = [frame(name, in_app=name != "b", lineno=number) for number, name in enumerate(names)]
    ruled("\n".join(lines), error(*frames))
