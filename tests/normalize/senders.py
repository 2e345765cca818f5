"""Events as a client would send them, normalised as the pipeline would."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from app.base.json import encode
from app.event import Event
from app.grouping import group
from app.normalize.limits import Limits
from app.normalize.read import Batch, read
from app.wire.record import Accepted, frame

RECEIVED = 1_795_356_000_000_000  # 2026-11-22T14:00:00Z
ANSWERED = "a" * 32
ADDRESS = "203.0.113.9"


def record(body: bytes, kind: Any = "store", **known: Any) -> bytes:
    """One frame of a broker message."""
    fields: dict[str, Any] = {
        "received": RECEIVED,
        "project_id": 1,
        "key_id": 2,
        "kind": kind,
        "encoding": "",
        "client": "tests/1.0",
        "address": ADDRESS,
        "agent": "",
        "event_id": ANSWERED,
        **known,
    }
    return frame(Accepted(**fields, body=body))


def envelope(*items: tuple[dict[str, Any], bytes], **header: Any) -> bytes:
    lines = [json.dumps(header).encode()]
    for headers, payload in items:
        lines += [json.dumps({"length": len(payload), **headers}).encode(), payload]
    return b"\n".join(lines)


def batch(*frames: bytes, **limits: int) -> Batch:
    found = read(b"".join(frames), Limits(**limits))
    found.events = [stored(event) for event in found.events]
    return found


def sent(payload: Any, **known: Any) -> Event:
    """The event that becomes of a payload; fails when it is refused."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    found = batch(record(body, **known))
    assert not found.refused, found.refused[0].reason
    assert len(found.events) == 1
    return found.events[0]


def stored(event: Event) -> Event:
    """The event with what reading its stored body gives for its data; it belongs to the same issue."""
    before = group(event)
    event.data = msgspec.json.decode(encode(event.data))
    assert group(event) == before
    return event


def noted(event: Event) -> set[tuple[str, str]]:
    return {(note.type, note.name) for note in event.notes}
