"""How our consumer differs from Celery's."""

from __future__ import annotations

import logging
from typing import Any, cast

import pytest
from kombu.asynchronous.hub import Hub
from kombu.transport.virtual import Message
from redis.exceptions import ConnectionError as RedisConnectionError
from vine import promise

from tasks.worker import Consumer


def test_an_acknowledgement_does_not_wait_for_the_next_turn_of_the_loop() -> None:
    acknowledged: list[int] = []
    consumer: Any = Consumer.__new__(Consumer)
    consumer.hub = object()  # Celery would hand it the acknowledgement, for later
    consumer.call_soon_ack(acknowledged.append, 7)
    assert acknowledged == [7]


class Gone:
    """A channel to a server that is not there any more."""

    no_ack_consumers = None

    def basic_ack(self, *_: Any, **__: Any) -> None:
        raise RedisConnectionError


def test_a_worker_that_cannot_acknowledge_ends_instead_of_waiting_for_ever() -> None:
    message = Message({"body": "", "properties": {"delivery_tag": "1"}}, channel=cast("Any", Gone()))
    consumer: Any = Consumer.__new__(Consumer)
    consumer.hub = Hub()
    # As Celery calls it: in a promise that keeps its errors.
    acknowledge = promise(consumer.call_soon_ack, (message.ack_log_error,), on_error=lambda *_: None)
    acknowledge(logging.getLogger("tests"), (RedisConnectionError,))
    with pytest.raises(RedisConnectionError):
        next(consumer.hub.create_loop())
