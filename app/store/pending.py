"""An event on its way into the tables: what the steps of one transaction learn about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import blake2b
from typing import Literal

import msgspec

from app.base import clock
from app.event import Event, Stored
from app.store import bodies

Kind = Literal["new", "regressed", "ordinary", "duplicate", "discarded"]


class Pending(msgspec.Struct, kw_only=True):
    """One event with the numbers its row consists of. Everything below `body` is set anew by each attempt."""

    event: Event
    day: date  # of receipt: its partition
    user_hash: int | None
    dictionary: int | None
    body: bytes
    kind: Kind = "ordinary"
    keys: list[tuple[int, str]] = []  # the project with each of its hashes
    older_keys: list[tuple[int, str]] = []  # with those of what decided before, which are looked up only
    environment_id: int = 0
    release_id: int | None = None
    tag_ids: list[int] = []
    issue_id: int | None = None
    notable_id: int | None = None
    may_reopen: bool = False  # its issue is resolved
    is_counted: bool = False  # by the issue, which was made of this group's events

    @property
    def hashes(self) -> list[str]:
        """The first one is the primary hash; there is always one."""
        if self.event.grouping is None or not self.event.grouping.hashes:
            raise ValueError(f"event {self.event.event_id} has not been grouped")
        return self.event.grouping.hashes


def prepare(events: Sequence[Event]) -> list[Pending]:
    """Does what need not be done again however often the transaction is tried."""
    return [
        Pending(
            event=event,
            day=clock.day_of(event.received),
            user_hash=user_hash(event.user),
            dictionary=dictionary,
            body=body,
        )
        for event, (dictionary, body) in zip(events, bodies.pack(events), strict=True)
    ]


def ready(events: Sequence[Event | Pending]) -> list[Pending]:
    """Those that are not prepared yet are."""
    made = iter(prepare([one for one in events if isinstance(one, Event)]))
    return [one if isinstance(one, Pending) else next(made) for one in events]


def user_hash(user: str) -> int | None:
    """A user as the number it is counted by: the first 64 bits of BLAKE2b, signed; None for nobody."""
    if not user:
        return None
    return int.from_bytes(blake2b(user.encode(), digest_size=8).digest(), "big", signed=True)


def stored(row: Pending) -> Stored:
    return Stored(
        kind=row.kind,
        project_id=row.event.project_id,
        event_id=row.event.event_id,
        day=row.day.isoformat(),
        issue_id=row.issue_id,
        notable_id=row.notable_id,
    )
