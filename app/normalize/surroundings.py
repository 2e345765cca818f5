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
from app.normalize.opaque import plain, reads
from app.normalize.regular import NOTHING, Frame

_Line = Annotated[str, Meta(max_length=SHORT)]
_Lines = Annotated[list[_Line], Meta(min_length=1, max_length=MOST_LINES)]
_check_all = msgspec.json.Decoder(list[_Lines]).decode
_check = msgspec.json.Decoder(_Lines).decode
_read = lines(SHORT)
_before, _after = attrgetter("pre_context"), attrgetter("post_context")
#: Hashes of lines that were found good: a trace's are the same with every event of an issue. They are keyed
#: per process, so that nobody can make lines that pass for others.
_good: set[int] = set()
_MOST_GOOD = 20_000


def check(frames: Sequence[Frame], path: str, notes: Notes) -> None:
    """Cuts the lines that are too long and takes away what are none. Raises Irregular."""
    joined = b",".join([*map(_before, frames), *map(_after, frames)])
    mark = hash(joined)
    if mark in _good:
        return
    if not _are_good(b"[%b]" % joined) and _mend(frames, path, notes):
        return
    if len(_good) >= _MOST_GOOD:
        _good.clear()
    _good.add(mark)


def _are_good(joined: bytes) -> bool:
    """Whether nothing is to be done; a frame without lines makes it False as well."""
    try:
        _check_all(joined)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _mend(frames: Sequence[Frame], path: str, notes: Notes) -> bool:
    """Whether some lines were changed."""
    changed = False
    for index, frame in enumerate(frames):
        for name in ("pre_context", "post_context"):
            text: Raw = getattr(frame, name)
            if text is not NOTHING and not reads(_check, text):
                setattr(frame, name, _mended(text, f"{path}.{index}.{name}", notes))
                changed = True
    return changed


def _mended(text: Raw, path: str, notes: Notes) -> Raw:
    value = plain(text)
    kept = None if value is None else _read(value, path, notes)
    return NOTHING if kept is None else Raw(encode(kept))
