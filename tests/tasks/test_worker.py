"""How our consumer differs from Celery's."""

from __future__ import annotations

from typing import Any

from tasks.worker import Consumer


def test_an_acknowledgement_does_not_wait_for_the_next_turn_of_the_loop() -> None:
    acknowledged: list[int] = []
    consumer: Any = Consumer.__new__(Consumer)
    consumer.hub = object()  # Celery would hand it the acknowledgement, for later
    consumer.call_soon_ack(acknowledged.append, 7)
    assert acknowledged == [7]
