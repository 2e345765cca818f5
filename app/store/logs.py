"""Log records: copied in, and found again by time, words, severity and trace."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from app.base import clock
from app.base.text import like
from app.item import Log
from app.store.database import Cursor, json

_COPY = """
copy app_log (day, project_id, "timestamp", severity, trace_id, span_id, environment, release, body,
              attributes) from stdin"""
_FOUND = """
select l.id, l.day, l.project_id, l."timestamp", l.severity, l.trace_id, l.span_id, l.environment, l.release,
       l.body, l.attributes
from unnest(%(projects)s::bigint[]) p(id)
cross join lateral (
    select * from app_log l
    where l.project_id = p.id and l.day between %(first)s and %(last)s and l."timestamp" >= %(since)s
          {conditions}
    order by l."timestamp" desc, l.id desc limit %(limit)s
) l
order by l."timestamp" desc, l.id desc limit %(limit)s"""
#: A record is received at most so long after it was written (app.normalize.times).
LATEST_RECEIPT, DAY = timedelta(days=31), timedelta(days=1)


class Asked(msgspec.Struct, kw_only=True):
    """Which records are wanted. `before` is the place (time and number) behind which the page begins."""

    projects: list[int]
    since: datetime
    words: str = ""
    least: int = 1  # severity
    trace: str = ""  # 32 hex
    environment: str = ""
    before: tuple[datetime, int] | None = None
    limit: int = 100


class Row(msgspec.Struct, frozen=True, array_like=True):
    id: int
    day: date
    project_id: int
    timestamp: datetime
    severity: int
    trace_id: str  # 32 hex, "" when none
    span_id: str
    environment: str
    release: str
    body: str
    attributes: dict[str, Any]


def write(statements: Cursor, found: list[Log]) -> None:
    """One COPY for all records of a group."""
    with statements.copy(_COPY) as copying:
        for one in found:
            copying.write_row(
                (
                    clock.from_micros(one.received).date(),
                    one.project_id,
                    clock.from_micros(one.timestamp),
                    one.severity,
                    one.trace_id or None,
                    one.span_id,
                    one.environment,
                    one.release,
                    one.body,
                    json(one.attributes),
                )
            )


def search(asked: Asked) -> list[Row]:
    """The newest first; one statement."""
    conditions, values = _conditions(asked)
    with connection.cursor() as cursor:
        cursor.execute(_FOUND.format(conditions=conditions), values)
        return [
            msgspec.convert((*row[:5], row[5].hex if row[5] else "", *row[6:10], _json(row[10])), Row)
            for row in cursor.fetchall()
        ]


def _conditions(asked: Asked) -> tuple[str, dict[str, Any]]:
    now = clock.now()
    values: dict[str, Any] = {
        "projects": asked.projects,
        "since": asked.since,
        "first": asked.since.date(),
        "last": min(now, (asked.before[0] if asked.before else now) + LATEST_RECEIPT).date() + DAY,
        "limit": asked.limit,
    }
    parts = []
    if asked.words:
        parts.append("l.body ilike %(words)s")
        values["words"] = like(asked.words)
    if asked.least > 1:
        parts.append("l.severity >= %(least)s")
        values["least"] = asked.least
    if asked.trace:
        parts.append("l.trace_id = %(trace)s")
        values["trace"] = asked.trace
    if asked.environment:
        parts.append("l.environment = %(environment)s")
        values["environment"] = asked.environment
    if asked.before:
        parts.append('(l."timestamp", l.id) < (%(at)s, %(id)s)')
        values["at"], values["id"] = asked.before
    return "".join(f" and {part}" for part in parts), values


def _json(bag: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(bag) if isinstance(bag, str | bytes) else bag
    return found
