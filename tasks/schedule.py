"""What the clock starts: the catalogue's periodic tasks, and a heartbeat through every queue."""

from __future__ import annotations

from typing import Any

from tasks import queues
from tasks.catalogue import BY_NAME, QUEUES, TASKS

HEARTBEAT = "operations.heartbeat"


def schedule() -> dict[str, dict[str, Any]]:
    """Celery beat's schedule. A beat nobody took before the next one is due expires."""
    entries = {spec.name: entry(spec.name, spec.every) for spec in TASKS if spec.every}
    del entries[HEARTBEAT]
    every = BY_NAME[HEARTBEAT].every or 60
    for queue in QUEUES:
        beat = entry(HEARTBEAT, every, queue.name)
        beat["options"]["queue"] = queues.queue_name(queue.name)
        entries[f"{HEARTBEAT} {queue.name}"] = beat
    return entries


def entry(task: str, every: float, *args: str) -> dict[str, Any]:
    return {"task": task, "schedule": every, "args": list(args), "options": {"expires": max(every, 2.0)}}
