"""Which events of a group are stored already."""

from __future__ import annotations

from datetime import date, timedelta

from app.store.database import Cursor, array, arrays, numbers
from app.store.pending import Pending

Identity = tuple[int, str]  # project, event id


def split(statements: Cursor, rows: list[Pending]) -> tuple[list[Pending], list[Pending]]:
    """Events to store, and those that a client sent again (received at another moment than what is stored).

    An id is looked for on the day of its receipt and on the days beside it, because clients send again
    around midnight too. The same receipt met again is a redelivered group: it is in neither list.
    """
    received = _stored(statements, rows) if rows else {}
    fresh: list[Pending] = []
    repeats: list[Pending] = []
    for row in rows:
        identity = row.event.project_id, row.event.event_id
        if identity not in received:
            received[identity] = row.event.received
            fresh.append(row)
            continue
        row.kind = "duplicate"
        if received[identity] != row.event.received:
            repeats.append(row)
    return fresh, repeats


def _stored(statements: Cursor, rows: list[Pending]) -> dict[Identity, int]:
    """When those that are there were received, in microseconds."""
    days = {row.day + timedelta(days=beside) for row in rows for beside in (-1, 0, 1)}
    values = [
        numbers(row.event.project_id for row in rows),
        array(row.event.event_id for row in rows),
    ]
    return {
        (rows[place - 1].event.project_id, rows[place - 1].event.event_id): received
        for place, received in statements.execute(_question(frozenset(days)), values)
    }


def _question(days: frozenset[date]) -> str:
    """The days stand in the text, so that the plan knows their partitions and no other is locked."""
    day = """select (extract(epoch from received) * 1000000)::bigint as received from app_event
             where day = '{}' and project_id = u.project_id and event_id = u.event_id"""
    return f"""
        select u.place, e.received
        from unnest({arrays("bigint uuid")}) with ordinality as u (project_id, event_id, place)
        cross join lateral ({" union all ".join(day.format(one) for one in sorted(days))}) e"""
