"""What reached the broker, read and taken out of its queue: the count of a benchmark without workers."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from kombu import Connection

from app.wire.record import frames
from tasks import groups, queues

#: Seconds without anything new after which nothing more is expected.
PATIENCE = 15.0


def take(broker: str, expected: int) -> Counter[str]:
    """How often each event id arrived, once as many as `expected` did or nothing more comes."""
    groups.register()
    found: Counter[str] = Counter()
    with Connection(broker) as connection:
        queue = queues.consumed("events")(connection.channel())
        changed = time.monotonic()
        while len(found) < expected and time.monotonic() - changed < PATIENCE:
            message: Any = queue.get(no_ack=True, accept=[groups.CONTENT_TYPE])
            if message is None:
                time.sleep(0.02)
                continue
            changed = time.monotonic()
            found.update(one.event_id for _, one in frames(message.body) if one.kind != "counts")
    return found
