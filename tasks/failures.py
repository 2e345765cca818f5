"""What becomes of a task that failed: another try later, or a row for a person to look at.

The message is acknowledged when this is stored, and not before: a failed task must not be a lost one.
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from celery.exceptions import Reject
from celery.worker import state
from django.core.cache import cache
from django.db import DataError, InterfaceError, OperationalError, connection, transaction

from app.base import clock
from app.base.text import storable
from app.models import FailedTask
from tasks import due, queues
from tasks.catalogue import Spec

log = logging.getLogger(__name__)

#: What the clock starts at least this often (seconds) needs no retry of its own.
OFTEN = 60
LONGEST_WAIT = 3600  # seconds between two tries
#: Seconds to wait for a database that is away, holding the message; RabbitMQ takes it back after 30 minutes.
PATIENCE = 900


def refuse_killers(request: Any) -> None:
    """Raises Reject, without requeueing, for a message whose worker died each time it was tried.

    Quorum queues count this themselves; this holds for the others too.
    """
    if not (request.delivery_info or {}).get("redelivered"):
        return
    key = f"tries:{request.id}"
    try:
        cache.add(key, 0, timeout=86_400)
        tries = cache.incr(key)
    except Exception as error:  # noqa: BLE001 - no cache, no counting: the task must run all the same
        log.warning("Redeliveries are not counted: %s", error)
        return
    if tries > queues.DELIVERY_LIMIT:
        raise Reject(f"came back {tries} times from workers that died", requeue=False)


def note(spec: Spec, args: Sequence[Any], request: Any, error: Exception) -> None:
    """Store the next try, or after the last one the failure. Raises Reject when neither can be stored."""
    if spec.every and spec.every <= OFTEN:
        log.error("%s failed; its next beat tries again", spec.name, exc_info=error)
        return
    attempt = request.retries or 0
    again = attempt < spec.retries
    wait = pause(attempt)
    log.error(
        "%s%s failed, try %s of %s%s",
        spec.name,
        shown(args),
        attempt + 1,
        spec.retries + 1,
        f", again in {wait:.0f} s" if again else ", given up",
        exc_info=error,
    )
    if again:
        key = f"retry:{request.id}:{attempt + 1}"
        persist(lambda: due.put(spec.name, args, after_seconds=wait, key=key, attempt=attempt + 1))
    else:
        persist(lambda: give_up(spec.name, args, request.id, error))


def pause(attempt: int) -> float:
    """Seconds before the next try: 2, 4, 8 … up to an hour, each between half and whole of that."""
    return float(min(2 ** (attempt + 1), LONGEST_WAIT)) * random.uniform(0.5, 1)  # noqa: S311


def give_up(task: str, args: Sequence[Any], message_id: str, error: Exception | str) -> None:
    """A row in the table of failures, once per message."""
    plain, body = due.split(args)
    row = FailedTask(
        task=task,
        message_id=message_id[:64],
        args=plain,
        body=body,
        error=words(error),
        failed=clock.now(),
    )
    try:
        with transaction.atomic():
            FailedTask.objects.bulk_create([row], ignore_conflicts=True)
    except (DataError, TypeError):  # arguments no JSON column takes: keep them as bytes
        row.args, row.body = None, json.dumps(plain, default=repr).encode()
        FailedTask.objects.bulk_create([row], ignore_conflicts=True)


def replay(failed_id: int) -> bool:
    """Queue a failed task once more; False when it is gone, unreadable or was replayed before."""
    with transaction.atomic():
        row = FailedTask.objects.select_for_update().filter(pk=failed_id, replayed=None).first()
        if row is None or row.args is None:
            return False
        due.put(row.task, due.join(row.args, row.body), key=f"replay:{row.pk}")
        row.replayed = clock.now()
        row.save(update_fields=["replayed"])
    return True


def persist(write: Callable[[], None]) -> None:
    """Do the writing, waiting for a database that is away.

    Raises Reject, so that the message goes back to its queue, when the worker is told to stop meanwhile or
    the wait gets too long.
    """
    patience, pause_ = time.monotonic() + PATIENCE, 0.1
    while True:
        try:
            drop_stale_connection()
            connection.health_check_done = True  # type: ignore[attr-defined] # the writing itself will tell
            return write()
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if stopping() or time.monotonic() > patience:
                raise Reject(f"the database is away: {error}", requeue=True) from error
            log.warning("The database is away (%s); waiting, so that no failure is lost", error)
        time.sleep(pause_)
        pause_ = min(pause_ * 2, 5)


def drop_stale_connection() -> None:
    """Makes the next query open a new connection where the old one broke or has grown old."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def stopping() -> bool:
    """Whether this worker was told to end."""
    return state.should_stop is not None or state.should_terminate is not None


def words(error: Exception | str) -> str:
    """The error as a row keeps it: bounded, and without what PostgreSQL refuses."""
    return storable(error if isinstance(error, str) else f"{type(error).__name__}: {error}")[:4000]


def shown(args: Sequence[Any]) -> str:
    """Arguments in short, for the log; a group only by its size."""
    parts = [f"<{len(arg)} bytes>" if isinstance(arg, bytes) else repr(arg) for arg in args]
    return f"({', '.join(parts)})"[:200]
