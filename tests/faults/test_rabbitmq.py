"""RabbitMQ as the broker, killed at random moments beside workers and the cache."""

from __future__ import annotations

import pytest

from app.local.rabbitmq import RabbitMQ, find
from tests.faults.parts import parts
from tests.faults.storm import killing, storm, times

#: A RabbitMQ takes seconds to come back: all 20 need TOCSIN_FAULTS=20.
KILLS_OF_RABBITMQ = 8


@pytest.mark.needs("amqp")
@pytest.mark.skipif(find() is None, reason="it must be ours to kill")
def test_a_killed_broker_worker_or_cache_costs_no_event() -> None:
    with parts(broker=RabbitMQ) as every:
        faults = {name: (times(), killing(every, name)) for name in ("worker", "valkey")}
        faults["rabbitmq"] = (times(KILLS_OF_RABBITMQ), killing(every, "rabbitmq"))
        storm(every, faults)
