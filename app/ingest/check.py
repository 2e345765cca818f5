"""What is looked at before the answer: enough to refuse what nothing could be made of, and to know its id.

An envelope is decompressed within its bound and read by its headers. Payloads are not decoded: of an event
only its first and last byte are looked at, which finds what was cut off or is no JSON at all. An event of the
old store address is decoded as far as its id, because it has no header that could name one.

What nearly every SDK sends, one event in one gzip member, is not decompressed here: its first bytes hold both
headers and its last four its size, and only when these agree is it taken so (16 of about 75 µs per request).
The worker decompresses all of it and finds what can still be wrong then, which is damage in the middle and an
event cut off by its sender: refused there, with its bytes kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from app.base import json
from app.ingest.answers import Refusal
from app.wire import compress, envelope, legacy

#: Decompressed bytes that are read at once; the rest of a larger body is read in a thread.
AT_ONCE = 1024 * 1024
#: Items that an id belongs to: with one of them in it an envelope is answered with an id.
EVENTS = frozenset(("event", "transaction", "feedback", "security"))

_ID = re.compile(r"[0-9a-f]{32}")


#: An item's bytes, None when they are not at hand.
Payload = Callable[[envelope.Span], bytes | None]


class Limits(NamedTuple):
    envelope: int  # decompressed bytes of a whole body
    event: int  # bytes of one event's JSON


class Checked(NamedTuple):
    event_id: str  # 32 hex, "" when it names none
    has_event: bool
    dsn: object = None
    types: frozenset[str] = frozenset(("event",))  # of its items


class _Identified(msgspec.Struct):
    event_id: Any = None


_identified = msgspec.json.Decoder(_Identified).decode


async def check_envelope(body: bytes, encoding: str, limits: Limits) -> Checked:
    """Raises Refusal 400 or 413."""
    if checked := _by_its_ends(body, encoding, limits):
        return checked
    try:
        whole = compress.small(body, encoding, limits.envelope)
        if whole is not None:
            header, items = envelope.spans(whole)
            payload: Payload = lambda item: whole[item.start : item.end]  # noqa: E731
        else:
            reading = _Reading(body, encoding, limits.envelope)
            if not reading.advance(AT_ONCE):
                await asyncio.to_thread(reading.advance)
            header, items, payload = reading.reader.header, reading.reader.items, reading.payload
    except (compress.Damaged, compress.TooLarge, envelope.Malformed) as error:
        raise refusal(error) from error
    return _checked(header, items, payload, limits.event)


def _by_its_ends(body: bytes, encoding: str, limits: Limits) -> Checked | None:
    """Of an envelope with one event and an id, both within their limits; None for all others."""
    ends = compress.ends(body, encoding)
    if ends is None or ends.size > limits.envelope:
        return None
    found = envelope.alone(*ends)
    if found is None:
        return None
    header, item = found
    event_id = _id(header.get("event_id"))
    is_event = item.type == "event" and item.size <= limits.event
    if not event_id or not is_event or ends.beginning[item.start : item.start + 1] != b"{":
        return None
    return Checked(event_id, has_event=True, dsn=header.get("dsn"))


def _checked(header: dict[str, Any], items: list[envelope.Span], payload: Payload, largest: int) -> Checked:
    events = [item for item in items if item.headers["type"] in EVENTS]
    for item in events:
        _check_event(item, payload(item), largest)
    event_id = _header_id(header.get("event_id"))
    if not event_id and events:
        event_id = _payload_id(payload(events[0]))
    return Checked(event_id, bool(events), header.get("dsn"), frozenset(item.type for item in items))


def check_store(body: bytes, encoding: str, limits: Limits) -> Checked:
    """Raises Refusal 400 or 413. An event without a proper id is not an error here."""
    in_base64 = limits.event // 2 * 3
    try:
        text = legacy.unwrap(compress.decompress(body, encoding, in_base64), limits.event)
    except (compress.Damaged, compress.TooLarge) as error:
        raise refusal(error) from error
    if len(text) > limits.event:
        raise Refusal(413, f"the event has {len(text)} bytes, more than {limits.event}", reason="too_large")
    try:
        return Checked(_id(_named(text)), has_event=True)
    except ValueError as error:
        detail = f"the event is not a JSON object: {error}"[:300]
        raise Refusal(400, detail, reason="invalid_json") from error


def header(body: bytes, encoding: str) -> dict[str, Any]:
    """The header of an envelope, from as little of the body as holds it. Raises Refusal 400."""
    reader = envelope.Reader()
    try:
        for piece in compress.pieces(body, encoding, envelope.LONGEST_HEADER + compress.PIECE):
            reader.feed(piece)
            if reader.header:
                return reader.header
        reader.close()
    except (compress.Damaged, compress.TooLarge, envelope.Malformed) as error:
        raise refusal(error) from error
    return reader.header


def _check_event(item: envelope.Span, payload: bytes | None, largest: int) -> None:
    if item.size > largest:
        detail = f"the {item.type} has {item.size} bytes, more than {largest}"
        raise Refusal(413, detail, reason="too_large")
    if payload is not None and not (legacy.begins_like_json(payload) and payload.rstrip()[-1:] == b"}"):
        detail = f"the {item.type} is not a JSON object: it does not begin with {{ and end with }}"
        raise Refusal(400, detail, reason="invalid_json")


class _Reading:
    """An envelope on its way through the decompressor; can be left and gone on with."""

    def __init__(self, body: bytes, encoding: str, limit: int) -> None:
        self.reader = envelope.Reader()
        self._pieces = compress.pieces(body, encoding, limit)
        self._kept: list[bytes] = []  # what was read at once
        self._beginning: bytes | None = None

    def advance(self, at_most: int | None = None) -> bool:
        """Reads at least `at_most` bytes, or the rest. Whether that was the end."""
        done = 0
        for piece in self._pieces:
            self.reader.feed(piece)
            if at_most is None:
                continue
            self._kept.append(piece)
            done += len(piece)
            if done >= at_most:
                return False
        self.reader.close()
        return True

    def payload(self, item: envelope.Span) -> bytes | None:
        """The item's payload when it lies in what was read at once, which is nearly always."""
        if self._beginning is None:
            self._beginning = b"".join(self._kept)
        return self._beginning[item.start : item.end] if item.end <= len(self._beginning) else None


def _header_id(value: object) -> str:
    """The id that an envelope's header names. Raises Refusal when it names something else."""
    if value is None:
        return ""
    if event_id := _id(value):
        return event_id
    raise Refusal(400, "the event_id in the envelope header is not a UUID", reason="invalid_event_id")


def _payload_id(payload: bytes | None) -> str:
    try:
        return _id(_named(payload)) if payload else ""
    except ValueError:
        return ""  # the worker says what is wrong with it


def _named(text: bytes) -> object:
    """What the JSON of an event has as its event_id. Raises ValueError when it is no JSON object."""
    try:
        return _identified(text).event_id
    except (ValueError, RecursionError):
        event = json.decode(text).value  # the patient way, which is the worker's
    if not isinstance(event, dict):
        raise ValueError("it is a " + type(event).__name__)
    return event.get("event_id")


def _id(value: object) -> str:
    """32 lowercase hex characters of a UUID written with or without dashes, else ""."""
    text = value.replace("-", "").lower() if isinstance(value, str) else ""
    return text if _ID.fullmatch(text) else ""


def refusal(error: Exception) -> Refusal:
    if isinstance(error, compress.TooLarge):
        return Refusal(413, str(error), reason="too_large")
    reason = "invalid_envelope" if isinstance(error, envelope.Malformed) else "invalid_encoding"
    return Refusal(400, str(error), reason=reason)
