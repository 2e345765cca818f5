"""A real accepting process: gunicorn on a free port, with a journal, queues and a project of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django.plugin import DjangoDbBlocker

from app import models
from tasks import queues
from tests.factories import DsnKeyFactory
from tests.ingest.server import Server
from tests.tasks.crews import forget_queues


@pytest.fixture(scope="module")
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[models.DsnKey]:
    """A key whose project other processes can see."""
    with django_db_blocker.unblock():
        made = DsnKeyFactory.create()
        yield made
        made.project.organization.delete()


@pytest.fixture(scope="module", params=["amqp"])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """Its URL; queues of this module's own, gone behind it."""
    url = request.getfixturevalue("broker_url" if request.param == "amqp" else "redis_broker_url")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(django_settings, "QUEUE_URL", url)
        patch.setattr(django_settings, "QUEUE_PREFIX", f"test-{uuid.uuid4().hex[:8]}-")
        yield url
        with queues.connect() as connection:
            forget_queues(connection)


@pytest.fixture(scope="module")
def server(key: models.DsnKey, broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for the tests of a module that neither kill it nor change its settings."""
    with Server(key, tmp_path_factory.mktemp("ingest")) as server:
        yield server


@pytest.fixture
def journal_root(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB; only root may mount one."""
    if os.geteuid():
        pytest.skip("mounting a small disk takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    assert os.system(f"mount -t tmpfs -o size=256k tmpfs {disk}") == 0
    yield disk
    assert os.system(f"umount -l {disk}") == 0
