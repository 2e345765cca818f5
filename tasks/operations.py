"""The task layer's own work: due rows, dead letters, and signs of life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.base import clock
from app.models import Heartbeat
from tasks import application, deadletters, due, failures
from tasks.base import Task, task


@task("operations.dispatch_due")
def dispatch_due() -> None:
    """Queues what has become due, until nothing is left."""
    while due.dispatch(publish) == due.AT_ONCE:
        pass


@task("operations.heartbeat")
def heartbeat(queue: str) -> None:
    """Notes that a worker takes work from this queue."""
    now = clock.now()
    Heartbeat.objects.bulk_create(
        [Heartbeat(queue=queue, at=now)],
        update_conflicts=True,
        unique_fields=["queue"],
        update_fields=["at"],
    )


@task("operations.collect_dead_letters")
def collect_dead_letters() -> None:
    """Moves what nobody could take from the dead-letter queue to the table of failures."""
    deadletters.collect()


def publish(name: str, args: Sequence[Any], message_id: str, attempt: int) -> None:
    """Publish a task by its name; one that this version does not know becomes a failure."""
    found = application.app.tasks.get(name)
    if isinstance(found, Task):
        found.publish(args, message_id, attempt)
    else:
        failures.give_up(name, args, message_id, "There is no task of this name in this version")
