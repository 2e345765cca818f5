"""A project's own scrubbing: names, addresses, and rules with method, type and source."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base.json import encode
from app.normalize import rules, selectors
from app.normalize.limits import Limits
from app.normalize.read import read
from app.options import Options, Rule, Scrubbing
from tests import events
from tests.normalize.senders import record

CARD = "4111 1111 1111 1111"


def scrubbed(payload: dict[str, Any], *ruled: Rule, **chosen: Any) -> dict[str, Any]:
    """The data that is stored of an event."""
    options = Options(scrubbing=Scrubbing(rules=list(ruled), **chosen))
    (event,) = read(record(json.dumps(payload).encode()), Limits(), lambda _: options).events
    found: dict[str, Any] = msgspec.json.decode(encode(event.data))
    return found


def extra(value: Any, *ruled: Rule, **chosen: Any) -> Any:
    found = scrubbed({"message": "m", "extra": {"x": value}}, *ruled, **chosen)
    return found.get("extra", {}).get("x")


# -- names -------------------------------------------------------------------------------------------------


def test_fields_are_secret_wherever_they_stand() -> None:
    found = scrubbed(
        {
            "message": "till=north pin=1234", "tags": {"pin": "1234"}, "user": {"id": "7", "Pin": "1234"},
            "extra": {"PIN": 1234, "pins": "5", "deep": [{"pin": {"a": "b"}}], "flag": {"pin": True}},
            "request": {"url": "https://a.example/?pin=9&q=1", "headers": {"Pin": "9"}},
            "exception": {"values": [{"type": "E", "value": "at pin=1234",
                          "stacktrace": {"frames": [{"function": "f", "vars": {"pin": "1"}}]}}]},
        },
        fields=["pin"],
    )  # fmt: skip
    assert found["extra"] == {
        "PIN": "[Filtered]", "pins": "5", "deep": [{"pin": {"a": "[Filtered]"}}], "flag": {"pin": True},
    }  # fmt: skip
    assert found["tags"]["pin"] == found["user"]["data"]["Pin"] == "[Filtered]"
    assert found["logentry"]["formatted"] == "till=north pin=[Filtered]"
    assert found["request"]["query_string"] == [["pin", "[Filtered]"], ["q", "1"]]
    assert found["request"]["headers"] == [["Pin", "[Filtered]"]]
    assert found["exception"]["values"][0]["value"] == "at pin=[Filtered]"
    assert found["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"] == {"pin": "[Filtered]"}


def test_a_field_may_have_stars() -> None:
    found = scrubbed({"message": "m", "extra": {"x_pin_y": 1, "spin": 2}}, fields=["*_pin*"])
    assert found["extra"] == {"x_pin_y": "[Filtered]", "spin": 2}


def test_safe_fields_are_left_alone_by_the_defaults_and_by_fields() -> None:
    payload = {"message": "m", "extra": {"token": "abc", "secret": CARD, "password": "p"}}
    found = scrubbed(payload, safe_fields=["token", "SECRET"], fields=["token"])
    assert found["extra"] == {"token": "abc", "secret": CARD, "password": "[Filtered]"}


def test_defaults_can_be_switched_off() -> None:
    assert extra({"password": "p"}, defaults=False) == {"password": "p"}
    assert extra({"password": "p"}) == {"password": "[Filtered]"}


def test_addresses_are_removed() -> None:
    found = scrubbed(
        {
            "message": "from 198.51.100.7 and 2001:db8::1 at 12:30:59, version 1.2.3",
            "user": {"ip_address": "198.51.100.7", "geo": {"city": "Oslo"}},
            "request": {"url": "https://a.example", "env": {"REMOTE_ADDR": "198.51.100.7"}},
        },
        addresses=True,
    )
    assert "user" not in found
    assert found["request"]["env"] == {"REMOTE_ADDR": "[ip]"}
    assert found["logentry"]["formatted"] == "from [ip] and [ip] at 12:30:59, version 1.2.3"


def test_a_user_that_was_an_address_alone_counts_as_none() -> None:
    options = Options(scrubbing=Scrubbing(addresses=True))
    payload = json.dumps({"message": "m", "user": {"ip_address": "198.51.100.7"}}).encode()
    (event,) = read(record(payload), Limits(), lambda _: options).events
    assert event.user == ""
    assert "user" not in event.tags


# -- rules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("creditcard", f"card {CARD}.", "card [x]."),
        ("creditcard", "order 4111 1111 1111 1112", "order 4111 1111 1111 1112"),
        ("email", "to ada@shop.example, now", "to [x], now"),
        ("ip", "at 10.0.0.1:80", "at [x]:80"),
        ("usssn", "ssn 078-05-1120", "ssn [x]"),
        ("urlauth", "https://ada:pw@shop.example/", "https://[x]@shop.example/"),
        ("bearer", "Bearer abc.def-1", "Bearer [x]"),
        ("uuid", "id 83a7c03e-d0a0-4e1b-97e2-e3b18d38f244!", "id [x]!"),
        ("mac", "at 00:1b:63:84:45:e6", "at [x]"),
        ("imei", "phone 35-209900-176148-1", "phone [x]"),
        ("iban", "to NO93 8601 1117 947 please", "to [x] please"),
        ("userpath", "/home/ada/app and C:\\Users\\ada\\x", "/home/[x]/app and C:\\Users\\[x]\\x"),
        ("anything", "all of it", "[x]"),
    ],
)
def test_what_rules_look_for(kind: str, text: str, kept: str) -> None:
    rule = Rule(type=kind, source="extra.x", placeholder="[x]")
    assert extra(text, rule, defaults=False) == kept
    assert extra("nothing here", rule, defaults=False) == ("[x]" if kind == "anything" else "nothing here")


def test_private_keys() -> None:
    text = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"
    found = extra(text, Rule(type="pemkey", method="mask", source="extra.**"), defaults=False)
    assert "MIIE" not in found


def test_methods() -> None:
    def one(method: Any) -> Any:
        return extra("a@b.example x", Rule(type="email", method=method, source="extra.x"))

    assert one("replace") == "[Filtered] x"
    assert one("mask") == "*@*.******* x"
    assert one("remove") == " x"
    hashed = one("hash")
    assert hashed == one("hash")
    assert len(hashed) == 42
    assert "example" not in hashed


def test_removing_anything_removes_it() -> None:
    rule = Rule(method="remove", source="extra.x.b")
    assert extra({"a": "1", "b": {"c": "2"}}, rule) == {"a": "1", "b": {}}


def test_values_under_names_of_secrets() -> None:
    rule = Rule(type="password", method="hash", source="extra.**")
    assert len(extra({"password": "p"}, rule, defaults=False)["password"]) == 40


def test_regular_expressions() -> None:
    rule = Rule(type="regex", pattern=r"till-\d+", source="$string")
    found = scrubbed({"message": "at till-7", "extra": {"till": "till-12 x"}}, rule)
    assert found["logentry"]["formatted"] == "at [Filtered]"
    assert found["extra"] == {"till": "[Filtered] x"}


def test_an_expression_of_endless_patience_ends() -> None:
    rule = Rule(type="regex", pattern=r"(a+)+(a+)+(a+)+$", source="extra.x")
    assert extra("a" * 5000 + "b", rule) == "a" * 5000 + "b"


def test_a_rule_for_everything_leaves_what_events_are_told_apart_by() -> None:
    found = scrubbed(events.payload("python"), Rule(source="**", method="remove"))
    frames = found["exception"]["values"][-1]["stacktrace"]["frames"]
    assert all(frame["function"] and "in_app" in frame for frame in frames)
    assert found["exception"]["values"][-1]["type"]
    assert "value" not in found["exception"]["values"][-1]
    assert found["platform"] == "python"
    assert not any("vars" in frame and any(frame["vars"].values()) for frame in frames)


# -- where -------------------------------------------------------------------------------------------------

PAYLOAD = {
    "message": "m", "user": {"id": "7", "email": "a@b.example"}, "tags": {"till": "north"},
    "extra": {"foo": {"bar": "1", "baz": ["2", {"bar": "3"}]}, "a b": "4", "n": 5, "ok": True},
    "request": {"url": "https://a.example", "headers": {"X-Till": "6"}, "data": {"foo": "7"}},
    "breadcrumbs": [{"message": "8", "data": {"foo": "9"}}],
    "exception": {"values": [{"type": "E", "value": "10", "stacktrace": {"frames": [
        {"function": "f", "abs_path": "/x.py", "vars": {"foo": "11"}}]}}]},
}  # fmt: skip


def meant(source: str) -> set[str]:
    """The values that a selector means, of those that are numbers written as texts."""
    data = scrubbed(PAYLOAD)
    test = selectors.compiled(source)
    values = {str(leaf.value) for leaf in selectors.leaves(data) if test(leaf.place)}
    return {value for value in values if value.isdigit() and int(value) > 0}


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("extra.foo.bar", {"1"}),
        ("extra.foo", {"1", "2", "3"}),
        ("EXTRA.Foo.Bar", {"1"}),
        ("extra.*.bar", {"1"}),
        ("extra.**.bar", {"1", "3"}),
        ("extra.f*.bar", {"1"}),
        ("extra.foo.baz.0", {"2"}),
        ("foo", set()),
        ("**.foo", {"1", "2", "3", "7", "9", "11"}),
        ("extra.'a b'", {"4"}),
        ("$user", {"7"}),
        ("$user.email", set()),
        ("$frame.vars.foo", {"11"}),
        ("$frame.vars.**", {"11"}),
        ("$exception.value", {"10"}),
        ("$error.value", {"10"}),
        ("$breadcrumb.data", {"9"}),
        ("$breadcrumb.**", {"8", "9"}),
        ("$http.headers.x-till", {"6"}),
        ("$request.data", {"7"}),
        ("$number", {"5"}),
        ("extra.$number", {"5"}),
        ("extra.** && $number", {"5"}),
        ("extra.foo.bar || $breadcrumb.message", {"1", "8"}),
        ("extra.** && !extra.foo", {"4", "5"}),
        ("extra.foo && !(extra.foo.bar || extra.foo.baz.0)", {"3"}),
        ("$event.extra.foo.bar", {"1"}),
    ],
)
def test_selectors(source: str, values: set[str]) -> None:
    assert meant(source) == values


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "empty"),
        ("a ||", "missing at the end"),
        ("&& a", "missing before"),
        ("(a", "“)” is missing"),
        ("a)", "not expected"),
        ("$nobody.x", "no kind"),
        ("a..b", "empty name"),
        ("**.a.**.b.**.c.**.d.**", "more than 4"),
        ("x" * 600, "longer than"),
        ("a b", "not expected"),
        ("'open", "not understood"),
    ],
)
def test_what_is_wrong_with_a_selector_is_said(source: str, says: str) -> None:
    assert says in rules.problem(Rule(source=source))


def test_what_is_wrong_with_a_rule_is_said() -> None:
    assert "nothing that can be looked for" in rules.problem(Rule(type="moods"))
    assert "is missing" in rules.problem(Rule(type="regex"))
    assert "not understood" in rules.problem(Rule(type="regex", pattern="("))
    assert rules.problem(Rule(type="regex", pattern="a+", source="$user.**")) == ""


def test_a_rule_that_makes_no_sense_any_more_loses_nothing() -> None:
    assert extra("x", Rule(type="regex", pattern="("), Rule(type="moods"), Rule(source="((")) == "x"


@given(source=st.text(alphabet="ab.*$'!&|() \\", max_size=40))
def test_any_selector_is_compiled_or_refused_with_a_sentence(source: str) -> None:
    says = rules.problem(Rule(source=source))
    if says:
        assert says.endswith(".")
    else:
        assert selectors.compiled(source)("\0extra\1object\0a\1string") in (True, False)


_scrubbing = st.builds(
    Scrubbing,
    defaults=st.booleans(), addresses=st.booleans(),
    fields=st.lists(st.sampled_from(["id", "foo", "*", "value", "frames", "values"]), max_size=3),
    safe_fields=st.lists(st.sampled_from(["token", "foo", "*"]), max_size=2),
    rules=st.lists(st.builds(
        Rule, method=st.sampled_from(sorted(rules.METHODS)), type=st.sampled_from(sorted(rules.TYPES)),
        pattern=st.just("[a-z]+"),
        source=st.sampled_from(["**", "$string", "$number", "$event", "!$user", "*"]),
    ), max_size=3),
)  # fmt: skip


@pytest.mark.parametrize("platform", events.NAMES)
@given(chosen=_scrubbing)
def test_whatever_is_chosen_the_event_is_kept_and_grouped(platform: str, chosen: Scrubbing) -> None:
    raw = json.dumps(events.payload(platform)).encode()
    batch = read(record(raw), Limits(), lambda _: Options(scrubbing=chosen))
    assert len(batch.events) == 1
    assert not batch.refused
