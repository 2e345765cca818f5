"""When a group cannot be stored: finding the one event that is to blame, so that its neighbours are kept."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import msgspec
from django.db import DataError, IntegrityError

from app.event import Counted, Event, Refused, Stored
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


class Culprit(msgspec.Struct, frozen=True):
    """An event that cannot be stored, and why, in a sentence."""

    event: Event
    reason: str


def record_apart(
    events: Sequence[Event],
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
    return _halved(events)


def _halved(events: Sequence[Event]) -> tuple[list[Stored], list[Culprit]]:
    """Tries smaller and smaller parts: about 2 log n transactions for each culprit."""
    try:
        return record(events), []
    except FAULTS as error:
        if len(events) == 1:
            return [], [Culprit(events[0], f"Storing failed with {type(error).__name__}: {error}"[:500])]
    middle = len(events) // 2
    stored, culprits = _halved(events[:middle])
    more_stored, more_culprits = _halved(events[middle:])
    return stored + more_stored, culprits + more_culprits
