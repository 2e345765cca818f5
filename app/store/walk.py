"""An issue's events, or a project's, from the newest to the oldest, in batches that go on where one ended.

A batch asks one day after the other, by the index on (issue, received, event id): each day is a table of its
own, and named in the text only that one is planned and locked.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

from app.store.database import Cursor, Row

_BATCH = """
select {columns} from app_event e where e.day = '{day}' and e.{of} = %s {beyond}
order by e.received desc, e.event_id limit %s"""
_BEYOND = "and e.received <= %s and (e.received < %s or e.event_id > %s::uuid)"


class Mark(msgspec.Struct, frozen=True):
    """Where a walk stands: behind this event of the day, or before its first one."""

    day: str  # ISO
    received: str = ""  # ISO, with the zone
    event_id: str = ""


def start(days: tuple[date, date]) -> Mark:
    return Mark(days[1].isoformat())


def batch(  # noqa: PLR0917 what a batch is
    statements: Cursor, of: int, columns: str, mark: Mark, first: date, most: int, *, by: str = "issue_id"
) -> tuple[list[Row], Mark | None]:
    """At most so many rows and where the next batch begins; None behind the last day.

    Each row begins with day, event id and time of receipt, then the columns.
    """
    rows: list[Row] = []
    day = date.fromisoformat(mark.day)
    while day >= first:
        beyond: list[Any] = [mark.received, mark.received, mark.event_id] if mark.received else []
        sql = _BATCH.format(
            columns=f"e.day, e.event_id, e.received, {columns}",
            day=day,
            of=by,
            beyond=_BEYOND if beyond else "",
        )
        rows += statements.execute(sql, [of, *beyond, most - len(rows)]).fetchall()
        if len(rows) >= most:
            last = rows[-1]
            return rows, Mark(last[0].isoformat(), last[2].isoformat(), last[1].hex)
        day -= timedelta(days=1)
        mark = Mark(day.isoformat())
    return rows, None
