"""RabbitMQ as the broker, killed at random moments beside workers and the cache."""

from __future__ import annotations

import pytest

from app.local.rabbitmq import RabbitMQ, find
from tests.faults.parts import parts
from tests.faults.storm import killing, storm, times

#: Of workers and the cache here: test_embedded strikes them more often.
BESIDE = 4


@pytest.mark.needs("amqp")
@pytest.mark.skipif(find() is None, reason="it must be ours to kill")
def test_a_killed_broker_worker_or_cache_costs_no_event() -> None:
    with parts(broker=RabbitMQ) as every:
        faults = {name: (times(BESIDE), killing(every, name)) for name in ("worker", "valkey")}
        faults["rabbitmq"] = (times(), killing(every, "rabbitmq"))
        storm(every, faults)
