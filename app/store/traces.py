"""Transactions and spans, by the day they were received on.

A transaction's spans stay together in its row; streamed spans are rows of their own, of which the first of a
service is a transaction as well. How long they took is counted in app.store.durations.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from app.base import clock
from app.item import Item, Span, Transaction
from app.normalize.spans import FINE
from app.normalize.transactions import plain_name
from app.store import durations
from app.store.database import Cursor, ask
from app.store.database import json as encode
from app.store.durations import Asked, Took

_SPANS = """
copy app_span (day, project_id, trace_id, span_id, parent_id, name, op, status, started, duration,
               environment, release, is_segment, attributes) from stdin"""
_TRANSACTIONS = """
copy app_transaction (day, project_id, trace_id, span_id, parent_id, name, op, status, started, duration,
                      environment, release, event_id, spans, body) from stdin"""


def write(statements: Cursor, found: list[Item]) -> None:
    """Keeps both kinds; a fixed number of statements."""
    streamed = [one for one in found if isinstance(one, Span)]
    whole = [one for one in found if isinstance(one, Transaction)]
    if streamed:
        with statements.copy(_SPANS) as copying:
            for span in streamed:
                row = (*_place(span), span.name, *_rest(span), span.is_segment, encode(span.attributes))
                copying.write_row(row)
    segments = [span for span in streamed if span.is_segment]
    if whole or segments:
        with statements.copy(_TRANSACTIONS) as copying:
            for one in whole:
                copying.write_row((*_place(one), one.name, *_rest(one), one.event_id, one.spans, one.body))
            for span in segments:
                copying.write_row((*_place(span), _name(span), *_rest(span), _event_id(span), 0, None))
        durations.append(statements, [*map(_took, whole), *map(_took, segments)])


def _place(one: Span | Transaction) -> tuple[Any, ...]:
    return clock.day_of(one.received), one.project_id, one.trace_id, one.span_id, one.parent_id


def _rest(one: Span | Transaction) -> tuple[Any, ...]:
    return one.op, one.status, clock.from_micros(one.started), one.duration, one.environment, one.release


def _name(one: Span | Transaction) -> str:
    """What a transaction is counted by: a streamed one may be called by its address."""
    return plain_name(one.name)[:200] if isinstance(one, Span) else one.name


def _event_id(span: Span) -> str:
    """An id of its own, the same at every delivery."""
    return md5(f"{span.trace_id}{span.span_id}".encode(), usedforsecurity=False).hexdigest()


def _took(one: Span | Transaction) -> Took:
    failed = one.status not in FINE
    return Took(one.project_id, _name(one), one.op, one.environment, one.started, one.duration, failed)


# -- what the pages ask for --------------------------------------------------------------------------------

#: A transaction is received at most so long after it began (app.normalize.times).
LATEST_RECEIPT, DAY = timedelta(days=31), timedelta(days=1)
#: Transactions and streamed spans of one trace that are looked at.
MOST_OF_TRACE, MOST_SPANS = 200, 2000
_ROW = """
select t.day, t.project_id, t.event_id, t.trace_id, t.span_id, t.parent_id, t.name, t.op, t.status, t.started,
       t.duration, t.environment, t.release, t.spans"""
_SLOWEST = f"""
{_ROW}, null::bytea from app_transaction t
where t.day between %(first)s and %(last)s and t.project_id = any (%(projects)s) and t.name = %(name)s
  and t.op = %(op)s and t.started >= %(since)s
  and (%(environment)s::text is null or t.environment = %(environment)s)
order by t.duration desc, t.id limit %(limit)s"""
_TRACE = f"""
{_ROW}, t.body from app_transaction t
where t.day between %(first)s and %(last)s and t.trace_id = %(trace)s and t.project_id = any (%(projects)s)
order by t.started, t.id limit {MOST_OF_TRACE}"""
_TRACE_SPANS = f"""
select t.project_id, t.span_id, t.parent_id, t.name, t.op, t.status, t.started, t.duration, t.attributes
from app_span t
where t.day between %(first)s and %(last)s and t.trace_id = %(trace)s and t.project_id = any (%(projects)s)
order by t.started, t.id limit {MOST_SPANS}"""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One transaction."""

    day: date
    project_id: int
    event_id: UUID
    trace_id: UUID
    span_id: str
    parent_id: str
    name: str
    op: str
    status: str
    started: datetime
    duration: int  # µs
    environment: str
    release: str
    spans: int
    body: bytes | None


class SpanRow(msgspec.Struct, frozen=True, array_like=True):
    """One streamed span."""

    project_id: int
    span_id: str
    parent_id: str
    name: str
    op: str
    status: str
    started: datetime
    duration: int  # µs
    attributes: dict[str, Any]


def slowest(asked: Asked, limit: int = 20) -> list[Row]:
    """Of one name and op."""
    bounds = {"first": asked.since.date(), "last": clock.now().date() + DAY, "limit": limit}
    return [msgspec.convert(row, Row) for row in _rows(_SLOWEST, asked, **bounds)]


def of_trace(
    projects: list[int], trace_id: str, around: datetime | None = None
) -> tuple[list[Row], list[SpanRow]]:
    """Everything of one trace in these projects; two statements. Without a time every kept day is asked."""
    now = clock.now()
    first = (around - DAY) if around else now - timedelta(days=settings.RETENTION_DAYS)
    last = min(now, around + LATEST_RECEIPT) if around else now
    asked = Asked(projects=projects, since=first)
    bounds = {"first": first.date(), "last": last.date() + DAY, "trace": trace_id}
    whole = [msgspec.convert(row, Row) for row in _rows(_TRACE, asked, **bounds)]
    spans = [
        msgspec.convert((*row[:8], _object(row[8])), SpanRow) for row in _rows(_TRACE_SPANS, asked, **bounds)
    ]
    return whole, spans


def _object(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _rows(sql: str, asked: Asked, **more: Any) -> list[tuple[Any, ...]]:
    return ask(sql, {**msgspec.structs.asdict(asked), **more})
