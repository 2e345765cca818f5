"""Which writer keeps which kind of item."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from app import item
from app.base import clock
from app.item import Item
from app.store import attachments, checkins, feedback, logs, sessions, traces
from app.store.database import Cursor

#: Each writer takes all items of its kind that a group brought, in one call, and sends a fixed number of
#: statements. They run in this order everywhere, so that two groups never wait for each other in a circle.
WRITERS: list[tuple[tuple[type[Item], ...], Callable[[Cursor, list[Any]], None]]] = [
    ((item.Feedback,), feedback.write),
    ((item.CheckIn,), checkins.write),
    ((item.Attachment,), attachments.write),
    ((item.Log,), logs.write),
    ((item.Session, item.Sessions), sessions.write),
    ((item.Span, item.Transaction), traces.write),
]


def write(statements: Cursor, items: list[Item]) -> None:
    """Keeps the items of requests that were never applied before."""
    if not items:
        return
    for kinds, writer in WRITERS:
        if own := [one for one in items if type(one) in kinds]:
            writer(statements, own)


def days(items: Iterable[Item]) -> set[date]:
    """The partitions they go to."""
    sessions = (item.Session, item.Sessions)
    return {clock.day_of(one.started if isinstance(one, sessions) else one.received) for one in items}
