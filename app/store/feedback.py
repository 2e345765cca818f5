"""What people said, and which issue it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import connection

from app.base import clock
from app.item import Feedback
from app.models import Feedback as Row
from app.store.database import Cursor, array, arrays, numbers

#: A later report about the same event takes the place of an earlier one; who has resolved it has read that.
_UPSERT = f"""
insert into app_feedback (project_id, feedback_id, event_id, message, name, email, url, source, environment,
                          created)
select * from unnest({arrays("bigint uuid uuid text text text text text text timestamptz")})
on conflict (project_id, feedback_id) do update
set message = excluded.message, name = excluded.name, email = excluded.email, url = excluded.url,
    source = excluded.source, created = excluded.created, resolved = null
where app_feedback.created <= excluded.created"""
_ISSUES = """
select w.project_id, w.event_id, e.issue_id
from unnest(%s::bigint[], %s::uuid[]) w(project_id, event_id)
cross join lateral (
    select issue_id from app_event e
    where e.project_id = w.project_id and e.event_id = w.event_id and e.day >= %s limit 1
) e"""


def write(statements: Cursor, found: list[Feedback]) -> None:
    """One statement for all messages of a group; of two about the same event the later one stays."""
    newest = {(one.project_id, one.feedback_id): one for one in sorted(found, key=lambda one: one.received)}
    rows = [one for _, one in sorted(newest.items())]
    statements.execute(
        _UPSERT,
        [
            numbers(one.project_id for one in rows),
            array(one.feedback_id for one in rows),
            array(one.event_id or None for one in rows),
            [one.message for one in rows],
            [one.name for one in rows],
            [one.email for one in rows],
            [one.url for one in rows],
            [one.source for one in rows],
            [one.environment for one in rows],
            [clock.from_micros(one.received) for one in rows],
        ],
    )


def issues_of(rows: Sequence[Row]) -> dict[int, int]:
    """The number of the issue that each message is about, by the message's; one statement."""
    about = [row for row in rows if row.event_id]
    if not about:
        return {}
    # An event may come some time before what is said of it; older ones are not looked for.
    earliest = min(row.created for row in about).date() - timedelta(days=31)
    with connection.cursor() as cursor:
        cursor.execute(
            _ISSUES, [[row.project_id for row in about], [row.event_id for row in about], earliest]
        )
        issues = {(project, event): issue for project, event, issue in cursor.fetchall()}
    return {
        row.pk: issues[row.project_id, row.event_id]
        for row in about
        if (row.project_id, row.event_id) in issues
    }


def of_event(project_id: int, event_id: str) -> Iterable[Row]:
    """What was said about an event."""
    return Row.objects.filter(project_id=project_id, event_id=event_id).order_by("created")[:20]
