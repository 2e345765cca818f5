"""What the pages ask for: each function is one statement, and the indexes it stands on are held by a test.

Days bound every question, because each day is a table of its own: an event is received neither before its
issue was first seen nor long after it was last seen (LATEST_RECEIPT), whatever the client's clock said.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings

from app.base import clock
from app.models import Issue
from app.store import bodies
from app.store.database import cursor, numbers

#: Older timestamps are not believed (app.normalize), so an event arrives at most this long after it happened.
LATEST_RECEIPT = timedelta(days=31)
HOUR = timedelta(hours=1)


class Place(msgspec.Struct, frozen=True):
    """Where an event is, for a link to it."""

    event_id: str  # 32 hexadecimal digits
    day: date
    received: datetime


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    """One stored event as its page needs it."""

    project_id: int
    event_id: str  # 32 hexadecimal digits
    day: date
    issue_id: int
    received: datetime
    timestamp: datetime
    level: int  # app.event.LEVELS
    title: str
    environment: str  # "" when the SDK named none
    release: str  # "" when none
    tags: dict[str, str]
    user: str  # "id:7", "" when none
    body: bodies.Body  # data, notes, grouping, culprit, metadata, …

    @property
    def data(self) -> dict[str, Any]:
        """The normalised event; its keys are in app.normalize."""
        return self.body.data

    @property
    def place(self) -> Place:
        return Place(self.event_id, self.day, self.received)


_EVENT = """
select e.project_id, e.event_id, e.day, e.issue_id, e.received, e."timestamp", e.level, e.title,
       (select name from app_environment where id = e.environment_id),
       (select version from app_release where id = e.release_id),
       (select array_agg(array[key, value] order by key) from app_tagvalue where id = any (e.tags)),
       e.dictionary, e.body
from app_event e
"""


def event(project_id: int, event_id: str, day: date | None = None) -> EventRow | None:
    """One event by its id (with or without dashes); without its day every kept day is asked, newest first."""
    hexadecimal = event_id.replace("-", "")
    if day is not None:
        sql = f"{_EVENT} where e.day = %s and e.project_id = %s and e.event_id = %s::uuid"
        return _first(sql, [day, project_id, hexadecimal])
    sql = f"""
        select found.* from (
            select day::date from generate_series(%s::date, %s::date, '-1 day') day
        ) days cross join lateral (
            {_EVENT} where e.day = days.day and e.project_id = %s and e.event_id = %s::uuid limit 1
        ) found limit 1"""
    return _first(sql, [*kept_days(), project_id, hexadecimal])


def latest(issue: Issue) -> EventRow | None:
    """The event of an issue that was received last."""
    return _first(f"{_EVENT} {_OF_ISSUE} order by e.received desc, e.event_id limit 1", _bounds(issue))


def oldest(issue: Issue) -> EventRow | None:
    """The event of an issue that was received first, of those that are still kept."""
    return _first(f"{_EVENT} {_OF_ISSUE} order by e.received, e.event_id desc limit 1", _bounds(issue))


def events_of(issue: Issue, limit: int = 50, before: Place | None = None) -> list[EventRow]:
    """Events of an issue, newest first; `before` continues behind the last one of the page above."""
    condition, values = ("", []) if before is None else (_OLDER, _keyset(before))
    sql = f"{_EVENT} {_OF_ISSUE} {condition} order by e.received desc, e.event_id limit %s"
    with cursor() as statements:
        found = statements.execute(sql, [*_bounds(issue), *values, limit]).fetchall()
    return [_row(row) for row in found]


def neighbours(issue: Issue, shown: EventRow) -> tuple[Place | None, Place | None]:
    """The events of its issue received just before and just after the one that is shown."""
    place = "select e.event_id, e.day, e.received from app_event e"
    sql = f"""
        (select 0, p.* from ({place} {_OF_ISSUE} {_OLDER} order by e.received desc, e.event_id limit 1) p)
        union all
        (select 1, p.* from ({place} {_OF_ISSUE} {_NEWER} order by e.received, e.event_id desc limit 1) p)"""
    bounds, keyset = _bounds(issue), _keyset(shown.place)
    with cursor() as statements:
        found = statements.execute(sql, [*bounds, *keyset, *bounds, *keyset]).fetchall()
    sides = {side: Place(event_id.hex, day, received) for side, event_id, day, received in found}
    return sides.get(0), sides.get(1)


def tag_distribution(issue: Issue, values: int = 10) -> dict[str, list[tuple[str, int]]]:
    """For every tag of an issue its most frequent values with their number of events, most frequent first."""
    sql = """
        select key, value, events from (
            select v.key, v.value, t.events,
                   row_number() over (partition by v.key order by t.events desc, v.value) as place
            from app_issuetag t join app_tagvalue v on v.id = t.tag_id where t.issue_id = %s
        ) ranked where place <= %s order by key, place"""
    distribution: dict[str, list[tuple[str, int]]] = {}
    with cursor() as statements:
        for key, value, events in statements.execute(sql, [issue.pk, values]):
            distribution.setdefault(key, []).append((value, events))
    return distribution


def sparklines(
    issue_ids: list[int], hours: int = 24, now: datetime | None = None, environment_id: int | None = None
) -> dict[int, list[int]]:
    """Events per hour, oldest first, the present hour last, for every issue asked for."""
    first = _hour(now or clock.now()) - HOUR * (hours - 1)
    sql = """
        select issue_id, hour, sum(events)::bigint from app_issuehour
        where issue_id = any (%s::bigint[]) and hour >= %s and hour < %s
          and (%s::bigint is null or environment_id = %s::bigint) group by issue_id, hour"""
    counts = {issue_id: [0] * hours for issue_id in issue_ids}
    values = [numbers(issue_ids), first, first + HOUR * hours, environment_id, environment_id]
    with cursor() as statements:
        for issue_id, hour, events in statements.execute(sql, values):
            counts[issue_id][(hour - first) // HOUR] = events
    return counts


def hours(issue: Issue, count: int, now: datetime | None = None) -> list[tuple[datetime, int]]:
    """Each of the last hours with the issue's events in it, oldest first."""
    first = _hour(now or clock.now()) - HOUR * (count - 1)
    line = sparklines([issue.pk], count, now)[issue.pk]
    return [(first + HOUR * place, events) for place, events in enumerate(line)]


_OF_ISSUE = "where e.day between %s and %s and e.issue_id = %s"
#: In the order of the index (received desc, event_id): behind and before a row.
_OLDER = "and e.received <= %s and (e.received < %s or e.event_id > %s::uuid)"
_NEWER = "and e.received >= %s and (e.received > %s or e.event_id < %s::uuid)"


def days(issue: Issue) -> tuple[date, date]:
    """The first and the last day that may hold its events."""
    _, first_kept = kept_days()
    first = max(issue.first_seen.date() - timedelta(days=1), first_kept)
    return first, (issue.last_seen + LATEST_RECEIPT).date()


def _bounds(issue: Issue) -> list[Any]:
    """Values for _OF_ISSUE."""
    return [*days(issue), issue.pk]


def _keyset(place: Place) -> list[Any]:
    return [place.received, place.received, place.event_id]


def kept_days() -> tuple[date, date]:
    """Newest and oldest day that may hold events (a receipt may be late: two rotations are allowed for)."""
    today = clock.now().date()
    return today + timedelta(days=1), today - timedelta(days=settings.RETENTION_DAYS + 2)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _first(sql: str, values: list[Any]) -> EventRow | None:
    with cursor() as statements:
        row = statements.execute(sql, values).fetchone()
    return None if row is None else _row(row)


def _row(row: tuple[Any, ...]) -> EventRow:
    body = bodies.unpack(row[11], row[12], row[1].hex, clock.to_micros(row[4]))
    return EventRow(
        project_id=row[0],
        event_id=row[1].hex,
        day=row[2],
        issue_id=row[3],
        received=row[4],
        timestamp=row[5],
        level=row[6],
        title=row[7],
        environment=row[8] or "",
        release=row[9] or "",
        tags=dict(row[10] or ()),
        user=body.user,
        body=body,
    )
