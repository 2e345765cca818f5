"""Why two events are not one issue, in a sentence and side by side."""

from __future__ import annotations

from typing import Any

import pytest

from app.event import Component, Grouping, Variant
from app.grouping import explain
from app.grouping.compare import Comparison, Row, compare
from tests.events import NAMES, payload
from tests.normalize.senders import sent

Payload = dict[str, Any]


def grouped(payload: Payload) -> Grouping:
    event = sent(payload)
    return explain(event.data, event.tags)


def compared(one: Payload, other: Payload) -> Comparison:
    return compare(grouped(one), grouped(other))


def said(one: Payload, other: Payload) -> str:
    """The sentence, with names as `names`."""
    return in_words(compared(one, other))


def in_words(comparison: Comparison) -> str:
    return "".join(f"`{word.text}`" if word.is_name else word.text for word in comparison.said)


def frame(name: str, in_app: bool = True, module: str = "shop.pay", **more: Any) -> Payload:
    return {"function": name, "module": module, "in_app": in_app, **more}


def error(*frames: str | Payload, kind: str = "KeyError", value: str = "v", **more: Any) -> Payload:
    made = [frame(each) if isinstance(each, str) else each for each in frames]
    one = {"type": kind, "value": value, **({"stacktrace": {"frames": made}} if made else {})}
    return {"platform": "python", "exception": [one], **more}


FIVE = ("view", "cart", "order", "total", "tax")


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        (
            error(*FIVE, "charge", "send"),
            error(*FIVE, "refund", "send"),
            "They differ in 1 of 7 frames that count: `charge` is only in the first, "
            "`refund` is only in the second.",
        ),
        (
            error(*FIVE),
            error(*FIVE, "round", "cut"),
            "They differ in 2 of 7 frames that count: `round` and `cut` are only in the second.",
        ),
        (
            error("a", "b", "c", "d", "e", "f"),
            error("a"),
            "They differ in 5 of 6 frames that count: `b`, `c`, `d` and 2 more are only in the first.",
        ),
        (
            error("a", "b", "c"),
            error("b", "c", "a"),
            "They differ in 2 of 4 frames that count: `a` is at another place in the stack.",
        ),
        (
            error(*FIVE, frame("charge", context_line="a = 1")),
            error(*FIVE, frame("charge", context_line="b = 2")),
            "They differ in 1 of 6 frames that count: `charge` is at another line of code.",
        ),
        (
            error(*FIVE, frame("charge", module="shop.a")),
            error(*FIVE, frame("charge", module="shop.b")),
            "They differ in 1 of 6 frames that count: `charge` is in another module.",
        ),
        (
            error(*FIVE),
            error(*FIVE, kind="ValueError"),
            "Same stack, but the type differs: `KeyError` and `ValueError`.",
        ),
        (
            error(*FIVE, "charge"),
            error(*FIVE, "refund", kind="ValueError"),
            "The type differs: `KeyError` and `ValueError`. They also differ in 1 of 6 frames that count: "
            "`charge` is only in the first, `refund` is only in the second.",
        ),
        (
            error(value="no rate"),
            error(value="no total"),
            "The message decides: `no rate` and `no total`.",
        ),
        (
            error(value="no rate"),
            error(value="no rate", kind="ValueError"),
            "The type differs: `KeyError` and `ValueError`.",
        ),
        (
            {"message": "user ada logged in"},
            {"message": "user bob logged in"},
            "The message decides: `user ada logged in` and `user bob logged in`.",
        ),
        (
            error(*FIVE),
            {"message": "it broke"},
            "The first is grouped by its stack trace, the second by its message.",
        ),
        (
            error(*FIVE),
            error(),
            "The first is grouped by its stack trace, the second by the message of its exception.",
        ),
        (
            error(*FIVE, fingerprint=["a"]),
            error(*FIVE, fingerprint=["b", "{{ default }}"]),
            "The client set different fingerprints: `a` and `b, {{ default }}`.",
        ),
        (
            error(*FIVE),
            error(*FIVE, fingerprint=["till-7"]),
            "The client set a fingerprint for the second only: `till-7`.",
        ),
        (
            error(*FIVE, checksum="a"),
            error(*FIVE, checksum="b"),
            "The client set different checksums: `a` and `b`.",
        ),
        (
            error(*FIVE, checksum="a"),
            error(*FIVE),
            "The client set a checksum for the first only: `a`.",
        ),
        (
            error(*FIVE, fingerprint=["{{ default }}", "till-7"]),
            error(*FIVE, fingerprint=["{{ default }}", "till-7"], kind="E"),
            "Same stack, but the type differs: `KeyError` and `E`.",
        ),
        (
            error(*FIVE),
            error(*FIVE, value="something else"),
            "Nothing that counts differs: their latest events have the same hash.",
        ),
        (
            {"platform": "python"},
            {"message": "it broke"},
            "The first is grouped by nothing in particular, the second by its message.",
        ),
    ],
)
def test_it_says_why(one: Payload, other: Payload, sentence: str) -> None:
    assert said(one, other) == sentence


def test_a_cause_that_only_one_has_is_named() -> None:
    cause = {"type": "LookupError", "value": "no row", "stacktrace": {"frames": [frame("load")]}}
    one, other = error(*FIVE), error(*FIVE)
    one["exception"] = [cause, *one["exception"]]
    assert said(one, other) == (
        "The type `LookupError` is only in the first. "
        "They also differ in 1 of 6 frames that count: `load` is only in the first."
    )


def test_a_security_report_differs_in_what_was_blocked() -> None:
    one, other = (
        {"csp": {"effective_directive": "img-src", "blocked_uri": uri}, "platform": "javascript"}
        for uri in ("https://a.example/x", "https://b.example/x")
    )
    assert said(one, other) == "The source differs: `a.example` and `b.example`."


def test_versions_of_the_rules_are_named_where_they_differ() -> None:
    one, other = grouped(error(*FIVE)), grouped(error(*FIVE, kind="E"))
    other.config = "2027-01"
    assert in_words(compare(one, other)) == (
        "They were grouped by different versions of the rules, `2026-12` and `2027-01`. "
        "Same stack, but the type differs: `KeyError` and `E`."
    )


def test_what_cannot_be_worked_out_again_is_said() -> None:
    one, other = grouped(error(*FIVE)), grouped(error(*FIVE, kind="E"))
    other.config = "2020-01"
    for variant in other.variants:
        variant.component = None
    sentence = "How the second was grouped cannot be worked out again: its rules, `2020-01`, are gone."
    assert in_words(compare(one, other)) == sentence


def test_long_messages_are_cut() -> None:
    sentence = said({"message": "a" * 500}, {"message": "b" * 500})
    assert sentence.startswith("The message decides: `aaa")
    assert "aaa…` and `bbb" in sentence
    assert len(sentence) < 300


def test_what_counts_and_is_equal_what_differs_and_what_does_not_count_stand_side_by_side() -> None:
    one = error(frame("wsgi", in_app=False), "view", "charge")
    other = error(frame("wsgi", in_app=False), "view", "refund", value="w")
    rows = compared(one, other).rows
    assert [(row.name, row.mark) for row in rows] == [
        ("type", "same"),
        ("frame", "out"),
        ("frame", "same"),
        ("frame", "differs"),
        ("value", "out"),
    ]
    wsgi, value = rows[1], rows[4]
    assert wsgi.first == wsgi.second
    assert wsgi.first is not None
    assert wsgi.first.hint == "ignored because it is not in-app"
    assert value.first
    assert value.second
    assert (value.first.label, value.second.label) == ("v", "w")
    assert names(rows[3]) == ("charge", "refund")


def test_a_frame_that_counts_in_one_alone_differs() -> None:
    rows = compared(error("view", "charge"), error("view", frame("charge", in_app=False))).rows
    assert [names(row) for row in rows if row.mark == "differs"] == [("charge", None)]
    assert [names(row) for row in rows if row.mark == "out" and row.name == "frame"] == [(None, "charge")]


def test_below_something_that_does_not_count_nothing_does() -> None:
    tree = Component("exception", False, [Component("type", True, ["E"])], "ignored because it is so")
    one = Grouping("2026-11", ["a"], [Variant("app", "a", tree)], ["{{ default }}"])
    (row,) = compare(one, one).rows
    assert row.mark == "out"
    assert row.first is not None
    assert row.first.hint == "ignored because it is so"


def names(row: Row) -> tuple[str | None, str | None]:
    return (row.first.label if row.first else None, row.second.label if row.second else None)


@pytest.mark.parametrize("name", NAMES)
def test_any_two_events_of_sdks_are_compared(name: str) -> None:
    one, others = grouped(payload(name)), [grouped(payload(other)) for other in NAMES]
    for other in others:
        comparison = compare(one, other)
        assert in_words(comparison).endswith(".")
        firsts = [row.first for row in comparison.rows if row.first]
        assert firsts == [row.first for row in compare(one, one).rows]
        assert all(row.first or row.second for row in comparison.rows)
