"""A merge's job: what is there of a source goes to the survivor, first what is counted, then the events.

Everything is added where it arrives in the statement that takes it away, so the sums of both never change.
Who counts (app.store.counters) waits for the rows of issues that are held here, or for the lock of tags.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from uuid import UUID

import msgspec

from app.models import Issue, IssueMove
from app.store import counters, read, walk
from app.store.database import Cursor, array, cursor
from app.store.holding import stop_counting

#: Rows of one step.
USERS, TAGS, EVENTS = 5000, 5000, 1000

_HOURS = """
with taken as (delete from app_issuehour where issue_id = %(source)s returning hour, environment_id, events)
insert into app_issuehour as t (issue_id, hour, environment_id, events)
select %(target)s::bigint, hour, environment_id, events from taken order by hour, environment_id
on conflict (issue_id, hour, environment_id) do update set events = t.events + excluded.events"""
_COUNTS = """
update app_issue t set events = t.events + s.events,
    first_seen = least(t.first_seen, s.first_seen), last_seen = greatest(t.last_seen, s.last_seen),
    first_release_id = case when s.first_seen < t.first_seen
        then coalesce(s.first_release_id, t.first_release_id)
        else coalesce(t.first_release_id, s.first_release_id) end,
    last_release_id = case when s.last_seen > t.last_seen
        then coalesce(s.last_release_id, t.last_release_id)
        else coalesce(t.last_release_id, s.last_release_id) end
from app_issue s where t.id = %(target)s and s.id = %(source)s"""
_ZERO = "update app_issue set events = 0 where id = %(source)s"
#: `issue.users` is the number of rows, so the survivor gains what was really inserted.
_USERS = """
with taken as (
    delete from app_issueuser where issue_id = %(source)s and user_hash in (
        select user_hash from app_issueuser where issue_id = %(source)s order by user_hash limit %(most)s
    ) returning user_hash, first_seen
),
met as (
    insert into app_issueuser (issue_id, user_hash, first_seen)
    select %(target)s::bigint, user_hash, first_seen from taken order by user_hash
    on conflict do nothing returning 1
),
earlier as (
    update app_issueuser t set first_seen = taken.first_seen from taken
    where t.issue_id = %(target)s and t.user_hash = taken.user_hash and taken.first_seen < t.first_seen
),
counted as (
    update app_issue i set users = case when i.id = %(target)s then i.users + (select count(*) from met)
        else greatest(i.users - (select count(*) from taken), 0) end
    where i.id in (%(source)s, %(target)s)
)
select count(*) from taken"""
_TAGS = """
with taken as (
    delete from app_issuetag where issue_id = %(source)s and tag_id in (
        select tag_id from app_issuetag where issue_id = %(source)s order by tag_id limit %(most)s
    ) returning tag_id, events, first_seen, last_seen
),
given as (
    insert into app_issuetag as t (issue_id, tag_id, events, first_seen, last_seen)
    select %(target)s::bigint, tag_id, events, first_seen, last_seen from taken order by tag_id
    on conflict (issue_id, tag_id) do update set events = t.events + excluded.events,
        first_seen = least(t.first_seen, excluded.first_seen),
        last_seen = greatest(t.last_seen, excluded.last_seen)
)
select count(*) from taken"""
_EVENTS = """
update app_event set issue_id = %s
where day = '{day}' and project_id = %s and event_id = any (%s::uuid[]) and issue_id = %s"""


def step(move: IssueMove) -> bool:
    """One bounded piece of work on a job that the caller holds; whether that was the last one."""
    place = move.data.get("place", 0)
    source = Issue.objects.filter(pk=move.others[place]).first() if place < len(move.others) else None
    if source is None:
        move.data |= {"place": place + 1, "mark": None, "counted": False}
        return bool(place >= len(move.others))
    with cursor() as statements:
        if not move.data.get("counted"):
            move.data["counted"] = not _counts(statements, source.pk, move.survivor_id)
        elif not _events(statements, source, move):
            move.data |= {"place": place + 1, "mark": None, "counted": False}
    return False


def _counts(statements: Cursor, source: int, target: int) -> bool:
    """Takes some of what is counted of the source; whether there was any."""
    values = {"source": source, "target": target}
    stop_counting(statements, [source, target])
    if _first(statements, _USERS, values | {"most": USERS}):
        return True
    statements.execute("select pg_advisory_xact_lock(%s)", [counters.TAGS_LOCK])
    if _first(statements, _TAGS, values | {"most": TAGS}):
        return True
    statements.execute(_HOURS, values)
    statements.execute(_COUNTS, values)
    statements.execute(_ZERO, values)
    return False


def _first(statements: Cursor, sql: str, values: dict[str, int]) -> int:
    (count,) = statements.execute(sql, values).fetchone() or (0,)
    return int(count)


def _events(statements: Cursor, source: Issue, move: IssueMove) -> bool:
    """Takes the next events of the source; False when there are no more."""
    first, last = read.days(source)
    told = move.data.get("mark")
    mark = msgspec.convert(told, walk.Mark) if told else walk.start((first, last))
    rows, following = walk.batch(statements, source.pk, "1", mark, first, EVENTS)
    days: defaultdict[date, list[UUID]] = defaultdict(list)
    for day, event_id, *_ in rows:
        days[day].append(event_id)
    for day, ids in sorted(days.items()):
        values = [move.survivor_id, source.project_id, array(sorted(ids)), source.pk]
        move.done += statements.execute(_EVENTS.format(day=day), values).rowcount
    move.data["mark"] = msgspec.to_builtins(following)
    return following is not None
