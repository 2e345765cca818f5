"""Events that change their issue take along what they count: hours, tags, users, first and last moment.

For callers who hold the issues and the lock of tags (app.store.holding), once all these events were counted.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from app.models import Issue
from app.store import bodies
from app.store.database import Cursor, array, arrays, columns

#: By the primary key: joined to a list of ids, the whole day was read for each batch.
_WHERE = "where day = '{day}' and project_id = %s and event_id = any (%s::uuid[])"
_IN = f"select event_id, issue_id from app_event {_WHERE} for no key update"
_EVENTS = f"update app_event set issue_id = %s {_WHERE}"
_HOURS_LESS = f"""
update app_issuehour t set events = greatest(t.events - u.events, 0)
from unnest({arrays("bigint timestamptz bigint bigint")}) u(issue_id, hour, environment_id, events)
where t.issue_id = u.issue_id and t.hour = u.hour and t.environment_id = u.environment_id"""
_HOURS_MORE = f"""
insert into app_issuehour as t (issue_id, hour, environment_id, events)
select * from unnest({arrays("bigint timestamptz bigint bigint")}) order by 1, 2, 3
on conflict (issue_id, hour, environment_id) do update set events = t.events + excluded.events"""
_TAGS_LESS = f"""
update app_issuetag t set events = greatest(t.events - u.events, 0)
from unnest({arrays("bigint bigint bigint")}) u(issue_id, tag_id, events)
where t.issue_id = u.issue_id and t.tag_id = u.tag_id"""
_ISSUES_LESS = f"""
update app_issue t set events = greatest(t.events - u.events, 0)
from unnest({arrays("bigint bigint")}) u(issue_id, events) where t.id = u.issue_id"""
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
    """One event of a batch, the issue it is in and the one it goes to."""

    source: int
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


def take(statements: Cursor, project_id: int, leaving: list[Moved]) -> list[Moved]:
    """Gives the events to their targets; those that really were in their issues until now."""
    gone: list[Moved] = []
    for day in sorted({one.day for one in leaving}):
        of_day = {one.event_id: one for one in leaving if one.day == day}
        found = statements.execute(_IN.format(day=day), [project_id, array(sorted(of_day))]).fetchall()
        gone += [of_day[event_id] for event_id, issue in found if of_day[event_id].source == issue]
    for day, target in sorted({(one.day, one.target) for one in gone}):
        ids = sorted(one.event_id for one in gone if (one.day, one.target) == (day, target))
        statements.execute(_EVENTS.format(day=day), [target, project_id, array(ids)])
    return gone


def count(statements: Cursor, moved: list[Moved]) -> None:
    """Takes from their issues what these events count, and gives it to those they went to."""
    if not moved:
        return
    less = Counter((one.source, _hour(one.at), one.environment) for one in moved)
    hours = Counter((one.target, _hour(one.at), one.environment) for one in moved)
    statements.execute(_HOURS_LESS, _lists([(*key, n) for key, n in less.items()], 4))
    statements.execute(_HOURS_MORE, _lists([(*key, n) for key, n in hours.items()], 4))
    tags: dict[tuple[int, int], list[datetime]] = {}
    users: dict[tuple[int, int], datetime] = {}
    for one in moved:
        for tag in one.tags:
            tags.setdefault((one.target, tag), []).append(one.at)
        if one.user is not None:
            users[one.target, one.user] = min(one.at, users.get((one.target, one.user), one.at))
    fewer = Counter((one.source, tag) for one in moved for tag in one.tags)
    statements.execute(_TAGS_LESS, _lists([(*key, n) for key, n in fewer.items()], 3))
    statements.execute(_TAGS_MORE, _lists([(*key, len(at), min(at), max(at)) for key, at in tags.items()], 5))
    statements.execute(_MET, _lists([(*key, at) for key, at in users.items()], 3))
    statements.execute(_ISSUES_LESS, _lists(list(Counter(one.source for one in moved).items()), 2))
    _faces(moved)


def _faces(moved: list[Moved]) -> None:
    """What issues show of the events that they got; what is newest or oldest already stays."""
    got: dict[int, list[Moved]] = {}
    for one in moved:
        got.setdefault(one.target, []).append(one)
    issues = Issue.objects.in_bulk(got)
    for number, issue in issues.items():
        _show(issue, got[number])
    Issue.objects.bulk_update(issues.values(), _SHOWN)


_SHOWN = (
    "events", "first_seen", "last_seen", "first_release", "last_release", "title", "culprit", "metadata",
    "level", "kind", "platform",
)  # fmt: skip


def _show(issue: Issue, moved: list[Moved]) -> None:
    oldest, newest = min(moved, key=lambda one: one.at), max(moved, key=lambda one: one.at)
    if newest.at >= issue.last_seen:
        issue.title, issue.level = newest.title, newest.level
        issue.culprit, issue.metadata = newest.head.culprit[:200], newest.head.metadata
        issue.kind, issue.platform = newest.head.kind, newest.head.platform[:32]
        issue.last_release_id = newest.release or issue.last_release_id
    if oldest.at < issue.first_seen:
        issue.first_release_id = oldest.release or issue.first_release_id
    issue.events += len(moved)
    issue.first_seen, issue.last_seen = min(oldest.at, issue.first_seen), max(newest.at, issue.last_seen)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _lists(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in columns(sorted(rows), width)]
