"""Work for later is rows: queued when due, by one dispatcher, and forgotten only when the broker has it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from app.base import clock
from app.models import DueTask, FailedTask
from tasks import due, operations, queues
from tasks.operations import heartbeat
from tests.tasks.crews import database_url, forget_queues


def put_five() -> None:
    for number in range(5):
        due.put("operations.heartbeat", [f"q{number}"])


@pytest.mark.django_db
def test_what_is_not_due_stays() -> None:
    due.put("operations.heartbeat", ["later"], after_seconds=60)
    assert due.dispatch(lambda *_: None) == 0
    assert DueTask.objects.count() == 1


@pytest.mark.django_db
def test_the_same_work_waits_once() -> None:
    due.put("operations.heartbeat", ["a"], key="beat")
    due.put("operations.heartbeat", ["b"], key="beat")
    assert DueTask.objects.get().args == ["a"]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_breaks_off_loses_no_row() -> None:
    put_five()
    published: list[str] = []

    def publish(_name: str, _args: Any, message_id: str, _attempt: int) -> None:
        if len(published) == 2:
            raise ConnectionError
        published.append(message_id)

    with pytest.raises(ConnectionError):
        due.dispatch(publish)
    assert DueTask.objects.count() == 5
    again: list[str] = []
    due.dispatch(lambda *what: again.append(what[2]))
    assert again[:2] == published  # known by the same message id
    assert not DueTask.objects.exists()


CRASH = """
import django, os, signal
django.setup()
from tasks import due
seen = []
def publish(*what):
    seen.append(what)
    print(what[2], flush=True)
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
due.dispatch(publish)
"""


@pytest.mark.django_db(transaction=True)
def test_a_dispatcher_killed_between_publishing_and_committing_does_it_again() -> None:
    put_five()
    environment = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "app.settings"}
    crash = subprocess.run(
        [sys.executable, "-c", CRASH],
        env=environment,
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert crash.returncode == -9
    again: list[str] = []
    due.dispatch(lambda *what: again.append(what[2]))
    assert len(again) == 5
    assert set(crash.stdout.split()) <= set(again)


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_never_queue_one_row() -> None:
    put_five()
    busy, done = threading.Event(), threading.Event()

    def slowly(*_: Any) -> None:
        busy.set()
        done.wait(10)

    def first() -> None:
        due.dispatch(slowly)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert busy.wait(10)
    assert due.dispatch(lambda *_: None) == 0
    done.set()
    thread.join(10)
    assert not DueTask.objects.exists()


@pytest.mark.django_db
def test_a_row_of_a_task_this_version_does_not_know_becomes_a_failure() -> None:
    due.put("events.forget", [1])
    operations.dispatch_due()
    assert FailedTask.objects.get().task == "events.forget"


@pytest.fixture
def own_queues() -> Any:
    with queues.connect() as broker:
        queues.declare(broker)
        yield lambda: queues.depth(broker, "schedule").messages  # type: ignore[union-attr]
        forget_queues(broker)


def rolled_back(work: Callable[[], None]) -> None:
    with transaction.atomic():
        work()
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_work_is_queued_when_the_transaction_commits_and_not_before(own_queues: Any) -> None:
    with transaction.atomic():
        heartbeat.later("committed")
        assert own_queues() == 0
    assert own_queues() == 1
    rolled_back(lambda: heartbeat.later("never"))
    assert own_queues() == 1


@pytest.mark.django_db(transaction=True)
def test_work_for_later_is_a_row_of_the_same_transaction() -> None:
    rolled_back(lambda: heartbeat.later("never", after_seconds=5))
    assert not DueTask.objects.exists()
    heartbeat.later("kept", after_seconds=5)
    assert 4 < (DueTask.objects.get().due - clock.now()).total_seconds() <= 5


@pytest.mark.needs("amqp")
@pytest.mark.django_db(transaction=True)
def test_work_nobody_has_a_queue_for_waits_in_the_database() -> None:
    with queues.connect() as broker:
        queues.declare(broker)
        forget_queues(broker)
    heartbeat.later("unroutable")
    assert DueTask.objects.get().args == ["unroutable"]


BROKER_AWAY = """
import django
django.setup()
from tasks.operations import heartbeat
heartbeat.later("away")
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", ["amqp://guest:guest@127.0.0.1:9//", "redis://127.0.0.1:9/0"])
def test_work_waits_in_the_database_while_the_broker_is_away(url: str) -> None:
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "QUEUE_URL": url,
        "DJANGO_SETTINGS_MODULE": "app.settings",
    }
    subprocess.run(
        [sys.executable, "-c", BROKER_AWAY], env=environment, cwd=settings.ROOT, check=True, timeout=60
    )
    assert DueTask.objects.get().args == ["away"]
