"""The queues on a real broker: what a newer RabbitMQ will do, and what an older one left behind."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import queues
from tests.tasks.crews import eventually

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.parametrize("broker", ["amqp"], indirect=True)]


@pytest.fixture
def quorum(broker: str) -> str:
    """The queue `process` as RabbitMQ 4 gets it; the one at hand knows quorum queues already."""
    with queues.connect() as connection:
        channel: Any = connection.channel()
        channel.queue_delete(queues.queue_name("process"))
        queues.work_queue("process", quorum=True)(channel).declare()
        exchange, key = queues.route("process")
        connection.Producer().publish({"n": 7}, exchange=exchange, routing_key=key, delivery_mode=2)
    return key


def depth(queue: str) -> int:
    with queues.connect() as connection:
        found = queues.depth(connection, queue)
        return found.messages if found else -1


def test_a_message_that_comes_back_too_often_becomes_a_dead_letter(quorum: str) -> None:
    with queues.connect() as connection:
        queue = queues.consumed("process")(connection.channel())
        for _ in range(queues.DELIVERY_LIMIT + 1):
            message: Any = eventually(queue.get)
            message.requeue()
        eventually(lambda: depth("dead") == 1)
        assert queue.get() is None


def test_a_queue_made_with_other_arguments_serves_as_it_is(quorum: str) -> None:
    with queues.connect() as connection:
        queues.declare(connection)
    assert depth("process") == 1
    assert depth("cleanup") == 0


def test_the_type_follows_the_servers_version(broker: str) -> None:
    with queues.connect() as connection:
        connection.connect()
        version = str(connection.connection.server_properties["version"])
        assert queues.has_quorum_queues(connection) == (not version.startswith("3."))


def test_a_queue_that_does_not_exist_has_no_depth(broker: str) -> None:
    assert depth("nowhere") == -1
