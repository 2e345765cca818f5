"""The lines around a frame's own, which stay the client's bytes once they were checked."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from app.base.json import encode
from app.normalize.fields import MOST_LINES, lines
from app.normalize.limits import SHORT
from app.normalize.notes import Notes
from app.normalize.opaque import plain
from app.normalize.regular import NOTHING, Frame

_Line = Annotated[str, Meta(max_length=SHORT)]
_check_all = msgspec.json.Decoder(
    list[Annotated[list[_Line], Meta(min_length=1, max_length=MOST_LINES)]]
).decode
_read = lines(SHORT)
_before, _after = attrgetter("pre_context"), attrgetter("post_context")
#: Hashes of lines that were found good: a trace's are the same with every event of an issue. They are keyed
#: per process, so that nobody can make lines that pass for others.
_good: set[int] = set()
_MOST_GOOD = 20_000
_EMPTY = frozenset((b"null", b"[]"))


def check(frames: Sequence[Frame], path: str, notes: Notes) -> None:
    """Cuts the lines that are too long and takes away what are none. Raises Irregular."""
    found = [*map(_before, frames), *map(_after, frames)]
    if min(map(len, found)) <= 4:
        found = _without_empty(frames)
    joined = b"[%b]" % b",".join(found)
    mark = hash(joined)
    if mark in _good:
        return
    try:
        _check_all(joined)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _mend(frames, path, notes)
        return
    if len(_good) >= _MOST_GOOD:
        _good.clear()
    _good.add(mark)


def _without_empty(frames: Sequence[Frame]) -> list[Raw]:
    kept: list[Raw] = []
    for frame in frames:
        for name in ("pre_context", "post_context"):
            text: Raw = getattr(frame, name)
            if len(text) <= 4 and bytes(text) in _EMPTY:
                setattr(frame, name, NOTHING)
            elif text is not NOTHING:
                kept.append(text)
    return kept


def _mend(frames: Sequence[Frame], path: str, notes: Notes) -> None:
    for index, frame in enumerate(frames):
        for name in ("pre_context", "post_context"):
            text = getattr(frame, name)
            if text is not NOTHING:
                setattr(frame, name, _mended(text, f"{path}.{index}.{name}", notes))


def _mended(text: Raw, path: str, notes: Notes) -> Raw:
    value = plain(text)
    kept = None if value is None else _read(value, path, notes)
    return NOTHING if kept is None else Raw(encode(kept))
