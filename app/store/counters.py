"""What events moved, counted (see app.store.folding). Tables are written in the order of their keys."""

from __future__ import annotations

from functools import partial

from app.store import folding
from app.store.database import Cursor

#: Whoever folds holds this lock (first eight bytes of "tocsinfold" and of "tocsintags", as numbers).
COUNTS_LOCK, TAGS_LOCK = 0x746F6373696E666F, 0x746F6373696E7461

_TAKEN = """
with taken as (
    delete from {table} where id in (select id from {table} where not broken order by id limit %s) returning *
),"""

#: The newest event says what its issue looks like.
_NEWEST = "when to_timestamp(f.at / 1e6) >= i.last_seen then"
#: What belongs to an issue, a release or a project that was deleted meanwhile is counted no more.
_COUNTS = f"""{_TAKEN.format(table="app_tally")}
moved as materialized (
    select u.* from taken, unnest(
        taken.issues, taken.at, taken.environments, taken.releases, taken.users, taken.kinds
    ) as u (issue_id, at, environment_id, release_id, user_hash, kind)
),
sums as materialized (
    select issue_id, count(*) filter (where kind = 0) as events, min(at) as first, max(at) as last
    from moved group by issue_id
),
locked as materialized (
    select id, project_id from app_issue where id in (select issue_id from sums) order by id for no key update
),
face as materialized (
    select distinct on (f.issue) f.*, r.id as known from taken, json_to_recordset(taken.faces::json)
        as f (issue bigint, at bigint, title text, culprit text, metadata jsonb, level int, release bigint)
    left join app_release r on r.id = f.release order by f.issue, f.at desc
),
met as (
    insert into app_issueuser (issue_id, user_hash, first_seen)
    select issue_id, user_hash, to_timestamp(min(at) / 1e6) from moved join locked on locked.id = issue_id
    where user_hash is not null group by issue_id, user_hash order by issue_id, user_hash
    on conflict do nothing returning issue_id
),
hours as (
    insert into app_issuehour as t (issue_id, hour, environment_id, events)
    select issue_id, to_timestamp(at / 3600000000 * 3600), environment_id, count(*)
    from moved join locked on locked.id = issue_id group by 1, 2, 3 order by 1, 2, 3
    on conflict (issue_id, hour, environment_id) do update set events = t.events + excluded.events
),
releases as (
    insert into app_releaseproject as t (release_id, project_id, first_seen, last_seen, events, new_issues)
    select m.release_id, l.project_id, to_timestamp(min(at) / 1e6), to_timestamp(max(at) / 1e6), count(*),
        count(*) filter (where kind = 2)
    from moved m join locked l on l.id = m.issue_id join app_release r on r.id = m.release_id
    group by 1, 2 order by 1, 2
    on conflict (release_id, project_id) do update set
        events = t.events + excluded.events, new_issues = t.new_issues + excluded.new_issues,
        first_seen = least(t.first_seen, excluded.first_seen),
        last_seen = greatest(t.last_seen, excluded.last_seen)
),
outcomes as (
    insert into app_outcome as t (project_id, key_id, hour, category, outcome, reason, quantity)
    select (o ->> 0)::bigint, (o ->> 1)::bigint, to_timestamp((o ->> 2)::bigint / 1e6),
        o ->> 3, o ->> 4, o ->> 5, sum((o ->> 6)::bigint)
    from taken, json_array_elements(taken.outcomes::json) o join app_project p on p.id = (o ->> 0)::bigint
    group by 1, 2, 3, 4, 5, 6 order by 1, 3, 4, 5, 6, 2
    on conflict (project_id, hour, category, outcome, reason, key_id)
    do update set quantity = t.quantity + excluded.quantity
),
changed as (
    update app_issue i set events = i.events + s.events, users = i.users + coalesce(u.users, 0),
        first_seen = least(i.first_seen, to_timestamp(s.first / 1e6)),
        last_seen = greatest(i.last_seen, to_timestamp(s.last / 1e6)),
        title = case {_NEWEST} f.title else i.title end,
        culprit = case {_NEWEST} f.culprit else i.culprit end,
        metadata = case {_NEWEST} f.metadata else i.metadata end,
        level = case {_NEWEST} f.level else i.level end,
        last_release_id = case {_NEWEST} coalesce(f.known, i.last_release_id) else i.last_release_id end
    from locked join sums s on s.issue_id = locked.id
        left join (select issue_id, count(*) as users from met group by 1) u on u.issue_id = locked.id
        left join face f on f.issue = locked.id
    where i.id = locked.id
)
select count(*) from taken"""

_TAGS = f"""{_TAKEN.format(table="app_tagtally")}
moved as (
    select u.issue_id, g.tag_id, u.at
    from taken, unnest(taken.issues, taken.at, taken.tags) as u (issue_id, at, tags),
        unnest(u.tags::bigint[]) as g (tag_id)
),
counted as (
    insert into app_issuetag as t (issue_id, tag_id, events, first_seen, last_seen)
    select issue_id, tag_id, count(*), to_timestamp(min(at) / 1e6), to_timestamp(max(at) / 1e6)
    from moved where issue_id in (select id from app_issue)
    group by issue_id, tag_id order by issue_id, tag_id
    on conflict (issue_id, tag_id) do update set events = t.events + excluded.events,
        first_seen = least(t.first_seen, excluded.first_seen),
        last_seen = greatest(t.last_seen, excluded.last_seen)
)
select count(*) from taken"""


def fold() -> int:
    """Counts what waits for issues, hours, users, releases and outcomes; how many tallies that were."""
    return folding.fold("app_tally", COUNTS_LOCK, partial(_count, _COUNTS))


def fold_tags() -> int:
    """The same for tags."""
    return folding.fold("app_tagtally", TAGS_LOCK, partial(_count, _TAGS))


def settle() -> None:
    """When this returns, everything is counted that was stored before it was called."""
    folding.fold("app_tally", COUNTS_LOCK, partial(_count, _COUNTS), patiently=True)
    folding.fold("app_tagtally", TAGS_LOCK, partial(_count, _TAGS), patiently=True)


def _count(sql: str, statements: Cursor, most: int) -> int:
    (count,) = statements.execute(sql, [most]).fetchone() or (0,)
    return int(count)
