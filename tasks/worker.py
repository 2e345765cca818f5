"""How our workers differ from Celery's: they make their queues, and throw no message away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.transport import virtual
from redis.exceptions import ConnectionError as RedisConnectionError

from tasks import queues

log = logging.getLogger(__name__)


def end() -> None:
    """In the worker's loop: what Celery does when its connection is lost."""
    raise RedisConnectionError("a message could not be acknowledged")


class Consumer(CeleryConsumer):
    hub: Any

    def connect(self) -> Any:
        """Celery's connection, behind which every queue exists and nothing of ours is left half done."""
        connection = super().connect()
        queues.declare(connection)
        if not queues.is_amqp():
            from tasks import valkey  # noqa: PLC0415

            if given_back := valkey.restore_own(connection):
                log.warning("%s messages were in hand when this worker died; they run again", given_back)
        return connection

    def call_soon_ack(self, p: Any, *args: Any, **options: Any) -> Any:
        """Acknowledges at once.

        Celery leaves it to the next turn of its loop. But kombu takes messages inside a turn too, behind the
        place where it looks for what is left to do: then the broker, which hands out one message at a time,
        waited for the acknowledgement and the worker for the next message until a timer woke it, up to a
        second with a full queue before it.

        On Valkey a failed acknowledgement is only logged, and the message still counts as in hand: a worker
        with one at a time would wait for ever. So it goes the way of a lost connection: it ends, and the one
        that is started in its place has the message again. It ends in the next turn, because the promise
        around this call keeps errors to itself.
        """
        p(*args, **options)
        message = getattr(p, "__self__", None)
        if isinstance(message, virtual.Message) and not message.acknowledged:
            self.hub.call_soon(end)
        return p

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], object]:
        """Celery's, for messages that hold what a task is called with; one of another shape would end it."""
        handle = super().create_task_handler(*args, **options)

        def receive(message: Any) -> None:
            try:
                _args, _kwargs, _embed = message.payload
            except Exception as error:  # noqa: BLE001 - whatever is in it, the next messages wait behind it
                self.on_decode_error(message, error)
            else:
                handle(message)

        return receive

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A message nobody can read becomes a dead letter; Celery would acknowledge it away."""
        log.error("A message could not be read (%s); it is kept as a dead letter", exc)
        message.reject()
