"""Rules that give events a fingerprint: what they ask for, which one decides, and what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event import Grouping
from app.grouping import explain, grouped
from app.grouping.configs import config
from app.grouping.fingerprint_rules import parse
from tests.grouping.test_variants import all_hints, texts
from tests.normalize.senders import sent

BARE = "2026-11"
EVENT = {
    "platform": "python", "level": "warning", "logger": "shop.pay", "release": "shop@1.2",
    "environment": "prod", "transaction": "/pay", "tags": {"server": "web-1", "odd name": "x"},
    "sdk": {"name": "sentry.python", "version": "2"},
    "logentry": {"message": "user %s lost", "params": ["17"]},
    "exception": [
        {"type": "KeyError", "value": "'gross'", "stacktrace": {"frames": [
            {"function": "main", "module": "shop.cli", "in_app": True},
        ]}},
        {"type": "PayError", "value": "Card 17 refused", "stacktrace": {"frames": [
            {"function": "run", "module": "celery.app", "abs_path": "/lib/celery/app.py", "in_app": False},
            {"function": "charge", "module": "shop.pay", "abs_path": "/srv/shop/pay.py", "in_app": True},
            {"function": "post", "module": "requests", "package": "/x/lib.so", "in_app": False},
        ]}},
    ],
}  # fmt: skip


def ruled(rules: str, payload: dict[str, Any] = EVENT, stack: str = "") -> Grouping:
    event = sent(payload)
    found = explain(event.data, event.tags, BARE, stack, rules)
    for _ in range(2):
        short = grouped(event, config(BARE, stack, rules)).grouping
        assert (short.hashes, short.fingerprint, short.rule) == (found.hashes, found.fingerprint, found.rule)
    return found


@pytest.mark.parametrize(
    ("matchers", "matches"),
    [
        ("type:PayError", True),
        ("error.type:KeyError", True),
        ("type:payerror", False),
        ("type:Pay*", True),
        ("value:card*", True),
        ("type:PayError value:card*", True),
        ("type:KeyError value:card*", False),
        ("!type:PayError", True),
        ("!type:*", False),
        ("message:*LOST*", True),
        ("message:*refused*", True),
        ("message:other", False),
        ("!message:*lost*", False),
        ("logger:shop.*", True),
        ("level:WARNING", True),
        ("logger:shop.* level:error", False),
        ("release:shop@*", True),
        ("environment:prod", True),
        ("transaction:/pay", True),
        ("sdk:sentry.python*", True),
        ("sdk:sentry.ruby", False),
        ("family:other", True),
        ("!family:other", False),
        ("family:javascript", False),
        ("tags.server:web-*", True),
        ("tags.server:db-*", False),
        ("!tags.server:db-*", True),
        ('"tags.odd name":x', False),
        ("tags.odd-name:x", True),
        ("tags.none:*", False),
        ("!tags.none:x", True),
        ("function:charge", True),
        ("stack.module:shop.* function:charge", True),
        ("module:celery.* function:charge", False),
        ("path:**/celery/**", True),
        ("package:**/*.so", True),
        ("app:yes function:charge", True),
        ("app:no function:charge", False),
        ("!app:no function:charge", True),
        ("[ function:run ] | function:charge", True),
        ("[ function:post ] | function:charge", False),
        ("function:charge | [ module:requests ]", True),
        ("[ function:run ] | function:charge | [ function:nothing ]", False),
        ("type:PayError function:charge tags.server:web-1 level:warning", True),
        ("type:PayError function:charge tags.server:web-2 level:warning", False),
    ],
)
def test_what_rules_ask_for(matchers: str, matches: bool) -> None:
    rule = f"{matchers} -> found"
    assert parse(rule)[1] == []
    found = ruled(rule)
    assert (found.fingerprint == ["found"]) is matches
    assert found.rule == (rule if matches else "")


def test_an_event_without_what_is_asked_for_matches_nothing() -> None:
    for matchers in ("type:*", "!type:x", "function:*", "!function:x", "message:*", "!message:x", "logger:*"):
        assert ruled(f"{matchers} -> x", {"platform": "python", "level": "error"}).rule == ""


def test_the_first_rule_that_matches_decides() -> None:
    found = ruled("type:None -> a\ntype:PayError -> b\ntype:* -> c")
    assert (found.fingerprint, found.rule) == (["b"], "type:PayError -> b")
    assert [one.name for one in found.variants if one.hash] == ["custom-fingerprint"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("a, b", ["a", "b"]),
        ("a b,c", ["a", "b", "c"]),
        ('"a, b" c', ["a, b", "c"]),
        ('"say \\"a\\""', ['say "a"']),
        ("{{ type }}", ["PayError"]),
        ("pay-{{ error.type }}-{{ function }}", ["pay-PayError-charge"]),
        ("{{ module }} {{ transaction }} {{ level }}", ["shop.pay", "/pay", "warning"]),
        ("{{ tags.server }}{{ tags.none }}", ["web-1<no-value-for-tag-none>"]),
        ("{{ message }}", ["user <int> lost"]),
        ("{{ value }}", ["Card <int> refused"]),
        ("{{ nonsense }}", ["<unrecognized-variable-nonsense>"]),
        ("{{default}} x", ["{{ default }}", "x"]),
    ],
)
def test_what_rules_say(values: str, expected: list[str]) -> None:
    assert ruled(f"type:PayError -> {values}").fingerprint == expected


def test_a_rule_replaces_what_the_client_says() -> None:
    told = {**EVENT, "fingerprint": ["from the client"]}
    assert ruled("type:PayError -> ours", told).fingerprint == ["ours"]
    assert ruled("type:Other -> ours", told).fingerprint == ["from the client"]


def test_a_checksum_is_above_all_rules() -> None:
    assert ruled("type:PayError -> ours", {**EVENT, "checksum": "abc"}).rule == ""


def test_the_default_alone_leaves_everything_as_it_is() -> None:
    assert ruled("type:PayError -> {{ default }}").hashes == ruled("").hashes


def test_the_default_with_more_splits_what_would_be_one() -> None:
    found = ruled("type:PayError -> {{ default }} {{ tags.server }}")
    plain = ruled("")
    assert len(found.hashes) == len(plain.hashes) == 2
    assert not {*found.hashes} & {*plain.hashes}
    assert texts(found, "app")[-1] == "web-1"
    assert "with the rule's fingerprint" in all_hints(found)


def test_a_rule_can_name_the_issue() -> None:
    event = sent(EVENT)
    rules = config(BARE, "", 'type:PayError -> pay title="{{ type }} in {{ transaction }}: {{ value }}"')
    assert grouped(event, rules).title == "PayError in /pay: Card 17 refused"
    assert grouped(event, config(BARE, "", "type:PayError -> pay")).title == ""


def test_stack_rules_say_whose_a_frame_is_before_fingerprints_are_asked() -> None:
    rules = "app:yes module:requests -> theirs"
    assert ruled(rules).rule == ""
    assert ruled(rules, stack="module:requests +app").rule == rules
    crash = "type:PayError -> {{ function }}"
    assert ruled(crash, stack="module:requests +app").fingerprint == ["post"]


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("type:E", 7, "Behind the matchers stands ->"),
        ("type:E => x", 8, "Behind the matchers stands ->"),
        ("type:E ->", 10, "The fingerprint is missing"),
        ('type:E -> title="x"', 11, "The fingerprint is missing"),
        ("type:E -> a {b", 13, "This is no value"),
        ('type:E -> "a', 11, "A quotation mark is not closed"),
        ("-> x", 1, "Here should be a matcher"),
        ("category:x -> y", 1, "There is no matcher “category”"),
        ("tags.:x -> y", 1, "There is no matcher “tags.”"),
        ("[ type:E ] | function:a -> x", 1, "In brackets stands what is asked of frames"),
        ("[ function:a ] | type:E -> x", 1, "Between the frames around it"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, column: int, says: str) -> None:
    rules, wrong = parse(f"type:A -> a\n{line}")
    assert len(rules) == 1
    assert [(one.line, one.column) for one in wrong] == [(2, column)]
    assert wrong[0].text.startswith(says)


@given(st.text(max_size=200))
def test_any_text_is_read_and_never_breaks_grouping(text: str) -> None:
    parse(text)
    assert ruled(text).hashes


_matchers = st.sampled_from([
    "type:PayError", "type:None", "!type:KeyError", "value:*refused", "message:*lost*", "level:error",
    "function:charge", "!function:charge", "app:no", "tags.server:web-1", "!tags.server:web-1", "family:all",
])  # fmt: skip


@given(st.lists(st.lists(_matchers, min_size=1, max_size=3), min_size=1, max_size=6))
def test_many_rules_decide_as_each_would_alone(rules: list[list[str]]) -> None:
    lines = [f"{' '.join(matchers)} -> n{number}" for number, matchers in enumerate(rules)]
    first = next((line for line in lines if ruled(line).rule), "")
    assert ruled("\n".join(lines)).rule == first
