"""Groupings of stack traces that were seen before: nearly every event is one of an issue that is known.

Only hashes of what counts are kept (see app.grouping.places): of the frames, of where the same place comes
twice in a row, of the exceptions' types and what their mechanisms say of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from app.event import Grouping
from app.grouping.configs import Config, Look
from app.grouping.stacktraces import repeated

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
        frames = trace["frames"]
        said = _of_mechanism(thrown.get("mechanism"))
        chain.append((thrown.get("type"), said, *look.keys(trace), *repeated(frames)))
    if not chain:
        return None
    return hash((look.config.name, rules.number, older and older.rules.number, data["platform"], *chain))


def _of_mechanism(mechanism: Any) -> object:
    """What counts of it; its error code, where Apple's systems have one, with its parts."""
    if mechanism is None:
        return None
    get = mechanism.get
    meta = get("meta")
    native = repr(meta.get("ns_error")) if meta else None
    return get("synthetic"), get("exception_id"), get("parent_id"), get("is_exception_group"), native


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
