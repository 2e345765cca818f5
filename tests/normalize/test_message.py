"""Messages and how they are formatted: never evaluated."""

from __future__ import annotations

import time
from typing import Any

import pytest

from app.normalize.message import fill
from tests.normalize.senders import noted, sent


@pytest.mark.parametrize(
    ("template", "params", "formatted"),
    [
        ("Hello %s", ["Ada"], "Hello Ada"),
        ("%s and %s", ["one"], "one and %s"),
        ("%d%% of %r", [5, "x"], "5% of x"),
        ("%(name)s is %(age)d", {"name": "Ada", "age": 36}, "Ada is 36"),
        ("%(other)s", {"name": 1}, "%(other)s"),
        ("%5.2f|%-10s|%05d", [1.5, "a", 7], "1.5|a|7"),
        ("Hello {}", ["Ada"], "Hello Ada"),
        ("{0} {1} {0}", ["a", "b"], "a b a"),
        ("{name:>10}", {"name": "x"}, "x"),
        ("{} {}", {"a": 1, "b": 2}, "1 2"),
        ("none", ["x"], "none"),
        ("%s", [{"a": [None, True]}], '{"a":[null,true]}'),
        ("%s", [None], "null"),
        ("100 %", ["x"], "100 %"),
        ("{a.__class__.__mro__}", {"a": 1}, "{a.__class__.__mro__}"),
        ("{0.__class__}", ["x"], "{0.__class__}"),
        ("{a[0]}", {"a": ["x"]}, "{a[0]}"),
        ("{", ["x"], "{"),
        ("%60000000s", ["x"], "x"),
        ("%*s", [5, "x"], "%*s"),
        ("%.60000000f", [1], "1"),
        ("%n %p", ["x"], "%n %p"),
        ("a %s b", "text", "a %s b"),
        ("a %s", None, "a %s"),
    ],
)
def test_placeholders_are_filled_and_nothing_is_evaluated(template: str, params: Any, formatted: str) -> None:
    assert fill(template, params) == formatted


@pytest.mark.parametrize(
    "template", ["%60000000s" * 400, "{}" * 4000, "%s" * 4000, "{:>999999999}" * 500, "%(" * 4000]
)
def test_formatting_takes_bounded_time_and_room(template: str) -> None:
    begun = time.process_time()
    event = sent({"logentry": {"message": template, "params": ["x" * 200] * 4000}})
    assert len(event.data["logentry"]["formatted"]) <= 9012
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("payload", "logentry"),
    [
        ({"message": "plain"}, {"formatted": "plain"}),
        (
            {"message": {"message": "a %s", "params": ["b"]}},
            {"message": "a %s", "params": ["b"], "formatted": "a b"},
        ),
        ({"logentry": "plain"}, {"formatted": "plain"}),
        ({"logentry": {"formatted": "done"}}, {"formatted": "done"}),
        ({"logentry": {"formatted": "done", "params": ["x"]}}, {"formatted": "done"}),
        ({"logentry": {"message": "a"}}, {"message": "a", "formatted": "a"}),
        ({"logentry": {"message": "a %s"}, "message": "a b"}, {"message": "a %s", "formatted": "a b"}),
        (
            {
                "sentry.interfaces.Message": {"message": "got %s", "params": ["'items'"]},
                "message": "got 'items'",
            },
            {"message": "got %s", "params": ["'items'"], "formatted": "got 'items'"},
        ),
        (
            {
                "sentry.interfaces.Message": {"message": "%s", "params": ["'a'"], "formatted": None},
                "message": "%s",
            },
            {"message": "%s", "params": ["'a'"], "formatted": "'a'"},
        ),
        ({"logentry": {"message": 5}}, {"message": "5", "formatted": "5"}),
        ({"message": ""}, None),
        ({"logentry": {}}, None),
        ({"logentry": {"message": " \n"}}, None),
    ],
)
def test_a_message_comes_in_many_shapes(payload: dict[str, Any], logentry: dict[str, Any] | None) -> None:
    assert sent(payload).data.get("logentry") == logentry


def test_a_long_message_is_cut_with_a_note_and_a_slightly_long_one_is_not() -> None:
    event = sent({"message": "x" * 20_000})
    assert event.data["logentry"]["formatted"] == "x" * 8189 + "..."
    assert noted(event) == {("value_too_long", "message")}
    assert not sent({"message": "x" * 8500}).notes


def test_a_secret_parameter_is_hidden_in_the_formatted_message_too() -> None:
    entry = sent({"logentry": {"message": "login %(password)s", "params": {"password": "hunter2"}}}).data[
        "logentry"
    ]
    assert entry["params"] == {"password": "[Filtered]"}
    assert entry["formatted"] == "login [Filtered]"


def test_what_would_be_cut_anyway_is_not_filled_in() -> None:
    assert len(fill("{a}" * 2700, {"a": "x" * 8000})) < 40_000
