"""A broker message to events. Every record, and every item in it, stands or falls alone."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from app.base.json import Decoded, NotJson, decode, salvage
from app.event import AsItCame, Event, Refused
from app.item import Once, Quantities, Whence
from app.normalize import agents, filters, glance, items, quantities, regular, screen, scrub, unpack
from app.normalize.event import Sender, event_id, normalise
from app.normalize.glance import Glance
from app.normalize.limits import Limits
from app.normalize.notes import DRIFT, Notes
from app.normalize.opaque import Irregular
from app.normalize.request import request
from app.normalize.shortcut import ShortWay
from app.options import DEFAULT, Choices, Options, Scrubbing, unchosen
from app.wire import compress, envelope, legacy
from app.wire.record import HEADER, Accepted, TornRecord, frame_at, frames

log = logging.getLogger(__name__)


#: Records of a part: what is decoded of so many fits a core's own cache.
PART = 10


class Batch(msgspec.Struct):
    """What a broker message holds."""

    events: list[Event] = []
    refused: list[Refused] = []
    onces: list[Once] = []


class Unreadable(ValueError):
    """This item cannot become an event; the message says why, for people."""


class Rules(NamedTuple):
    """What holds for the reading of a group."""

    limits: Limits
    chosen: Choices = unchosen


class Beside(msgspec.Struct):
    """What a request holds beside the events that are kept."""

    items: list[envelope.Item] = []
    unwanted: Quantities = msgspec.field(default_factory=Counter)  # events that a filter met


class Part(NamedTuple):
    """The bytes of one event and what its envelope says of it."""

    item: int  # index in the envelope
    raw: bytes
    event_id: str = ""
    sent_at: object = None


def read(group: bytes, limits: Limits, chosen: Choices = unchosen) -> Batch:
    """Events without grouping, what was refused with its reason, and what else there is. Never raises."""
    batch = Batch()
    for part in parts(group, limits, chosen):
        batch.events += [in_full(event) for event in part.events]
        batch.refused += part.refused
        batch.onces += part.onces
    return batch


def parts(group: bytes, limits: Limits, chosen: Choices = unchosen) -> Iterator[Batch]:
    """The same, a few records at a time: who is done with a part can let it go while it is in the cache.

    Events that can be stored as they came are not read further than that takes.
    """
    part = Batch()
    rules = Rules(limits, chosen)
    for number, (frame, accepted) in enumerate(_records(group), start=1):
        if accepted is None:
            part.refused.append(_damaged(frame))
        else:
            _read_record(frame, accepted, rules, part)
        if number % PART == 0:
            yield part
            part = Batch()
    yield part


def _records(group: bytes) -> Iterator[tuple[bytes, Accepted | None]]:
    """Each record with its frame; damaged bytes come as a frame without a record."""
    offset = 0
    while offset < len(group):
        try:
            for frame, accepted in frames(memoryview(group)[offset:]):
                offset += len(frame)
                yield frame, accepted
        except (TornRecord, msgspec.MsgspecError, UnicodeDecodeError):
            end = _next_whole(group, offset)
            yield group[offset:end], None
            offset = end


def _next_whole(group: bytes, offset: int) -> int:
    """Behind the damaged record if its length leads to a whole one, otherwise the end."""
    if offset + HEADER.size <= len(group):
        end = offset + HEADER.size + int(HEADER.unpack_from(group, offset)[0])
        try:
            if end < len(group):
                frame_at(group, end)
                return end
        except TornRecord:
            pass
    return len(group)


def _damaged(frame: bytes) -> Refused:
    """Nobody can tell whose bytes these were."""
    return Refused(
        project_id=0,
        key_id=0,
        received=0,
        reason="The record is damaged: its checksum or its length is wrong.",
        category="default",
        frame=frame,
        item=-1,
    )


def _read_record(frame: bytes, accepted: Accepted, rules: Rules, batch: Batch) -> None:
    try:
        if accepted.kind == "counts":
            batch.onces.append(Once(accepted.event_id, quantities.listed(accepted.body)))
        elif accepted.kind == "store":
            _read_store(frame, accepted, rules, batch)
        else:
            _read_envelope(frame, accepted, rules, batch)
    except (compress.Damaged, compress.TooLarge, compress.Unsupported, envelope.Malformed) as error:
        batch.refused.append(_refused(frame, accepted, _sentence(error), -1))
    except msgspec.MsgspecError as error:
        batch.refused.append(_refused(frame, accepted, f"The counts cannot be read: {error}.", -1))


def _read_envelope(frame: bytes, accepted: Accepted, rules: Rules, batch: Batch) -> None:
    body = compress.decompress(accepted.body, accepted.encoding, rules.limits.max_envelope)
    whole = envelope.split(body)
    answered = event_id(whole.header.get("event_id")) or accepted.event_id
    found = whole.items
    sent_at = whole.header.get("sent_at")
    options = rules.chosen(accepted.project_id)
    if unpack.is_needed(found):
        found = unpack.unpacked(found, _whence(accepted, answered, sent_at, options))
    seen = 0
    beside = Beside()
    for index, item in enumerate(found):
        if item.headers["type"] != "event":
            beside.items.append(item)
            continue
        identity = answered if not seen else _another_id(answered, index)
        seen += 1
        part = Part(index, bytes(item.payload), identity, sent_at)
        _read_event(part, frame, accepted, rules, batch, beside)
    if beside.items or beside.unwanted:
        whence = _whence(accepted, answered, sent_at, options)
        batch.onces.append(items.read(digest(frame), beside.items, whence, beside.unwanted))


def _read_store(frame: bytes, accepted: Accepted, rules: Rules, batch: Batch) -> None:
    body = compress.decompress(accepted.body, accepted.encoding, rules.limits.max_envelope)
    raw = legacy.unwrap(body, rules.limits.max_envelope)
    beside = Beside()
    _read_event(Part(0, raw), frame, accepted, rules, batch, beside)
    if beside.items or beside.unwanted:
        whence = _whence(accepted, accepted.event_id, None, rules.chosen(accepted.project_id))
        batch.onces.append(items.read(digest(frame), beside.items, whence, beside.unwanted))


def _whence(accepted: Accepted, event_id: str, sent_at: object, options: Options) -> Whence:
    return Whence(
        project_id=accepted.project_id,
        key_id=accepted.key_id,
        received=accepted.received,
        event_id=event_id,
        address=accepted.address,
        agent=accepted.agent,
        client=accepted.client,
        sent_at=sent_at,
        options=options,
        limited=accepted.limited,
    )


def _read_event(  # noqa: PLR0917 what an event is read from, and where it goes
    part: Part, frame: bytes, accepted: Accepted, rules: Rules, batch: Batch, beside: Beside
) -> None:
    """The one place where any failure is caught: what a stranger's bytes do must not touch the neighbours."""
    options = rules.chosen(accepted.project_id)
    try:
        size = len(part.raw)
        if size > rules.limits.max_event:
            most = rules.limits.max_event
            raise Unreadable(f"the event is {size} bytes of JSON, more than the {most} allowed")
        event = _event(part, accepted, options)
        if event is None:  # a transaction that came as an event
            beside.items.append(envelope.Item({"type": "transaction"}, memoryview(part.raw)))
        elif accepted.limited and (why := accepted.limited.get(quantities.of_event(event))):
            beside.unwanted[quantities.of_event(event), "rate_limited", why] += 1
        elif why := _unwanted(event, part, accepted, options):
            beside.unwanted[quantities.of_event(event), "filtered", why] += 1
        else:
            batch.events.append(event)
    except (Unreadable, NotJson) as error:
        batch.refused.append(_refused(frame, accepted, _sentence(error), part.item))
    except (Exception, RecursionError, MemoryError) as error:
        log.exception("An event of project %s could not be normalised", accepted.project_id)
        reason = f"Normalising failed with {type(error).__name__}: {error}"[:300]
        batch.refused.append(_refused(frame, accepted, reason, part.item))


def _unwanted(event: Event, part: Part, accepted: Accepted, options: Options) -> str:
    """Why an event is not kept; "" for one that is."""
    is_usual = options.filters is DEFAULT.filters and not options.off
    if is_usual and event.platform != "javascript" and event.kind != "csp":
        return ""  # no filter that is on by default can meet it
    if not options.wants(quantities.of_event(event)):
        return items.DISABLED
    agent = _agent(part.raw) if filters.needs_agent(options.filters) else ""
    if event.platform == "javascript":
        agent = agent or accepted.agent
    return filters.reason(event, agent, accepted.address, options.filters)


class _Asked(msgspec.Struct):
    request: Any = None


_decode_asked = msgspec.json.Decoder(_Asked).decode


def _agent(raw: bytes) -> str:
    """The User-Agent of the request an event is about, which not every way of reading keeps."""
    try:
        asked = _decode_asked(raw).request
    except msgspec.MsgspecError:
        return ""
    kept = request({"headers": asked.get("headers")}, Notes()) if isinstance(asked, dict) else None
    return agents.of_request(kept) if kept else ""


def _event(part: Part, accepted: Accepted, options: Options = DEFAULT) -> Event | None:
    """None for a transaction that came as an event."""
    if options.scrubbing is not DEFAULT.scrubbing:
        return _the_long_way(part, accepted, options.scrubbing)
    sight = screen.look(part.raw)
    if sight.may_stay and (payload := glance.decoded(part.raw)) is not None:
        try:
            return _at_a_glance(payload, part, accepted, is_named=sight.names_address)
        except Irregular:
            pass
    return _replaced(part, accepted, sight)


def _replaced(part: Part, accepted: Accepted, sight: screen.Sight) -> Event | None:
    """The event without the secrets it may have."""
    if sight.is_clean and (payload := regular.decoded(part.raw)) is not None:
        try:
            return _normalised(payload, part, accepted, way=ShortWay())
        except Irregular:
            pass
    return _the_long_way(part, accepted)


def _at_a_glance(payload: dict[str, Any], part: Part, accepted: Accepted, *, is_named: bool) -> Event | None:
    event = _normalised(payload, part, accepted, way=Glance())
    if event is not None:
        event.came = glance.as_it_came(part.raw, event.data, accepted.address, is_named=is_named)
        if any(note.type == DRIFT for note in event.notes):
            event.came.sent_at = part.sent_at
        event.notes = []
    return event


def in_full(event: Event) -> Event:
    """The event with its data and notes, however it was read."""
    if event.came is not None:
        whole = shown(event.came, event.event_id, event.received)
        event.data, event.notes, event.came = whole.data, whole.notes, None
    return event


def shown(came: AsItCame, event_id: str, received: int) -> Event:
    """The whole event of one that was stored as it came."""
    part, accepted = _again(came, event_id, received)
    event = _the_long_way(part, accepted)
    if event is None:
        raise TypeError("a transaction is not stored as an event")
    return event


def glanced(came: AsItCame, event_id: str, received: int) -> Event:
    """The same with no more than grouping looks at, as when it came: for whoever groups thousands again."""
    part, accepted = _again(came, event_id, received)
    payload = glance.decoded(part.raw)
    if payload is not None:
        try:
            event = _normalised(payload, part, accepted, way=Glance())
        except Irregular:
            event = None
        if event is not None:
            event.came = came
            return event
    return shown(came, event_id, received)


def _again(came: AsItCame, event_id: str, received: int) -> tuple[Part, Accepted]:
    accepted = Accepted(
        received=received,
        project_id=0,
        key_id=0,
        kind="envelope",
        encoding="",
        client="",
        address=came.address,
        agent="",
        event_id=event_id,
        body=b"",
    )
    return Part(0, bytes(came.raw), event_id, came.sent_at), accepted


def _the_long_way(part: Part, accepted: Accepted, scrubbing: Scrubbing = DEFAULT.scrubbing) -> Event | None:
    """The event of any JSON, attribute by attribute."""
    payload, remarks = _decoded(part.raw)
    if not isinstance(payload, dict):
        raise Unreadable("the event is JSON but not an object")
    looks_clean = not scrub.suspicious(part.raw)
    return _normalised(
        payload, part, accepted, remarks=tuple(remarks), looks_clean=looks_clean, scrubbing=scrubbing
    )


def _normalised(
    payload: dict[str, Any],
    part: Part,
    accepted: Accepted,
    *,
    remarks: tuple[str, ...] = (),
    looks_clean: bool = True,
    way: ShortWay | Glance | None = None,
    scrubbing: Scrubbing = DEFAULT.scrubbing,
) -> Event | None:
    if payload.get("type") == "transaction":
        return None
    sender = Sender(
        project_id=accepted.project_id,
        key_id=accepted.key_id,
        received=accepted.received,
        event_id=part.event_id or event_id(payload.get("event_id")) or accepted.event_id,
        address=accepted.address,
        sent_at=part.sent_at,
        remarks=remarks,
        looks_clean=looks_clean,
        scrubbing=scrubbing,
    )
    return normalise(payload, sender, way)


def _decoded(raw: bytes) -> Decoded:
    """Broken JSON still tells what stands in front of the break."""
    try:
        return decode(raw)
    except NotJson:
        return salvage(raw)


def digest(frame: bytes) -> str:
    """Tells a request from every other, at every delivery."""
    return hashlib.blake2b(frame, digest_size=16).hexdigest()


def _another_id(answered: str, index: int) -> str:
    """A second event in one envelope: an id of its own, the same at every delivery."""
    return hashlib.md5(f"{answered}:{index}".encode(), usedforsecurity=False).hexdigest()


def _refused(frame: bytes, accepted: Accepted, reason: str, item: int) -> Refused:
    return Refused(
        project_id=accepted.project_id,
        key_id=accepted.key_id,
        received=accepted.received,
        reason=reason,
        category="error",
        frame=frame,
        item=item,
    )


def _sentence(error: Exception) -> str:
    """The error's words as a sentence for people."""
    text = str(error).rstrip(".")[:300]
    return text[:1].upper() + text[1:] + "."
