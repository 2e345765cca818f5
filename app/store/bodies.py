"""What a page needs beside the columns: the event as JSON, compressed with zstd.

It is the normalised event or, where nothing had to be replaced, the client's own JSON (app.normalize.glance),
which is normalised when it is read.

A body may have been compressed with a dictionary, named by its number in the row: another event of its issue
(app.store.bases), or else what was trained for its platform family (app.store.training). Both are versioned
and stay readable as long as any row names them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from app.base import clock
from app.base.zstandard import zstd
from app.event import AsItCame, Event, Grouping, Note
from app.models import BodyDictionary
from app.normalize.read import glanced, shown
from app.store import bases

#: Higher levels save 3 % of a body and cost half as much time again.
LEVEL = 1
#: For how long a process may go on with the dictionary it knows, after a newer one was trained.
STALE_AFTER = 60 * 1_000_000  # µs
_newest: dict[str, tuple[int, tuple[int, zstd.ZstdDict] | None]] = {}  # family: (asked at, what was found)
_loaded: dict[int, zstd.ZstdDict] = {}  # those that are trained, which are few
#: Bases that were read last, so that leafing through the events of an issue reads its base once.
_read: dict[int, zstd.ZstdDict] = {}
MOST_READ = 64


class _Compressors(threading.local):
    """One per dictionary and thread: making one costs as much as compressing a body with it."""

    def __init__(self) -> None:
        self.of: dict[int | None, zstd.ZstdCompressor] = {}


_compressors = _Compressors()


class Body(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Everything of an event that is not a column of its row. Fields are only ever added, with defaults."""

    kind: str = "error"
    platform: str = ""
    culprit: str = ""
    metadata: dict[str, str] = {}
    transaction: str = ""
    user: str = ""
    key_id: int | None = None
    data: dict[str, Any] = {}
    notes: list[Note] = []
    grouping: Grouping | None = None
    came: AsItCame | None = None  # `data` and `notes` are made of it


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Body).decode


def pack(events: Sequence[Event]) -> list[tuple[int | None, bytes]]:
    """For each event the number of the dictionary that was used, if any, and the compressed body."""
    raws = [_encode(_body(event)) for event in events]
    return [
        (base.number, bases.compress(raw, base)) if base else _pack_alone(event, raw)
        for event, raw, base in zip(events, raws, bases.of(events, raws), strict=True)
    ]


def _pack_alone(event: Event, raw: bytes) -> tuple[int | None, bytes]:
    newest = _newest_for(family(event.platform))
    return (newest[0] if newest else None), _compress(raw, newest)


def _body(event: Event) -> Body:
    came = event.came
    return Body(
        kind=event.kind,
        platform=event.platform,
        culprit=event.culprit,
        metadata=event.metadata,
        transaction=event.transaction,
        user=event.user,
        key_id=event.key_id,
        data={} if came else event.data,
        notes=event.notes,
        grouping=event.grouping,
        came=came,
    )


def unpack(dictionary: int | None, body: bytes, event_id: str = "", received: int = 0) -> Body:
    """The body with its data, of an event with this id and time of receipt (µs).

    Raises BodyDictionary.DoesNotExist when its dictionary is gone.
    """
    found = _decode(unpacked(dictionary, body))
    if found.came:
        event = shown(found.came, event_id, received)
        found.data, found.notes = event.data, event.notes
    return found


def to_group(dictionary: int | None, body: bytes, event_id: str, received: int) -> tuple[Event, Grouping]:
    """An event with as much of it as grouping looks at, and how it was grouped; without its tags.

    Raises BodyDictionary.DoesNotExist, and ValueError for an event that was never grouped.
    """
    found = _decode(unpacked(dictionary, body))
    if found.grouping is None:
        raise ValueError(f"event {event_id} has not been grouped")
    if found.came:
        return glanced(found.came, event_id, received), found.grouping
    return _bare(found, event_id, received), found.grouping


def _bare(body: Body, event_id: str, received: int) -> Event:
    return Event(
        project_id=0,
        key_id=0,
        event_id=event_id,
        kind=body.kind,  # type: ignore[arg-type]
        received=received,
        timestamp=received,
        level="error",
        platform=body.platform,
        title="",
        culprit=body.culprit,
        metadata=body.metadata,
        environment="",
        release="",
        transaction=body.transaction,
        tags={},
        user=body.user,
        data=body.data,
    )


def unpacked(dictionary: int | None, body: bytes) -> bytes:
    """Its JSON."""
    if dictionary is None:
        return zstd.decompress(body)
    if dictionary in _loaded:
        return zstd.decompress(body, zstd_dict=_loaded[dictionary])
    if dictionary not in _read:
        row = BodyDictionary.objects.get(pk=dictionary)
        if row.project_id is None:
            _loaded[dictionary] = zstd.ZstdDict(bytes(row.content))
            return zstd.decompress(body, zstd_dict=_loaded[dictionary])
        while len(_read) >= MOST_READ:
            _read.pop(next(iter(_read)), None)
        _read[dictionary] = bases.content(row)
    return zstd.decompress(body, zstd_dict=_read[dictionary].as_prefix)


class _Platform(msgspec.Struct):
    platform: str = ""


_platform = msgspec.json.Decoder(_Platform).decode


def platform(raw: bytes) -> str:
    """Which one an unpacked body came from."""
    return _platform(raw).platform


class Head(msgspec.Struct):
    """What an issue shows of its newest event, and what says which issue that is."""

    kind: str = "error"
    platform: str = ""
    culprit: str = ""
    metadata: dict[str, str] = {}
    grouping: Hashes | None = None


class Hashes(msgspec.Struct):
    hashes: list[str] = []


_head = msgspec.json.Decoder(Head).decode


def head(dictionary: int | None, body: bytes) -> Head:
    """The little that is needed to move an event. Raises BodyDictionary.DoesNotExist like `unpack`."""
    return _head(unpacked(dictionary, body))


def family(platform: str) -> str:
    """Platforms whose events look alike share a dictionary."""
    return {"node": "javascript", "cocoa": "native", "objc": "native", "c": "native", "swift": "native"}.get(
        platform, platform
    )


def forget() -> None:
    """Looks for newer dictionaries with the next body, not only after STALE_AFTER."""
    _newest.clear()
    _loaded.clear()
    _read.clear()
    bases.forget()
    _compressors.of.clear()


def _compress(raw: bytes, using: tuple[int, zstd.ZstdDict] | None) -> bytes:
    number, dictionary = using or (None, None)
    compressor = _compressors.of.get(number)
    if compressor is None:
        compressor = _compressors.of[number] = zstd.ZstdCompressor(LEVEL, zstd_dict=dictionary)
    return compressor.compress(raw, zstd.ZstdCompressor.FLUSH_FRAME)


def _newest_for(name: str) -> tuple[int, zstd.ZstdDict] | None:
    now = clock.micros()
    asked, found = _newest.get(name, (0, None))
    if asked + STALE_AFTER < now:
        number = (
            BodyDictionary.objects.filter(project=None, family=name)
            .order_by("-version")
            .values_list("pk")
            .first()
        )
        found = (number[0], _load(number[0])) if number else None
        _newest[name] = now, found
    return found


def _load(number: int) -> zstd.ZstdDict:
    if number not in _loaded:
        _loaded[number] = zstd.ZstdDict(bytes(BodyDictionary.objects.get(pk=number).content))
    return _loaded[number]
