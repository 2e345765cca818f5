"""Files of events.

They lie in the database, in days that are dropped whole, like the events they belong to: one thing to back
up, one retention, and no file left behind by a row that is gone. PostgreSQL keeps what is larger than 2 KB
out of the row, here without trying to compress it. A file is bounded by what one request may hold.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from operator import attrgetter

import msgspec
from django.db import connection

from app.base import clock
from app.item import Attachment
from app.store.database import Cursor, arrays

_INSERT = f"""
insert into app_attachment (day, project_id, event_id, received, name, content_type, kind, size, content)
select * from unnest({arrays("date bigint uuid timestamptz text text text int bytea")})"""
#: Around the day of its event a file is looked for: it may come before the event, or long after it.
BEFORE, AFTER = timedelta(days=1), timedelta(days=31)
_LISTED = """
select id, day, name, content_type, kind, size from app_attachment
where project_id = %s and event_id = %s and day between %s and %s order by id limit 200"""
_ONE = """
select name, content_type, content from app_attachment
where project_id = %s and event_id = %s and day between %s and %s and id = %s"""


class Listed(msgspec.Struct, frozen=True):
    """A file without its bytes."""

    id: int
    day: date
    name: str
    content_type: str
    kind: str
    size: int  # bytes


class File(msgspec.Struct, frozen=True):
    name: str
    content_type: str
    content: bytes


def write(statements: Cursor, found: list[Attachment]) -> None:
    """One statement for all files of a group."""
    found = sorted(found, key=attrgetter("project_id", "event_id"))
    moments = [clock.from_micros(one.received) for one in found]
    statements.execute(
        _INSERT,
        [
            [at.date() for at in moments],
            [one.project_id for one in found],
            [one.event_id for one in found],
            moments,
            [one.name for one in found],
            [one.content_type for one in found],
            [one.kind for one in found],
            [len(one.content) for one in found],
            [one.content for one in found],
        ],
        binary=True,
    )


def listed(project_id: int, event_id: str, received: datetime) -> list[Listed]:
    """The files of an event that was received then."""
    day = received.date()
    with connection.cursor() as cursor:
        cursor.execute(_LISTED, [project_id, event_id, day - BEFORE, day + AFTER])
        return [Listed(*row) for row in cursor.fetchall()]


def file(project_id: int, event_id: str, received: datetime, number: int) -> File | None:
    """One of them with its bytes."""
    day = received.date()
    with connection.cursor() as cursor:
        cursor.execute(_ONE, [project_id, event_id, day - BEFORE, day + AFTER, number])
        row = cursor.fetchone()
    return File(row[0], row[1], bytes(row[2])) if row else None
