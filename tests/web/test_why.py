"""Why an event is in its issue, in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from app.event import Grouping, Variant
from app.grouping import explain
from app.web.issues.why import sentence
from tests.normalize.senders import sent


def error(*frames: tuple[str, bool], **more: Any) -> dict[str, Any]:
    listed = [{"function": function, "module": "shop", "in_app": in_app} for function, in_app in frames]
    trace = {"stacktrace": {"frames": listed}} if frames else {}
    return {"exception": [{"type": "PayError", "value": "card 17 refused", **trace}], **more}


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (
            error(("run", False), ("main", True), ("pay", True)),
            "Grouped by the type PayError and 2 frames of the application (pay, main). "
            "The message does not count: the stack trace says more.",
        ),
        (
            error(("run", False)),
            "Grouped by the type PayError and 1 frame of the stack (run). "
            "The message does not count: the stack trace says more.",
        ),
        (
            error(*((name, True) for name in "abcde")),
            "Grouped by the type PayError and 5 frames of the application (e, d, c and 2 more). "
            "The message does not count: the stack trace says more.",
        ),
        (error(), "Grouped by the type PayError and the message “card <int> refused”."),
        ({"message": "disk full"}, "Grouped by the message “disk full”."),
        (
            error(fingerprint=["{{ default }}", "eu"]),
            "Grouped by the type PayError and the message “card <int> refused”, "
            "and by the fingerprint the client sent.",
        ),
        (error(fingerprint=["mine"]), "Grouped by the fingerprint the client sent, whatever happened."),
        (error(checksum="abc"), "Grouped by the checksum the client sent."),
        ({}, "Nothing in the event tells it from others: all such events are one issue."),
        (
            {"template": {"filename": "a.html", "context_line": "{{ x }}"}},
            "Grouped by filename a.html and context line {{ x }}.",
        ),
    ],
)
def test_what_decides_is_said_in_words(payload: dict[str, Any], said: str) -> None:
    event = sent({"platform": "python", **payload})
    assert sentence(explain(event.data, event.tags)) == said


def test_a_rule_is_named() -> None:
    event = sent({"platform": "python", **error()})
    rule = "type:PayError -> pay"
    assert sentence(explain(event.data, event.tags, prints=rule)) == (
        f"Grouped by the fingerprint of the rule “{rule}”, whatever happened."
    )


def test_what_old_rules_decided_is_said_without_its_parts() -> None:
    found = Grouping("2026-12", ["a" * 32], [Variant("app", "a" * 32)], [])
    assert sentence(found) == "Grouped by the frames of the application, by rules that were changed since."
