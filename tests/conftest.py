"""What tests of every kind may ask for by name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import services
from tests.flow.installation import installation

# A busy machine is no reason to fail: what must be quick says so itself.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """pytest's own, which a PostgreSQL started as root by a test can enter as well."""
    inside = Path(os.environ["TOCSIN_TEST_FOLDER"])
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(inside):
            folder.chmod(0o711)
    return tmp_path


@pytest.fixture(scope="session")
def broker_url() -> str:
    """RabbitMQ; mark the test with `needs("amqp")`."""
    if "TOCSIN_BROKER_AMQP" not in os.environ:
        os.environ["TOCSIN_BROKER_AMQP"] = services.own_rabbitmq().url
    return os.environ["TOCSIN_BROKER_AMQP"]


@pytest.fixture(scope="session")
def redis_broker_url() -> str:
    """The same Redis or Valkey as a QUEUE_URL."""
    return os.environ["TOCSIN_BROKER_REDIS"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    """An otherwise empty database of a Redis or Valkey."""
    return os.environ["REDIS_URL"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program; mark the test with `needs("chromium")`."""
    found = services.program("chromium")
    assert found, 'mark this test with @pytest.mark.needs("chromium")'
    return found


@pytest.fixture(scope="session")
def nginx() -> str:
    """The server's program; mark the test with `needs("nginx")`."""
    found = services.program("nginx")
    assert found, 'mark this test with @pytest.mark.needs("nginx")'
    return found


@pytest.fixture(scope="session")
def running() -> Iterator[dict[str, Any]]:
    """A whole Tocsin with a data folder of its own: what `up --json` printed."""
    with tempfile.TemporaryDirectory(prefix="tocsin-running-") as folder:
        Path(folder).chmod(0o711)
        with installation(Path(folder) / "data") as tocsin:
            yield tocsin.line
