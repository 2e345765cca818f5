"""Work for later, as rows: nothing is ever delayed inside the broker."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from app.base import clock
from app.models import DueTask

#: Rows queued in one transaction.
AT_ONCE = 100

Publish = Callable[[str, Sequence[Any], str, int], None]


def put(task: str, args: Sequence[Any], *, after_seconds: float = 0, key: str = "", attempt: int = 0) -> None:
    """A row that makes the task run when it is due; the same key waits only once."""
    plain, body = split(args)
    DueTask.objects.bulk_create(
        [
            DueTask(
                task=task,
                args=plain,
                body=body,
                due=clock.now() + timedelta(seconds=after_seconds),
                attempt=attempt,
                key=key or uuid.uuid4().hex,
            )
        ],
        ignore_conflicts=True,
    )


def dispatch(publish: Publish) -> int:
    """Publish what is due, a hundred rows at most, and forget it; how many rows that were.

    Rows somebody else is dispatching are passed over. A row is gone only when the broker has confirmed its
    message: killed in between, it is published again under the same message id.
    """
    with transaction.atomic():
        rows = list(
            DueTask.objects.select_for_update(skip_locked=True)
            .filter(due__lte=clock.now())
            .order_by("due", "pk")[:AT_ONCE]
        )
        for row in rows:
            publish(row.task, join(row.args, row.body), f"due-{row.pk}", row.attempt)
        DueTask.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def split(args: Sequence[Any]) -> tuple[list[Any], bytes | None]:
    """Arguments as a row keeps them: a group's bytes on their own, since JSON has none."""
    return ([], args[0]) if args and isinstance(args[0], bytes) else (list(args), None)


def join(args: Sequence[Any] | None, body: bytes | memoryview | None) -> tuple[Any, ...]:
    """The arguments again."""
    return (bytes(body),) if body is not None else tuple(args or ())
