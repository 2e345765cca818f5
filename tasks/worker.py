"""How our workers differ from Celery's: they make their queues, and throw no message away."""

from __future__ import annotations

import logging
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer

from tasks import queues

log = logging.getLogger(__name__)


class Consumer(CeleryConsumer):
    def connect(self) -> Any:
        """Celery's connection, behind which every queue exists and nothing of ours is left half done."""
        connection = super().connect()
        queues.declare(connection)
        if not queues.is_amqp():
            from tasks import valkey  # noqa: PLC0415

            if given_back := valkey.restore_own(connection):
                log.warning("%s messages were in hand when this worker died; they run again", given_back)
        return connection

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A message nobody can read becomes a dead letter; Celery would acknowledge it away."""
        log.error("A message could not be read (%s); it is kept as a dead letter", exc)
        message.reject()
