"""One transaction per group of events, with a fixed number of statements whatever its size.

Ordinary events write no row that another group writes as well: what they move is appended as a tally
(app.store.tallies) and counted later, so a flood of one issue makes nobody wait. What is rare takes its locks
in the same order everywhere: new names, projects (only to make an issue), events, issues that come back;
within a table by key. So concurrent groups never wait for each other in a circle.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date

import msgspec
from django.db import IntegrityError, InternalError, OperationalError, transaction

from app.event import Counted, Event, Refused, Stored
from app.item import Once
from app.store import issues, items, names, news, outcomes, partitions, quarantine, rows, seen, tallies
from app.store.database import Cursor, cursor, is_missing_day, numbers, sqlstate
from app.store.pending import Pending, ready, stored

log = logging.getLogger(__name__)

#: How often a group is tried when others were faster: each time it sees what they wrote.
TRIES = 6
#: So often beside others; a group that met the same events in another one again and again then has the
#: tables to itself. Everyone holds this lock, shared or alone (eight bytes of "tocsinrec" as a number).
SIDE_BY_SIDE = 3
LOCK = 0x746F6373696E7265
DEADLOCK, SERIALIZATION, UNIQUE, FOREIGN_KEY, CHECK = "40P01", "40001", "23505", "23503", "23514"
READ_ONLY = "25006"  # a standby, for as long as it is one

_PROJECTS = """
select id, organization_id, first_event is null, {lock}(%s) from app_project where id = any (%s::bigint[])"""


class Group(msgspec.Struct):
    """What one transaction records."""

    rows: list[Pending]
    refused: Sequence[Refused]
    onces: Sequence[Once]

    def projects(self) -> set[int]:
        return {
            *(row.event.project_id for row in self.rows),
            *(one.project_id for one in self.refused),
            *(one.project_id for once in self.onces for one in once.counts),
            *(one.project_id for once in self.onces for one in once.items),
        }

    def days(self) -> set[date]:
        """The partitions it needs."""
        brought = items.days(one for once in self.onces for one in once.items)
        return {row.day for row in self.rows} | outcomes.days(self.onces) | brought


def record(
    events: Sequence[Event | Pending],
    refused: Sequence[Refused] = (),
    counted: Sequence[Counted] = (),
    onces: Sequence[Once] = (),
) -> list[Stored]:
    """Stores a group, all of it or nothing, and says for each event what became of it, in the same order.

    Idempotent: an event is stored once per (project, event id), and counters move only for rows that were
    really inserted. Raises django.db.OperationalError when PostgreSQL is away, and whatever one impossible
    event raises (see app.store.apart).
    """
    if not (events or refused or counted or onces):
        return []
    group = Group(ready(events), refused, [*onces, *outcomes.unkeyed(counted)])
    attempt = 1
    while not _tried(group, attempt):
        attempt += 1
    return [stored(row) for row in group.rows]


def _tried(group: Group, attempt: int) -> bool:
    """One attempt; False when another one is worth while."""
    try:
        with transaction.atomic(), cursor() as statements:
            _write(statements, group, alone=attempt > SIDE_BY_SIDE)
    except (IntegrityError, OperationalError) as error:
        if attempt == TRIES or not _mend(error, group):
            raise
        return False
    except InternalError as error:
        if sqlstate(error) != READ_ONLY:
            raise
        raise OperationalError("PostgreSQL takes no writes at the moment") from error
    return True


def _write(statements: Cursor, group: Group, *, alone: bool) -> None:
    """All statements of the transaction, in the order of locks; what it learns stands in the group's rows."""
    organizations, waiting = _projects(statements, group, alone)
    present = [row for row in group.rows if _reset(row, row.event.project_id in organizations)]
    fresh, repeats = seen.split(statements, present)
    names.number(statements, fresh, organizations)
    issues.assign(statements, fresh, waiting)
    kept = [row for row in fresh if row.kind != "discarded"]
    rows.copy(statements, kept)
    news.reopen(statements, kept)
    news.write(statements, kept)
    filed = quarantine.file(statements, [one for one in group.refused if one.project_id in organizations])
    onces = [
        *group.onces,
        *outcomes.ended(repeats, "filtered", "duplicate"),
        *outcomes.ended((row for row in fresh if row.kind == "discarded"), "filtered", "discarded-hash"),
    ]
    applied = outcomes.apply(statements, onces)
    items.write(
        statements, [one for once in applied for one in once.items if one.project_id in organizations]
    )
    counted = [one for once in applied for one in once.counts if one.project_id in organizations]
    others = outcomes.summed([*outcomes.quarantined(filed), *counted])
    tallies.append(statements, kept, outcomes.accepted(kept) + others)


def _projects(statements: Cursor, group: Group, alone: bool) -> tuple[dict[int, int], set[int]]:
    """The organization of every project that (still) exists, and those that have had no event so far."""
    wanted = group.projects()
    sql = _PROJECTS.format(lock="pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared")
    found = statements.execute(sql, [LOCK, numbers(sorted(wanted))]).fetchall()
    if gone := wanted - {project for project, *_ in found}:
        log.info("dropped what came for projects that are gone: %s", sorted(gone))
    return {row[0]: row[1] for row in found}, {row[0] for row in found if row[2]}


def _reset(row: Pending, exists: bool) -> bool:
    """Forgets what an earlier attempt learned. An event of a project that is gone belongs nowhere."""
    row.kind = "ordinary" if exists else "discarded"
    row.issue_id = row.notable_id = None
    row.is_counted = row.may_reopen = False
    return exists


def _mend(error: Exception, group: Group) -> bool:
    """Whether another attempt can end differently; makes it so where something has to be done first."""
    state = sqlstate(error)
    if state == CHECK and is_missing_day(error):
        partitions.create(sorted(group.days()))
        return True
    if state == FOREIGN_KEY:  # something was deleted meanwhile, perhaps what the names stand for
        names.forget()
    return state in {DEADLOCK, SERIALIZATION, UNIQUE, FOREIGN_KEY}
