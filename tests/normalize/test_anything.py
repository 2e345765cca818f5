"""Whatever a client sends, an event or a refusal comes of it, and it can be stored."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.base.json import encode
from app.event import Event
from app.grouping import group
from app.normalize.event import _PLAIN, _READERS
from app.wire.record import frames
from tests.normalize.senders import batch, envelope, record, sent

ATTRIBUTES = sorted(
    {*_PLAIN, *_READERS, "logentry", "message", "tags", "user", "release", "dist", "environment"}
    | {"level", "platform", "timestamp", "errors", "event_id", "type", "_meta", "received"}
)
#: Every JSON type, and shapes that look right from outside.
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**70,
    1.5,
    1e308,
    "",
    "text",
    "\x00",
    "é😀",
    [],
    {},
    [None],
    [[]],
    [{}],
    [1],
    ["a"],
    [["a", "b"]],
    [["a"]],
    [[None, None]],
    {"": None},
    {"a": None},
    {"values": None},
    {"values": 1},
    {"values": [1]},
    {"values": [None, {}, [], "x"]},
    {"frames": None},
    {"frames": 1},
    {"frames": [None, 1, {}]},
    {"frames": {}},
    {"type": 1, "value": [], "module": {}, "stacktrace": 1, "mechanism": []},
    {"type": {}, "mechanism": {"type": 1}},
    {
        "values": [
            {"type": 1, "value": {}, "stacktrace": {"frames": [{"lineno": "x", "vars": 1, "function": []}]}}
        ]
    },
    {"values": [{"stacktrace": {"frames": [{}]}, "mechanism": {"handled": 1, "meta": [], "data": 1}}]},
    {"values": [{"timestamp": [], "level": {}, "data": 1, "message": {}}]},
    {"images": [1, None, {}]},
    {"images": 1},
    {"message": 1, "params": 1, "formatted": []},
    {"message": "%s {} {a.b}", "params": [None, {}]},
    {
        "headers": 1,
        "cookies": {},
        "data": [],
        "env": 1,
        "query_string": {"a": [1, None]},
        "url": [],
        "method": 1,
    },
    {"headers": [["a", None], ["b"], 1, None, [None, 1]], "cookies": "a;b=;=c", "query_string": "?&=&a=b%ff"},
    {"id": [], "email": 1, "username": {}, "ip_address": "x", "geo": 1},
    {"name": 1, "version": [], "packages": 1},
    {
        "os": 1,
        "browser": {"name": 1},
        "device": {"model": []},
        "runtime": {"name": "", "version": "1"},
        "trace": [],
    },
]


def assert_storable(event: Event) -> None:
    """What PostgreSQL and JSON can hold, everywhere."""
    event.grouping = group(event)
    text = encode(event).decode()
    assert "\\u0000" not in text
    assert all(len(found) == 32 for found in event.grouping.hashes)
    assert len(event.title) <= 300
    assert len(event.culprit) <= 200
    assert len(event.release) <= 250
    assert len(event.environment) <= 64
    assert len(event.transaction) <= 200
    assert all(len(key) <= 200 and len(value) <= 200 for key, value in event.tags.items())
    assert_no_nulls(event.data, "data")
    msgspec.convert(msgspec.to_builtins(event), Event)


def assert_no_nulls(data: dict[str, Any], path: str) -> None:
    """Bags may hold nulls deep inside; attributes may not be null."""
    for name, value in data.items():
        assert value is not None, f"{path}.{name}"


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_an_attribute_of_any_type_loses_nothing_else(attribute: str) -> None:
    for value in VALUES:
        payload = {"message": "still here", "extra": {"kept": 1}, attribute: value}
        found = batch(record(json.dumps(payload).encode()))
        assert not found.refused, (value, found.refused)
        if attribute == "type":
            continue
        (event,) = found.events
        assert_storable(event)
        if attribute not in ("message", "logentry"):
            assert event.data["logentry"]["formatted"] == "still here"
        if attribute != "extra":
            assert event.data["extra"] == {"kept": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(ATTRIBUTES), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = [
    *ATTRIBUTES,
    "values",
    "frames",
    "stacktrace",
    "type",
    "value",
    "function",
    "filename",
    "abs_path",
    "module",
    "vars",
    "lineno",
    "in_app",
    "mechanism",
    "data",
    "headers",
    "cookies",
    "query_string",
    "url",
    "env",
    "params",
    "formatted",
    "id",
    "ip_address",
    "name",
    "version",
    "images",
    "password",
    "handled",
    "synthetic",
    "exception_id",
    "parent_id",
    "is_exception_group",
    "meta",
    "ns_error",
    "crashed",
    "current",
    "category",
    "level",
    "pre_context",
]
events = st.dictionaries(st.sampled_from(ATTRIBUTES), json_values, max_size=8)
shaped = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["python", "javascript", "java", "native", "csharp", "php", "%s %(a)s {}", "{{auto}}", "2026-11-22"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=300)
@given(events | st.dictionaries(st.sampled_from(ATTRIBUTES), shaped, max_size=10))
def test_any_object_becomes_an_event_and_stays_the_same_when_sent_again(payload: dict[str, Any]) -> None:
    payload.pop("type", None)
    event = sent(payload)
    assert_storable(event)
    again = sent(event.data, address="")
    again.data["timestamp"] = event.data["timestamp"]
    assert again.data == event.data
    assert group(again).hashes == group(event).hashes


@given(json_values)
def test_json_that_is_no_object_is_refused(value: Any) -> None:
    if isinstance(value, dict):
        return
    found = batch(record(envelope(({"type": "event"}, json.dumps(value).encode())), "envelope"))
    assert not found.events
    assert found.refused[0].reason == "The event is JSON but not an object."


@settings(max_examples=200)
@given(
    st.binary(max_size=300),
    st.sampled_from(["store", "envelope", "counts"]),
    st.sampled_from(["", "gzip", "br"]),
)
def test_any_body_is_read_or_refused_and_its_neighbours_are_kept(
    body: bytes, kind: str, encoding: str
) -> None:
    good = record(b'{"message": "neighbour"}', event_id="b" * 32)
    found = batch(good, record(body, kind, encoding=encoding), good)
    assert [event.title for event in found.events if event.event_id == "b" * 32] == ["neighbour"] * 2
    for refused in found.refused:
        assert refused.reason.endswith(".")
        ((frame, _),) = frames(refused.frame)
        assert frame == refused.frame


@given(st.binary(max_size=400))
def test_any_bytes_as_a_group_are_refused_once(group_bytes: bytes) -> None:
    found = batch(group_bytes)
    assert len(found.refused) <= 1 or not found.events


def test_ten_thousand_levels_in_every_attribute_leave_an_event_with_a_note() -> None:
    begun = time.process_time()
    for attribute in ATTRIBUTES:
        if attribute == "type":
            continue
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}"), (b'{"values":[', b"]}")):
            deep = opening * 10_000 + b"1" + closing * 10_000
            body = b'{"server_name":"kept","' + attribute.encode() + b'":' + deep + b"}"
            event = sent(body)
            assert_storable(event)
            assert any("levels deep" in note.value for note in event.notes)
    assert time.process_time() - begun < 20
