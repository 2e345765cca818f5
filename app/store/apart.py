"""When a group cannot be stored: finding the one event that is to blame, so that its neighbours are kept."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from django.db import DataError, IntegrityError

from app.event import Counted, Event, Refused, Stored
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


def prepare_apart(events: Sequence[Event]) -> tuple[list[Pending], list[Culprit]]:
    """Events made ready to be recorded, and those that no body can be made of.

    Raises django.db.OperationalError when PostgreSQL is away.
    """
    return _apart(prepare, events) if events else ([], [])


def record_apart(
    events: Sequence[Event | Pending],
    refused: Sequence[Refused] = (),
    counted: Sequence[Counted] = (),
    counts: Sequence[tuple[str, list[Counted]]] = (),
) -> tuple[list[Stored], list[Culprit]]:
    """Like `record`, but an event that cannot be stored comes back as a culprit and its neighbours are kept.

    Raises django.db.OperationalError when PostgreSQL is away, and other errors that are no event's fault.
    """
    try:
        return record(events, refused, counted, counts), []
    except FAULTS:
        if not events:
            raise
    record((), refused, counted, counts)
    return _apart(record, events)


def _apart(
    work: Callable[[Sequence[One]], list[Done]], events: Sequence[One]
) -> tuple[list[Done], list[Culprit]]:
    """Tries smaller and smaller parts: about 2 log n transactions for each culprit."""
    try:
        return work(events), []
    except FAULTS as error:
        if len(events) == 1:
            event = events[0].event if isinstance(events[0], Pending) else events[0]
            return [], [Culprit(event, f"Storing failed with {type(error).__name__}: {error}"[:500])]
    middle = len(events) // 2
    done, culprits = _apart(work, events[:middle])
    more_done, more_culprits = _apart(work, events[middle:])
    return done + more_done, culprits + more_culprits
