"""Real workers over real brokers, each test in queues of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tasks import queues
from tests.tasks.crews import Crew, forget_queues


@pytest.fixture(params=[pytest.param("amqp", marks=pytest.mark.needs("amqp")), "redis"])
def broker(request: pytest.FixtureRequest, settings: Settings) -> Iterator[str]:
    """Its URL, with an empty set of queues; torn down behind the test."""
    settings.QUEUE_URL = request.getfixturevalue(
        "broker_url" if request.param == "amqp" else "redis_broker_url"
    )
    settings.QUEUE_PREFIX = f"test-{uuid.uuid4().hex[:8]}-"
    with queues.connect() as connection:
        queues.declare(connection)
        yield settings.QUEUE_URL
        forget_queues(connection)


@pytest.fixture
def crew(broker: str, transactional_db: None, tmp_path: Path) -> Iterator[Crew]:
    """Workers and scheduler as `manage.py work --with-scheduler` runs them, on the test's database."""
    workers = Crew(tmp_path)
    workers.start()
    yield workers
    workers.stop()
    print(workers.log())  # shown when the test fails
