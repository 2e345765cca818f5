"""Events that change their issue take along what they count: hours, tags, users, first and last moment.

For callers who hold the issues and the lock of tags (app.store.holding), once all these events were counted.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import F
from django.db.models.functions import Greatest

from app.models import Issue
from app.store import bodies
from app.store.database import Cursor, array, arrays, columns

#: By the primary key: joined to a list of ids, the whole day was read for each batch.
_EVENTS = """
update app_event set issue_id = %s
where day = '{day}' and project_id = %s and event_id = any (%s::uuid[]) and issue_id = %s
returning event_id"""
_HOURS_LESS = f"""
update app_issuehour t set events = greatest(t.events - u.events, 0)
from unnest({arrays("timestamptz bigint bigint")}) u(hour, environment_id, events)
where t.issue_id = %s and t.hour = u.hour and t.environment_id = u.environment_id"""
_HOURS_MORE = f"""
insert into app_issuehour as t (issue_id, hour, environment_id, events)
select * from unnest({arrays("bigint timestamptz bigint bigint")}) order by 1, 2, 3
on conflict (issue_id, hour, environment_id) do update set events = t.events + excluded.events"""
_TAGS_LESS = f"""
update app_issuetag t set events = greatest(t.events - u.events, 0)
from unnest({arrays("bigint bigint")}) u(tag_id, events) where t.issue_id = %s and t.tag_id = u.tag_id"""
_TAGS_MORE = f"""
insert into app_issuetag as t (issue_id, tag_id, events, first_seen, last_seen)
select * from unnest({arrays("bigint bigint bigint timestamptz timestamptz")}) order by 1, 2
on conflict (issue_id, tag_id) do update set events = t.events + excluded.events,
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen)"""
_MET = f"""
with given as (
    select * from unnest({arrays("bigint bigint timestamptz")}) u(issue_id, user_hash, first_seen)
),
met as (
    insert into app_issueuser (issue_id, user_hash, first_seen)
    select issue_id, user_hash, first_seen from given order by 1, 2 on conflict do nothing returning issue_id
),
earlier as (
    update app_issueuser t set first_seen = g.first_seen from given g
    where t.issue_id = g.issue_id and t.user_hash = g.user_hash and g.first_seen < t.first_seen
)
update app_issue i set users = i.users + n.users
from (select issue_id, count(*) as users from met group by 1) n where i.id = n.issue_id"""


class Moved(msgspec.Struct):
    """One event of a batch, and where it goes."""

    day: date
    event_id: UUID
    at: datetime
    environment: int
    release: int | None
    user: int | None
    level: int
    title: str
    tags: list[int]
    head: bodies.Head
    target: int


def take(statements: Cursor, project_id: int, issue: int, leaving: list[Moved]) -> list[Moved]:
    """Gives the events to their targets; those that really were the issue's until now."""
    gone: set[UUID] = set()
    for day, target in sorted({(one.day, one.target) for one in leaving}):
        ids = sorted(one.event_id for one in leaving if (one.day, one.target) == (day, target))
        values = [target, project_id, array(ids), issue]
        gone |= {one for (one,) in statements.execute(_EVENTS.format(day=day), values)}
    return [one for one in leaving if one.event_id in gone]


def count(statements: Cursor, issue: int, moved: list[Moved]) -> None:
    """Takes from the issue what these events count, and gives it to those they went to."""
    if not moved:
        return
    hours = Counter((one.target, _hour(one.at), one.environment) for one in moved)
    less = Counter((_hour(one.at), one.environment) for one in moved)
    statements.execute(_HOURS_LESS, [*_lists([(*key, n) for key, n in less.items()], 3), issue])
    statements.execute(_HOURS_MORE, _lists([(*key, n) for key, n in hours.items()], 4))
    tags: dict[tuple[int, int], list[datetime]] = {}
    users: dict[tuple[int, int], datetime] = {}
    for one in moved:
        for tag in one.tags:
            tags.setdefault((one.target, tag), []).append(one.at)
        if one.user is not None:
            users[one.target, one.user] = min(one.at, users.get((one.target, one.user), one.at))
    fewer = Counter(tag for one in moved for tag in one.tags)
    statements.execute(_TAGS_LESS, [*_lists(list(fewer.items()), 2), issue])
    statements.execute(_TAGS_MORE, _lists([(*key, len(at), min(at), max(at)) for key, at in tags.items()], 5))
    statements.execute(_MET, _lists([(*key, at) for key, at in users.items()], 3))
    Issue.objects.filter(pk=issue).update(events=Greatest(F("events") - len(moved), 0))
    for target in sorted({one.target for one in moved}):
        _face(target, [one for one in moved if one.target == target])


def _face(target: int, moved: list[Moved]) -> None:
    """What an issue shows of the events that it got; what is newest or oldest already stays."""
    issue = Issue.objects.get(pk=target)
    oldest, newest = min(moved, key=lambda one: one.at), max(moved, key=lambda one: one.at)
    if newest.at >= issue.last_seen:
        _look_like(issue, newest)
        issue.last_release_id = newest.release or issue.last_release_id
    if oldest.at < issue.first_seen:
        issue.first_release_id = oldest.release or issue.first_release_id
    issue.events += len(moved)
    issue.first_seen, issue.last_seen = min(oldest.at, issue.first_seen), max(newest.at, issue.last_seen)
    issue.save(
        update_fields=[
            "events", "first_seen", "last_seen", "first_release", "last_release", "title", "culprit",
            "metadata", "level", "kind", "platform",
        ]
    )  # fmt: skip


def _look_like(issue: Issue, event: Moved) -> None:
    issue.title, issue.level = event.title, event.level
    issue.culprit, issue.metadata = event.head.culprit[:200], event.head.metadata
    issue.kind, issue.platform = event.head.kind, event.head.platform[:32]


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _lists(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in columns(sorted(rows), width)]
