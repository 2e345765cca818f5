"""When a group cannot be stored: finding the one event that is to blame, so that its neighbours are kept."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from django.db import DataError, IntegrityError

from app.event import Counted, Event, Refused, Stored
from app.item import Once
from app.store.pending import Pending, prepare
from app.store.record import record

#: What an event that should not exist can raise on its way into the tables. A table that is missing, say,
#: is not among it: the whole group fails then, and is tried again.
FAULTS = (
    DataError,
    IntegrityError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    struct.error,
    msgspec.MsgspecError,
)


One = TypeVar("One", Event, Event | Pending)
Done = TypeVar("Done", Pending, Stored)


class Culprit(msgspec.Struct, frozen=True):
    """An event that cannot be stored, and why, in a sentence."""

    event: Event
    reason: str


class Recorded(msgspec.Struct, frozen=True):
    """What became of a group, and what of it cannot be stored."""

    stored: list[Stored]
    culprits: list[Culprit] = []
    requests: dict[str, str] = {}  # by the key of what else they bring: why that cannot be stored


def prepare_apart(events: Sequence[Event]) -> tuple[list[Pending], list[Culprit]]:
    """Events made ready to be recorded, and those that no body can be made of.

    Raises django.db.OperationalError when PostgreSQL is away.
    """
    return _apart(prepare, events) if events else ([], [])


def record_apart(
    events: Sequence[Event | Pending],
    refused: Sequence[Refused] = (),
    counted: Sequence[Counted] = (),
    onces: Sequence[Once] = (),
) -> Recorded:
    """Like `record`, but what cannot be stored comes back with the reason and its neighbours are kept.

    Raises django.db.OperationalError when PostgreSQL is away, and other errors that are nobody's fault.
    """
    with_items = [one for one in onces if one.items]
    try:
        return Recorded(record(events, refused, counted, onces))
    except FAULTS:
        if not events and not with_items:
            raise
    record((), refused, counted, [one for one in onces if not one.items])
    requests = {}
    for one in with_items:
        try:
            record((), onces=[one])
        except FAULTS as error:
            requests[one.key] = _sentence(error)
    return Recorded(*_apart(record, events), requests)


def _apart(
    work: Callable[[Sequence[One]], list[Done]], events: Sequence[One]
) -> tuple[list[Done], list[Culprit]]:
    """Tries smaller and smaller parts: about 2 log n transactions for each culprit."""
    try:
        return work(events), []
    except FAULTS as error:
        if len(events) == 1:
            event = events[0].event if isinstance(events[0], Pending) else events[0]
            return [], [Culprit(event, _sentence(error))]
    middle = len(events) // 2
    done, culprits = _apart(work, events[:middle])
    more_done, more_culprits = _apart(work, events[middle:])
    return done + more_done, culprits + more_culprits


def _sentence(error: Exception) -> str:
    return f"Storing failed with {type(error).__name__}: {error}"[:500]
