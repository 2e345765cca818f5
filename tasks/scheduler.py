"""Celery beat, one per installation: a second one waits until the first is gone."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.beat import PersistentScheduler
from django.conf import settings
from django.db import Error, connection

from tasks import queues
from tasks.application import app
from tasks.schedule import HEARTBEAT, schedule

log = logging.getLogger(__name__)

#: Number of the PostgreSQL advisory lock that the one scheduler holds.
LOCK = 0x70C51B
_RETRY_SECONDS = 2.0


class Scheduler(PersistentScheduler):
    """Beat's own, ending as soon as the lock may have gone to another."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        if not still_held():
            raise SystemExit
        return super().tick(*args, **kwargs)


def run() -> None:
    """Start the tasks that are due by the clock, until told to stop."""
    wait_for_lock()
    settings.DATA.mkdir(parents=True, exist_ok=True)
    with queues.connect() as broker:
        broker.ensure_connection()
        queues.declare(broker)
    logging.getLogger("celery.beat").setLevel(logging.WARNING)  # a line for each task of each second
    first_beats()
    log.info("Scheduling")
    beat = app.Beat(
        scheduler_cls="tasks.scheduler:Scheduler",
        loglevel=logging.getLevelName(settings.LOG_LEVEL),
        quiet=True,
        max_interval=1,
    )
    beat.run()
    if not still_held():
        raise SystemExit("The scheduler's database connection broke, and its lock with it")


def first_beats() -> None:
    """A heartbeat through every queue at once: beat's own come only when their first minute is over."""
    for beat in schedule().values():
        if beat["task"] == HEARTBEAT:
            app.send_task(beat["task"], beat["args"], **beat["options"])


def wait_for_lock() -> None:
    """Returns when this process is the only scheduler of its database."""
    told = False
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_try_advisory_lock(%s)", [LOCK])
                if cursor.fetchone() == (True,):
                    return
            if not told:
                log.info("Another scheduler is at work; waiting until it ends")
        except Error as error:
            connection.close()
            if not told:
                log.warning("The database is away (%s); waiting", error)
        told = True
        time.sleep(_RETRY_SECONDS)


def still_held() -> bool:
    """Whether the connection that took the lock is still there."""
    if connection.connection is None:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except Error:
        return False
    return True
