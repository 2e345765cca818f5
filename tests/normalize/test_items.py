"""What envelopes bring beside events: each kind's reader, on good, odd and arbitrary bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.item import Attachment, Feedback, Invalid, Log, Read, Whence
from app.normalize import attachments, feedback, logs
from app.normalize.items import READERS
from app.normalize.items import read as read_items
from app.options import Options, Rule, Scrubbing
from app.wire.envelope import Item as ItemBytes
from tests.normalize.senders import ADDRESS, ANSWERED, RECEIVED

WHENCE = Whence(1, 2, RECEIVED, ANSWERED, ADDRESS, "", "", None)
OTHER = "b" * 32


def read(kind: str, payload: Any, **headers: Any) -> Read:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return READERS[kind](body, {"type": kind, **headers}, WHENCE)


def only(kind: str, payload: Any, **headers: Any) -> Any:
    (one,) = read(kind, payload, **headers).items
    return one


# -- attachments -------------------------------------------------------------------------------------------


def test_a_file_keeps_its_name_its_type_and_its_bytes() -> None:
    found = only("attachment", b"100 %\n", filename="df.txt", content_type="text/plain")
    assert found == Attachment(
        project_id=1, received=RECEIVED, event_id=ANSWERED, name="df.txt", content_type="text/plain",
        kind="event.attachment", content=b"100 %\n",
    )  # fmt: skip
    assert read("attachment", b"").counts == {("attachment", "accepted", ""): 1}


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\logs\\a.txt", "a.txt"),
        ("a\r\nb\0", "a b\ufffd"),
        (7, "unnamed"),
        ("", "unnamed"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_only_a_name(filename: Any, name: str) -> None:
    assert only("attachment", b"x", filename=filename).name == name


def test_a_file_that_is_elsewhere_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match="attachment_reference"):
        read("attachment", b"{}", content_type=attachments.REFERENCE)
    monkeypatch.setattr(attachments, "LARGEST", 3)
    with pytest.raises(Invalid, match="too_large"):
        read("attachment", b"1234")


@pytest.mark.parametrize(
    ("kind", "category"),
    [("profile", "profile"), ("profile_chunk", "profile_chunk"), ("replay_event", "replay"),
     ("replay_recording", "replay"), ("replay_video", "replay")],
)  # fmt: skip
def test_profiles_and_replays_are_files_of_projects_that_ask(kind: str, category: str) -> None:
    found = only(kind, b'{"segment_id":0}')
    assert (found.kind, found.event_id, found.content) == (kind, ANSWERED, b'{"segment_id":0}')
    item = ItemBytes({"type": kind}, memoryview(b"{}"))
    assert read_items("k", [item], WHENCE).items == []
    asked = WHENCE._replace(options=Options(on=frozenset({category})))
    (kept,) = read_items("k", [item], asked).items
    assert isinstance(kept, Attachment)


# -- feedback ----------------------------------------------------------------------------------------------


def test_a_report_is_about_its_event() -> None:
    told = {"event_id": OTHER, "name": "Grace", "email": "grace@example.com", "comments": " It broke\n"}
    found = only("user_report", told)
    assert (found.feedback_id, found.event_id, found.source) == (OTHER, OTHER, "user_report")
    assert (found.name, found.email, found.message) == ("Grace", "grace@example.com", "It broke")
    assert only("user_report", {"comments": "x"}).event_id == ANSWERED


def test_feedback_is_an_event_that_says_what_it_is_about() -> None:
    said = {
        "message": "I cannot pay", "contact_email": "grace@example.com", "name": "Grace",
        "url": "https://shop.example/cart", "associated_event_id": OTHER, "source": "widget",
    }  # fmt: skip
    found = only("feedback", {"environment": "prod", "contexts": {"feedback": said}})
    assert found == Feedback(
        project_id=1, received=RECEIVED, feedback_id=ANSWERED, event_id=OTHER, message="I cannot pay",
        name="Grace", email="grace@example.com", url="https://shop.example/cart", source="widget",
        environment="prod",
    )  # fmt: skip
    unsigned = only(
        "feedback", {"contexts": {"feedback": {"message": "x"}}, "user": {"email": "a@b.example"}}
    )
    assert (unsigned.email, unsigned.event_id, unsigned.source) == ("a@b.example", "", "feedback")


def test_what_people_say_is_kept_without_secrets() -> None:
    said = {
        "message": "My card 4111 1111 1111 1111 is refused", "contact_email": "grace@example.com",
        "url": "https://grace:tulip@shop.example/cart?token=abc&page=2",
    }  # fmt: skip
    found = only("feedback", {"contexts": {"feedback": said}})
    assert found.message == "My card [Filtered] is refused"
    assert found.url == "https://[Filtered]@shop.example/cart?token=[Filtered]&page=2"
    assert found.email == "grace@example.com"


def test_a_projects_rules_hold_for_what_people_say() -> None:
    chosen = Scrubbing(fields=["pin"], rules=[Rule(method="remove", source="$user.email")], defaults=False)
    whence = WHENCE._replace(options=Options(scrubbing=chosen))
    said = {"comments": "pin=1234, card 4111 1111 1111 1111", "email": "grace@example.com", "name": "Grace"}
    (found,) = READERS["user_report"](json.dumps(said).encode(), {}, whence).items
    assert isinstance(found, Feedback)
    assert (found.message, found.email, found.name) == (
        "pin=[Filtered], card 4111 1111 1111 1111", "", "Grace",
    )  # fmt: skip


def test_a_message_is_cut_not_dropped() -> None:
    found = only("user_report", {"comments": "x" * 5000, "email": "e" * 99})
    assert len(found.message) == feedback.MESSAGE
    assert len(found.email) == 75


@pytest.mark.parametrize(
    ("kind", "payload", "reason"),
    [
        ("user_report", {"comments": " "}, "no_message"),
        ("user_report", {}, "no_message"),
        ("user_report", b"{", "unreadable"),
        ("user_report", [], "unreadable"),
        ("feedback", {}, "no_message"),
        ("feedback", {"contexts": {"feedback": "x"}}, "no_message"),
        ("feedback", {"contexts": {"feedback": {"message": None}}}, "no_message"),
        ("feedback", b"\xff", "unreadable"),
        ("log", {}, "unreadable"),
        ("log", b"", "unreadable"),
    ],
)
def test_what_says_nothing_is_invalid(kind: str, payload: Any, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read(kind, payload)


# -- logs --------------------------------------------------------------------------------------------------


def record(**changes: Any) -> dict[str, Any]:
    return {
        "timestamp": RECEIVED / 1e6, "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "level": "warn",
        "body": "retrying", **changes,
    }  # fmt: skip


def test_a_container_of_nothing_is_nothing() -> None:
    nothing = read("log", {"items": []})
    assert (nothing.items, nothing.counts) == ([], {})


def log(**changes: Any) -> Log:
    found: Log = only("log", {"items": [record(**changes)]})
    return found


def test_a_record_has_its_time_severity_trace_and_attributes() -> None:
    attributes = {
        "sentry.environment": {"value": "prod", "type": "string"},
        "sentry.release": {"value": "shop@1", "type": "string"},
        "till": {"value": 7, "type": "integer"},
        "on": {"value": False, "type": "boolean"},
    }
    assert log(attributes=attributes, span_id="00f067aa0ba902b7") == Log(
        project_id=1, received=RECEIVED, timestamp=RECEIVED, trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        span_id="00f067aa0ba902b7", severity=13, body="retrying", environment="prod", release="shop@1",
        attributes={"till": 7, "on": False},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ({"level": "trace"}, 1), ({"level": "DEBUG"}, 5), ({"level": "info"}, 9), ({"level": "error"}, 17),
        ({"level": "fatal"}, 21), ({"level": "fatal", "severity_number": 22}, 22), ({"level": 7}, 9),
        ({"severity_number": 99, "level": "error"}, 17), ({"level": None, "severity_number": True}, 9),
    ],
)  # fmt: skip
def test_severity_is_a_number_or_a_word(told: dict[str, Any], number: int) -> None:
    assert log(**told).severity == number


def test_secrets_in_a_record_are_not_kept() -> None:
    found = log(
        body="card 4111 1111 1111 1111 refused",
        attributes={"password": {"value": "hunter2"}, "note": {"value": "https://ada:pw@shop.example/"}},
    )
    assert "4111" not in found.body
    assert found.attributes["password"] == "[Filtered]"
    assert "pw" not in found.attributes["note"]


def test_records_that_make_no_sense_cost_no_others() -> None:
    found = read("log", {"items": [record(), 7, {"body": None}, record(body="two")]})
    assert [one.body for one in found.items if isinstance(one, Log)] == ["retrying", "two"]
    assert found.counts == {("log_item", "accepted", ""): 2, ("log_item", "invalid", "unreadable"): 2}
    many = read("log", {"items": [record()] * (logs.MOST + 5)})
    assert len(many.items) == logs.MOST
    assert many.counts["log_item", "invalid", "unreadable"] == 5


def test_nothing_in_a_record_is_endless() -> None:
    attributes = {f"a{number}": {"value": "x" * 9999} for number in range(500)}
    found = log(body="x" * 99_999, attributes=attributes, trace_id="zz", timestamp="never")
    assert len(found.body) == logs.BODY
    assert len(found.attributes) == logs.ATTRIBUTES
    assert {len(value) for value in found.attributes.values()} == {logs.VALUE}
    assert (found.trace_id, found.timestamp) == ("", RECEIVED)


# -- anything ----------------------------------------------------------------------------------------------

_words = st.sampled_from([
    "items", "body", "timestamp", "attributes", "value", "contexts", "feedback", "message", "comments",
    "event_id", "discarded_events", "category", "reason", "quantity", "user", "level", "severity_number",
])  # fmt: skip
_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=6),
)


@pytest.mark.parametrize("kind", sorted(READERS))
@given(payload=st.binary() | _json.map(lambda value: json.dumps(value).encode()), value=_json)
def test_any_bytes_are_read_or_invalid(kind: str, payload: bytes, value: Any) -> None:
    headers = {"filename": value, "content_type": value, "attachment_type": value, "item_count": value}
    read_any: Callable[[], Read] = lambda: READERS[kind](payload, {"type": kind, **headers}, WHENCE)  # noqa: E731
    try:
        found = read_any()
    except Invalid:
        pass
    else:
        assert all(quantity > 0 for quantity in found.counts.values())
