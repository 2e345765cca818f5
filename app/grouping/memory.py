"""Groupings of stack traces that were seen before: nearly every event is one of an issue that is known.

Only hashes of what counts are kept (see app.grouping.places): of the frames, of where the same place comes
twice in a row, of the exceptions' types and what their mechanisms say of them.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from app.event import Grouping
from app.grouping.configs import Config, Look
from app.grouping.stacktraces import repeated

#: Everything that `frames` and `stacktraces` read of a frame that came the short way, and of a mechanism.
_COUNTS = (
    *("platform", "module", "function", "filename", "abs_path", "package"),
    *("context_line", "in_app", "lineno", "colno"),
)
#: What else a frame may hold without being told from others by more than it is worth.
_MORE = frozenset(("raw_function", "data"))
_SAID = ("synthetic", "exception_id", "parent_id", "is_exception_group")
_MECHANISM = attrgetter(*_SAID)

#: A frame of a trace whose in_app the rules changed: the exception's place, the frame's, what it is now.
Move = tuple[int, int, bool]


class Known(NamedTuple):
    """What is remembered of a trace."""

    grouping: Grouping
    moves: tuple[Move, ...]
    older: tuple[str, ...]
    main: int | None


_known: dict[int, Known] = {}
_MOST = 5000


def mark(look: Look, older: Config | None) -> int | None:
    """Tells the exceptions of an event from others that are grouped otherwise; None where it cannot."""
    data, rules = look.data, look.config.rules
    if rules.stack.reads_values or (older is not None and older.rules.stack.reads_values):
        return None
    chain = []
    for thrown in data["exception"]["values"] if "exception" in data else ():
        trace = thrown.get("stacktrace")
        if trace is None:
            return None
        chain.append((thrown.get("type"), _of_mechanism(thrown.get("mechanism")), _of_trace(trace, look)))
    if not chain:
        return None
    return hash((look.config.name, rules.number, older and older.rules.number, data["platform"], *chain))


def _of_trace(trace: dict[str, Any], look: Look) -> tuple[Any, ...]:
    """What counts of its frames, fetched and hashed in C where they came the short way."""
    frames = trace["frames"]
    if not frames or type(frames[0]) is dict:
        return (*look.keys(trace), *repeated(frames))
    return tuple(map(_readers[type(frames[0])], frames))


def _of_mechanism(mechanism: Any) -> object:
    """What counts of it; its error code, where Apple's systems have one, with its parts."""
    if mechanism is None:
        return None
    meta = mechanism.get("meta")
    native = repr(meta.get("ns_error")) if meta else None
    if type(mechanism) is not dict:
        return _MECHANISM(mechanism), native
    return tuple(map(mechanism.get, _SAID)), native


class _Readers(dict[type, Callable[[Any], tuple[Any, ...]]]):
    """How what counts of a frame is fetched: all of it at once, where there is little else in it."""

    def __missing__(self, frame: type) -> Callable[[Any], tuple[Any, ...]]:
        is_brief = issubclass(frame, msgspec.Struct) and set(frame.__struct_fields__) - _MORE == set(_COUNTS)
        self[frame] = found = astuple if is_brief else attrgetter(*_COUNTS)
        return found


_readers = _Readers()


def recall(mark: int) -> Known | None:
    """What was remembered; the grouping is a copy: what becomes of one event's must not touch the others'."""
    found = _known.get(mark)
    return found and found._replace(grouping=_copy(found.grouping))


def remember(mark: int, looks: list[Look], found: Known) -> None:
    """Keeps a grouping, unless messages, which the mark does not know, count in it as well."""
    if any(look.reads_messages for look in looks):
        return
    if len(_known) >= _MOST:
        _known.clear()
    _known[mark] = found._replace(grouping=_copy(found.grouping))


def _copy(grouping: Grouping) -> Grouping:
    return Grouping(grouping.config, [*grouping.hashes], [*grouping.variants], [*grouping.fingerprint])


def forget() -> None:
    _known.clear()
