"""Transactions: an event of what went well or badly, with its spans."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import msgspec

from app.base.text import cut, storable
from app.base.zstandard import zstd
from app.event import Event
from app.item import Headers, Invalid, Read, Told, Transaction, Whence
from app.normalize import event, filters, payloads, spans, times
from app.normalize.bags import bounded_object
from app.normalize.limits import MEDIUM
from app.normalize.logs import identifier
from app.normalize.notes import Notes
from app.normalize.scrub import suspicious

_MEASUREMENTS = 100
#: What differs between two visits of one page: numbers, and long words with digits in them.
_VARIES = re.compile(r"(?<=/)(?:\d+|[0-9a-fA-F-]{16,}|(?=[^/]*\d[^/]*\d)[\w-]{20,})(?=/|$)")
#: Sources of names that are not written by a person or taken from a route.
_RAW = frozenset(("url", "unknown", ""))


def read(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """One transaction, and the spans in it, counted. Raises Invalid."""
    told = payloads.told(payload)
    context = _trace(told)
    shift = times.drift(whence.received, whence.sent_at, Notes())
    begins, ends = _times(told, shift, whence.received)
    found, lost = spans.inner(told.get("spans"), shift, begins, whence.options.scrubbing)
    shown = _shown(told, payload, whence)
    name = name_of(shown, told)
    number = len(found) + 1
    if reason := filters.unwanted_transaction(name, shown.release, whence.options.filters):
        return Read(
            [], Counter({("transaction", "filtered", reason): 1, ("span", "filtered", reason): number})
        )
    body = Told(shown.data, found, _measurements(told.get("measurements")))
    transaction = Transaction(
        project_id=whence.project_id,
        received=whence.received,
        event_id=whence.event_id,
        trace_id=identifier(context.get("trace_id"), 32),
        span_id=identifier(context.get("span_id"), 16),
        parent_id=identifier(context.get("parent_span_id"), 16),
        name=name,
        op=cut(storable(str(context.get("op") or "default")), spans.OP),
        status=spans.status(context.get("status")),
        started=begins,
        duration=ends - begins,
        environment=storable(shown.environment),
        release=storable(shown.release),
        spans=len(found),
        body=zstd.compress(msgspec.json.encode(body), 3),
    )
    counts = Counter({("transaction", "accepted", ""): 1, ("span", "accepted", ""): number})
    if lost:
        counts["span", "invalid", "unreadable"] = lost
    return Read([transaction], counts)


def unpacked(body: bytes) -> Told:
    """What is shown of a stored transaction."""
    return msgspec.json.decode(zstd.decompress(body), type=Told)


def name_of(shown: Event, told: dict[str, Any]) -> str:
    """What it is called; of addresses without what varies in them."""
    info = told.get("transaction_info")
    source = info.get("source") if isinstance(info, dict) else ""
    name = storable(shown.transaction) or "<unlabeled transaction>"
    return plain_name(name) if source in _RAW or source is None else name


def plain_name(name: str) -> str:
    """ "/users/7/orders" is "/users/*/orders"."""
    return _VARIES.sub("*", name.partition("?")[0])


def _trace(told: dict[str, Any]) -> dict[str, Any]:
    contexts = told.get("contexts")
    found = contexts.get("trace") if isinstance(contexts, dict) else None
    if not isinstance(found, dict):
        raise Invalid("no_trace")
    if not identifier(found.get("trace_id"), 32) or not identifier(found.get("span_id"), 16):
        raise Invalid("no_trace")
    return found


def _times(told: dict[str, Any], shift: int, received: int) -> tuple[int, int]:
    begins, ends = times.micros(told.get("start_timestamp")), times.micros(told.get("timestamp"))
    if begins is None or ends is None or not 0 <= ends - begins <= spans.LONGEST:
        raise Invalid("no_timestamp")
    if not spans.is_near(begins + shift, received):
        raise Invalid("invalid_timestamp")
    return begins + shift, ends + shift


def _shown(told: dict[str, Any], payload: bytes, whence: Whence) -> Event:
    """What surrounds it, by the rules of events."""
    sender = event.Sender(
        project_id=whence.project_id,
        key_id=whence.key_id,
        received=whence.received,
        event_id=whence.event_id,
        address=whence.address,
        sent_at=whence.sent_at,
        looks_clean=not suspicious(payload),
        scrubbing=whence.options.scrubbing,
    )
    return event.normalise({"level": "info", **told}, sender)


def _measurements(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    kept: dict[str, Any] = {}
    for name, measured in list(value.items())[:_MEASUREMENTS]:
        number = measured.get("value") if isinstance(measured, dict) else None
        if isinstance(number, int | float) and not isinstance(number, bool):
            unit = measured.get("unit")
            kept[cut(name, 100)] = {"value": number, "unit": unit[:30] if isinstance(unit, str) else ""}
    return bounded_object(kept, MEDIUM, "measurements", Notes()) or {}
