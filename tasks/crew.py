"""Who works here: consumers of the event groups, consumers of everything else, and the scheduler."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from functools import partial

from celery.exceptions import SecurityWarning
from django.conf import settings

from tasks import queues, scheduler
from tasks.application import app
from tasks.catalogue import QUEUES
from tasks.processes import node_name


def crew(events: int, rest: int, *, with_scheduler: bool) -> dict[str, Callable[[], object]]:
    """What to keep running (tasks.processes.keep_running), by name."""
    everything_else = [queue.name for queue in QUEUES if queue.name != "events"]
    works: dict[str, Callable[[], object]] = {}
    for kind, count, names in (("events", events, ["events"]), ("rest", rest, everything_else)):
        for number in range(1, count + 1):
            works[f"{kind}-{number}"] = partial(consume, node_name(kind, number), names)
    if with_scheduler:
        works["scheduler"] = scheduler.run
    app.loader.import_default_modules()
    return works


def consume(node: str, names: list[str]) -> None:
    """Take and run tasks from these queues, one at a time, until told to stop."""
    for chatty in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)  # two lines for each task of each second
    warnings.simplefilter("ignore", SecurityWarning)  # of being root, which matters to those who unpickle
    app.conf.broker_transport_options = queues.transport_options(node)
    worker = app.Worker(
        hostname=node,
        pool="solo",
        concurrency=1,
        queues=[queues.queue_name(name) for name in names],
        loglevel=logging.getLevelName(settings.LOG_LEVEL),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    raise SystemExit(worker.exitcode or 0)
