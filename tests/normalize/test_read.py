"""A broker message to events: each record and each item on its own."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import brotli
import pytest

from app.event import Counted
from app.item import Once
from tests.normalize.senders import ANSWERED, RECEIVED, batch, envelope, record, sent

EVENT = ({"type": "event"}, b'{"message": "hello"}')
ID = "0f4e2a6c9b1d4c7f8a3b5d6e7f809102"


def test_an_envelope_with_an_event_becomes_that_event() -> None:
    (event,) = batch(record(envelope(EVENT, event_id=ID), "envelope")).events
    assert (event.event_id, event.title, event.kind, event.project_id, event.key_id) == (
        ID,
        "hello",
        "default",
        1,
        2,
    )
    assert event.received == event.timestamp == RECEIVED


@pytest.mark.parametrize(
    ("header", "payload", "expected"),
    [
        ({"event_id": ID}, {"event_id": "c" * 32}, ID),
        ({"event_id": ID.upper()}, {}, ID),
        ({"event_id": "0f4e2a6c-9b1d-4c7f-8a3b-5d6e7f809102"}, {}, ID),
        ({}, {"event_id": ID}, ANSWERED),
        ({"event_id": "nonsense"}, {}, ANSWERED),
        ({"event_id": "0" * 32}, {}, ANSWERED),
        ({"event_id": 7}, {}, ANSWERED),
    ],
)
def test_the_envelopes_id_wins_then_the_one_that_was_answered(
    header: dict[str, Any], payload: dict[str, Any], expected: str
) -> None:
    body = envelope(({"type": "event"}, json.dumps(payload).encode()), **header)
    (event,) = batch(record(body, "envelope")).events
    assert event.event_id == event.data["event_id"] == expected


def test_a_second_event_in_an_envelope_gets_an_id_that_is_the_same_at_every_delivery() -> None:
    frames = record(envelope(EVENT, EVENT, event_id=ID), "envelope")
    first, second = batch(frames).events
    assert first.event_id == ID
    assert second.event_id != ID
    assert batch(frames).events[1].event_id == second.event_id


def test_items_without_a_home_are_counted_and_the_event_beside_them_is_kept() -> None:
    found = batch(
        record(
            envelope(
                ({"type": "something_new"}, b"\xff"),
                ({"type": "statsd"}, b"a:1|c"),
                ({"type": "statsd"}, b"a:1|c"),
                EVENT,
                ({"type": "trace_metric", "item_count": 3}, b'{"items": []}'),
                ({"type": "replay_event"}, b"{}"),
                ({"type": "attachment", "filename": "a"}, b"\n\n"),
                ({"type": "transaction"}, b"{"),
                ({"type": "client_report"}, b"no report"),
            ),
            "envelope",
        )
    )
    assert [event.title for event in found.events] == ["hello"]
    assert not found.refused
    (once,) = found.onces
    assert [(one.category, one.outcome, one.reason, one.quantity) for one in once.counts] == [
        ("default", "filtered", "unsupported", 1),
        ("metric_bucket", "filtered", "unsupported", 2),
        ("trace_metric", "filtered", "unsupported", 3),
        ("replay", "filtered", "disabled", 1),
        ("attachment", "accepted", "", 1),
        ("transaction", "invalid", "unreadable", 1),
        ("default", "invalid", "unreadable", 1),
    ]


def test_what_a_client_threw_away_is_counted_as_it_says() -> None:
    report = {
        "timestamp": "2026-11-22T13:00:00Z",
        "discarded_events": [
            {"reason": "ratelimit_backoff", "category": "error", "quantity": 12},
            {"reason": "sample_rate", "category": "transaction", "quantity": 1},
            {"reason": 7, "category": "error", "quantity": 1},
            {"reason": "x", "category": "error", "quantity": -1},
            "nonsense",
        ],
    }
    body = envelope(({"type": "client_report"}, json.dumps(report).encode()))
    (once,) = batch(record(body, "envelope")).onces
    assert once.counts == [
        Counted(1, 2, "error", "client_discard", "ratelimit_backoff", RECEIVED, 12),
        Counted(1, 2, "transaction", "client_discard", "sample_rate", RECEIVED, 1),
    ]
    assert batch(record(body, "envelope")).onces[0].key == once.key
    assert batch(record(body + b"\n", "envelope")).onces[0].key != once.key


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b'{"message": "old"}', ""),
        (b'  \n{"message": "old"}', ""),
        (gzip.compress(b'{"message": "old"}', mtime=0), "gzip"),
        (zlib.compress(b'{"message": "old"}'), "deflate"),
        (brotli.compress(b'{"message": "old"}'), "br"),
        (base64.b64encode(b'{"message": "old"}'), ""),
        (base64.b64encode(zlib.compress(b'{"message": "old"}')), ""),
    ],
)
def test_bodies_of_the_store_address_are_unwrapped(body: bytes, encoding: str) -> None:
    (event,) = batch(record(body, encoding=encoding)).events
    assert event.title == "old"


@pytest.mark.parametrize(
    ("body", "known", "reason"),
    [
        (b"null", {"kind": "envelope"}, "envelope header"),
        (b"[1]", {"kind": "store"}, "base64"),
        (b"", {}, ""),
        (gzip.compress(b"{}", mtime=0)[:-9], {"encoding": "gzip"}, "too early"),
        (gzip.compress(b" " * 3000, mtime=0), {"encoding": "gzip"}, "more than 2000 bytes"),
        (b'{"extra": "' + b"x" * 1500 + b'"}', {}, "more than the 1000 allowed"),
        (b'{"type": "event"}', {"kind": "envelope"}, ""),
        (b'{}\n{"type":"event","length":9}\n{}', {"kind": "envelope"}, "cut short"),
        (b"not an envelope", {"kind": "envelope"}, "envelope header"),
        (b"not json", {"kind": "counts"}, "counts"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    body: bytes, known: dict[str, Any], reason: str
) -> None:
    good = record(b'{"message": "neighbour"}')
    found = batch(good, record(body, **known), good, max_envelope=2000, max_event=1000)
    assert [event.title for event in found.events] == ["neighbour", "neighbour"]
    if body == b'{"type": "event"}':  # an envelope of a header only is valid
        assert not found.refused
        return
    (refused,) = found.refused
    assert reason in refused.reason
    assert refused.reason[0].isupper()
    assert refused.reason.endswith(".")
    assert (refused.project_id, refused.key_id, refused.received, refused.category) == (
        1,
        2,
        RECEIVED,
        "error",
    )
    assert batch(refused.frame, max_envelope=2000, max_event=1000).refused == [refused]


def test_a_refused_item_names_its_place_in_the_envelope() -> None:
    body = envelope(({"type": "session"}, b"{}"), ({"type": "event"}, b"'a'"))
    (refused,) = batch(record(body, "envelope")).refused
    assert refused.item == 1


def test_of_sixty_events_the_malformed_one_is_refused_and_fifty_nine_are_kept() -> None:
    records = [record(json.dumps({"message": f"number {n}"}).encode()) for n in range(60)]
    records[17] = record(b'"message": "half')
    found = batch(*records)
    assert len(found.events) == 59
    assert len(found.refused) == 1


def test_of_broken_json_what_stands_before_the_break_is_an_event_with_a_note() -> None:
    (event,) = batch(record(b'{"message": "disk full", "level": oops, "release": "shop@1"}')).events
    assert (event.title, event.level, event.release) == ("disk full", "error", "")
    assert any("damaged about character 32" in note.value for note in event.notes)


def test_braces_with_nothing_readable_in_them_are_an_event_that_says_so() -> None:
    (event,) = batch(record(b"{malformed}")).events
    assert any("what follows was lost" in note.value for note in event.notes)


def test_a_damaged_record_in_the_middle_costs_no_neighbour() -> None:
    good = [record(f'{{"message": "{n}"}}'.encode()) for n in range(3)]
    torn = bytearray(good[1])
    torn[-3] ^= 0xFF
    found = batch(good[0], bytes(torn), good[2])
    assert [event.title for event in found.events] == ["0", "2"]
    (refused,) = found.refused
    assert refused.frame == bytes(torn)
    assert "damaged" in refused.reason


def test_a_group_cut_anywhere_keeps_what_is_whole() -> None:
    good = record(b'{"message": "whole"}')
    for end in range(1, len(good)):
        found = batch(good + good[:end])
        assert [event.title for event in found.events] == ["whole"]
        assert [refused.frame for refused in found.refused] == [good[:end]]


def test_counts_keep_the_key_that_makes_them_apply_once() -> None:
    rows = [[1, 2, "error", "invalid", "too_large", RECEIVED, 3]]
    found = batch(record(json.dumps(rows).encode(), "counts", event_id="d" * 32))
    assert found.onces == [Once("d" * 32, [Counted(1, 2, "error", "invalid", "too_large", RECEIVED, 3)])]


def test_a_transaction_that_came_to_the_store_address_is_counted() -> None:
    found = batch(record(b'{"type": "transaction"}'))
    assert [one.category for once in found.onces for one in once.counts] == ["transaction"]


def test_an_empty_object_is_an_event() -> None:
    event = sent({})
    assert (event.title, event.level, event.platform, event.tags) == (
        "<unlabeled event>",
        "error",
        "other",
        {"level": "error"},
    )


def test_what_nobody_foresaw_is_refused_by_its_name_and_can_be_replayed() -> None:
    broken: Any = "a setting that is no number"
    found = batch(record(b'{"message": "kept"}'), max_event=broken)
    (refused,) = found.refused
    assert refused.reason.startswith("Normalising failed with TypeError: ")
    assert [event.title for event in batch(refused.frame).events] == ["kept"]


def test_an_event_item_that_is_a_transaction_is_counted_with_the_others_of_its_envelope() -> None:
    body = envelope(EVENT, ({"type": "event"}, b'{"type": "transaction"}'), ({"type": "session"}, b"{}"))
    found = batch(record(body, "envelope"))
    (once,) = found.onces
    assert sorted(one.category for one in once.counts) == ["session", "transaction"]
    assert [event.title for event in found.events] == ["hello"]
