"""What a page needs beside the columns: the normalised event as JSON, compressed with zstd.

A body may have been compressed with a dictionary, named by its number in the row; dictionaries are
versioned per platform family and stay readable as long as any row names them.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import msgspec

from app.base import clock
from app.event import Event, Grouping, Note
from app.models import BodyDictionary

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: Higher levels save 3 % of a body and cost half as much time again.
LEVEL = 1
#: For how long a process may go on with the dictionary it knows, after a newer one was trained.
STALE_AFTER = 60 * 1_000_000  # µs
_newest: dict[str, tuple[int, tuple[int, zstd.ZstdDict] | None]] = {}  # family: (asked at, what was found)
_loaded: dict[int, zstd.ZstdDict] = {}


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


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Body).decode


def pack(event: Event) -> tuple[int | None, bytes]:
    """The number of the dictionary that was used, if any, and the compressed body."""
    body = Body(
        kind=event.kind,
        platform=event.platform,
        culprit=event.culprit,
        metadata=event.metadata,
        transaction=event.transaction,
        user=event.user,
        key_id=event.key_id,
        data=event.data,
        notes=event.notes,
        grouping=event.grouping,
    )
    newest = _newest_for(family(event.platform))
    return (newest[0] if newest else None), _compress(_encode(body), newest)


def unpack(dictionary: int | None, body: bytes) -> Body:
    """The body as it was packed; raises BodyDictionary.DoesNotExist when its dictionary is gone."""
    if dictionary is None:
        return _decode(zstd.decompress(body))
    return _decode(zstd.decompress(body, zstd_dict=_load(dictionary)))


def family(platform: str) -> str:
    """Platforms whose events look alike share a dictionary."""
    return {"node": "javascript", "cocoa": "native", "objc": "native", "c": "native", "swift": "native"}.get(
        platform, platform
    )


def forget() -> None:
    """Looks for newer dictionaries with the next body, not only after STALE_AFTER."""
    _newest.clear()
    _loaded.clear()
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
        number = BodyDictionary.objects.filter(family=name).order_by("-version").values_list("pk").first()
        found = (number[0], _load(number[0])) if number else None
        _newest[name] = now, found
    return found


def _load(number: int) -> zstd.ZstdDict:
    if number not in _loaded:
        _loaded[number] = zstd.ZstdDict(bytes(BodyDictionary.objects.get(pk=number).content))
    return _loaded[number]
