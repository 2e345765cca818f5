"""Groupings of stack traces that were seen before: nearly every event is one of an issue that is known.

Only events that took the short way through app.normalize are remembered, whose frames have attributes: what
counts of a whole trace is then fetched and hashed in C. Only the hash is kept; strings are hashed with a key
of this process, so that nobody can make a trace that passes for another.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import astuple

from app.event import Grouping
from app.grouping.configs import Config, Look

#: Everything that `frames` and `stacktraces` read of a frame and of a mechanism; other frames have no more.
_COUNTS = (
    *("platform", "module", "function", "filename", "abs_path", "package"),
    *("context_line", "in_app", "lineno", "colno"),
)
#: What else a frame may hold without being told from others by more than it is worth.
_MORE = frozenset(("raw_function", "data"))
_MECHANISM = attrgetter("synthetic", "exception_id", "parent_id", "is_exception_group")

#: A frame of a trace whose in_app the rules changed: the exception's place, the frame's, what it is now.
Move = tuple[int, int, bool]


class Known(NamedTuple):
    """What is remembered of a trace."""

    grouping: Grouping
    moves: tuple[Move, ...]
    older: tuple[str, ...]
    main: int | None


def _of_mechanism(mechanism: Any) -> tuple[Any, ...]:
    """What counts of it; its error code, where Apple's systems have one, with its parts. Raises TypeError."""
    native = mechanism.meta.get("ns_error") if mechanism.meta else None
    return (*_MECHANISM(mechanism), native and (native.get("domain"), native.get("code")))


_known: dict[int, Known] = {}
_MOST = 5000


def mark(data: dict[str, Any], config: Config, older: Config | None) -> int | None:
    """Tells the exceptions of an event from others that are grouped otherwise; None where it cannot."""
    if config.rules.stack.reads_values or (older is not None and older.rules.stack.reads_values):
        return None
    try:
        chain = [
            (
                thrown.type,
                None if thrown.mechanism is None else _of_mechanism(thrown.mechanism),
                tuple(map(_readers[type(thrown.stacktrace.frames[0])], thrown.stacktrace.frames)),
            )
            for thrown in data["exception"]["values"]
        ]
    except (KeyError, AttributeError, IndexError, TypeError):  # without frames, or of the long way
        return None
    sets = config.rules.number, older and older.rules.number
    return hash((config.name, sets, data["platform"], *chain))


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
