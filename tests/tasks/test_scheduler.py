"""The scheduler: what the clock starts arrives, and two of them do not start it twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tasks import queues, scheduler
from tasks.catalogue import QUEUES
from tests.tasks.crews import database_url, eventually


@contextmanager
def scheduling(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "schedule"],
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "QUEUE_URL": settings.QUEUE_URL,
                "QUEUE_PREFIX": settings.QUEUE_PREFIX,
                "TOCSIN_DATA": str(folder),
                "DJANGO_SETTINGS_MODULE": "app.settings",
            },
            cwd=settings.ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(5)
        print((folder / "log").read_text())  # shown when the test fails


@pytest.fixture
def two(broker: str, transactional_db: None, tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two schedulers of one installation, each with a folder of its own; the first has the lock."""
    with ExitStack() as ends:
        first = ends.enter_context(scheduling(tmp_path / "first"))
        said(tmp_path / "first", "Scheduling")
        second = ends.enter_context(scheduling(tmp_path / "second"))
        said(tmp_path / "second", "Another scheduler is at work")
        yield [first, second]


def said(folder: Path, words: str) -> None:
    eventually(lambda: words in (folder / "log").read_text())


def waiting(queue: str = "schedule") -> int:
    with queues.connect() as broker:
        depth = queues.depth(broker, queue)
        return depth.messages if depth else 0


def test_the_clock_starts_tasks_and_a_second_scheduler_takes_over_from_a_killed_one(
    two: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    eventually(lambda: waiting() >= 2)
    second = tmp_path / "second"
    assert "Scheduling" not in (second / "log").read_text()
    two[0].kill()
    two[0].wait(5)
    said(second, "Scheduling")
    before = waiting()
    eventually(lambda: waiting() > before)


def test_a_heartbeat_goes_through_every_queue_at_once(
    broker: str, transactional_db: None, tmp_path: Path
) -> None:
    with scheduling(tmp_path / "first"):
        eventually(lambda: all(waiting(queue.name) for queue in QUEUES), 20)


@pytest.mark.needs("amqp")
@pytest.mark.parametrize("broker", ["amqp"], indirect=True)
def test_a_scheduler_whose_lock_may_be_lost_ends(two: list[subprocess.Popen[bytes]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_locks"
            " where locktype = 'advisory' and objid = %s and granted"
            " and database = (select oid from pg_database where datname = current_database())",
            [scheduler.LOCK],
        )
    assert two[0].wait(10) != 0
    assert two[1].poll() is None
