"""What somebody should hear of: issues that are new, and resolved ones that came back.

An event reopens its issue when it happened after the resolution. If the issue was resolved in a release, the
event must also name one that is not older (known for longer): what names none may come from before the mend.
"""

from __future__ import annotations

from app.base import clock
from app.store.database import Cursor, array, arrays, json, numbers
from app.store.pending import Pending

#: The first event of the group that may reopen each issue.
_REOPEN = f"""
with locked as materialized (
    select id from app_issue where id = any (%s::bigint[]) order by id for no key update
), returning_event as (
    select distinct on (u.issue_id) u.issue_id, u.place
    from unnest({arrays("bigint bigint bigint")}) with ordinality as u (issue_id, at, release_id, place)
    join locked on locked.id = u.issue_id join app_issue i on i.id = u.issue_id
    left join app_release mended on mended.id = i.resolved_in_id
    left join app_release seen on seen.id = u.release_id
    where i.status = 'resolved'
      and (i.resolved_at is null or i.resolved_at < to_timestamp(u.at / 1e6))
      and (mended.id is null or seen.id = mended.id or seen.created >= mended.created)
    order by u.issue_id, u.place
)
update app_issue i set status = 'unresolved', substatus = 'regressed',
    resolved_at = null, resolved_in_id = null
from returning_event e where i.id = e.issue_id and i.status = 'resolved'
returning e.place"""

_ACTIVITY = f"""
insert into app_activity (issue_id, kind, cause, at, data)
select i, k, c, to_timestamp(a / 1e6), d::jsonb
from unnest({arrays("bigint text text bigint text")}) u(i, k, c, a, d)
on conflict do nothing"""

_NOTABLE = f"""
insert into app_notable (issue_id, kind, event_id, day, created)
select i, k, e, d, %s from unnest({arrays("bigint text uuid date")}) u(i, k, e, d)
on conflict do nothing returning id, issue_id, kind"""


def reopen(statements: Cursor, rows: list[Pending]) -> None:
    """Marks the events that brought a resolved issue back as "regressed"."""
    rows = [row for row in rows if row.may_reopen]
    if not rows:
        return
    issues = numbers(row.issue_id or 0 for row in rows)
    values = [
        issues,
        issues,
        numbers(row.event.timestamp for row in rows),
        array(row.release_id for row in rows),
    ]
    for (place,) in statements.execute(_REOPEN, values):
        rows[place - 1].kind = "regressed"


def write(statements: Cursor, rows: list[Pending]) -> None:
    """The history and the announcement of each, in the transaction that makes it true."""
    news = {(row.issue_id, row.kind): row for row in rows if row.kind in {"new", "regressed"}}
    if not news:
        return
    told = list(news.values())
    issues = numbers(row.issue_id or 0 for row in told)
    kinds = [row.kind for row in told]
    activities = [
        issues,
        ["first_seen" if kind == "new" else kind for kind in kinds],
        [f"event:{row.event.event_id}" for row in told],
        numbers(row.event.timestamp for row in told),
        [json({"event_id": row.event.event_id, "day": row.day.isoformat()}) for row in told],
    ]
    statements.execute(_ACTIVITY, activities)
    places = [array(row.event.event_id for row in told), array(row.day for row in told)]
    for notable_id, issue_id, kind in statements.execute(_NOTABLE, [clock.now(), issues, kinds, *places]):
        news[issue_id, kind].notable_id = notable_id
