"""A failed task is tried again, then kept for a person; its message is let go only when that is noted."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import Reject
from celery.worker import state
from django.db import OperationalError

from app.base import clock
from app.models import DueTask, FailedTask
from tasks import due, failures
from tasks.alerts import announce
from tasks.catalogue import BY_NAME

SENSELESS: Any = ["no number"]
LAST = BY_NAME["alerts.announce"].retries


def run(message_id: str, attempt: int = 0) -> None:
    """As a worker runs it when the message comes."""
    announce.apply((SENSELESS,), task_id=message_id, retries=attempt)


@pytest.mark.django_db
def test_a_failed_task_is_due_again_in_a_moment() -> None:
    run("m1")
    row = DueTask.objects.get()
    assert (row.task, row.args, row.attempt) == ("alerts.announce", [SENSELESS], 1)
    assert timedelta(0) < row.due - clock.now() <= timedelta(seconds=2)


@pytest.mark.django_db
def test_a_redelivered_failure_is_due_once() -> None:
    run("m1")
    run("m1")
    assert DueTask.objects.count() == 1


def test_the_pauses_double_up_to_an_hour_and_differ() -> None:
    for attempt, longest in ((0, 2), (3, 16), (10, 2048), (30, 3600)):
        pauses = {failures.pause(attempt) for _ in range(100)}
        assert len(pauses) > 50
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest


@pytest.mark.django_db
def test_after_the_last_try_it_is_kept_once_and_can_be_replayed_once() -> None:
    run("m1", LAST)
    run("m1", LAST)
    row = FailedTask.objects.get()
    assert not DueTask.objects.exists()
    assert (row.task, row.args, row.message_id) == ("alerts.announce", [SENSELESS], "m1")
    assert "no number" in row.error
    assert failures.replay(row.pk)
    assert not failures.replay(row.pk)
    assert DueTask.objects.get().args == [SENSELESS]


def test_nobody_replays_what_is_gone(db: None) -> None:
    assert not failures.replay(4711)


def test_a_dead_letter_nobody_can_read_is_not_replayed(db: None) -> None:
    row = FailedTask.objects.create(task="?", message_id="m", args=None, body=b"\xff", error="dead letter")
    assert not failures.replay(row.pk)


@pytest.mark.django_db
def test_a_group_of_events_comes_back_byte_by_byte() -> None:
    group = bytes(range(256))
    spec, request = BY_NAME["events.process_group"], SimpleNamespace(id="g1", retries=0)
    failures.note(spec, (group,), request, ValueError("no"))
    DueTask.objects.update(due=clock.now())
    published: list[Any] = []
    due.dispatch(lambda *what: published.append(what))
    assert [(what[0], what[1], what[3]) for what in published] == [("events.process_group", (group,), 1)]
    request.retries = spec.retries
    failures.note(spec, (group,), request, ValueError("no"))
    failures.replay(FailedTask.objects.get().pk)
    assert bytes(DueTask.objects.get().body or b"") == group


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ["a\x00b", "\ud800", "x" * 100_000])
def test_odd_arguments_and_words_do_not_hinder_noting(odd: str) -> None:
    failures.give_up("alerts.announce", [odd], uuid.uuid4().hex, ValueError(odd))
    row = FailedTask.objects.get()
    assert "ValueError" in row.error
    assert row.args == [odd] or row.body


@pytest.mark.django_db
def test_what_the_clock_starts_again_anyway_is_neither_retried_nor_kept() -> None:
    failures.note(BY_NAME["notify.relay_outbox"], (), SimpleNamespace(id="m", retries=0), ValueError("no"))
    assert not DueTask.objects.exists()
    assert not FailedTask.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_noting_waits_for_a_database_that_is_away() -> None:
    answers = [OperationalError("away"), OperationalError("away"), None]

    def write() -> None:
        if answer := answers.pop(0):
            raise answer

    failures.persist(write)
    assert answers == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_told_to_stop_gives_the_message_back_instead_of_losing_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "should_stop", 0)

    def write() -> None:
        raise OperationalError("away")

    with pytest.raises(Reject) as given_back:
        failures.persist(write)
    assert vars(given_back.value)["requeue"]


def test_a_message_that_kills_its_workers_becomes_a_dead_letter() -> None:
    request = SimpleNamespace(id=uuid.uuid4().hex, delivery_info={"redelivered": True})
    for _ in range(5):
        failures.refuse_killers(request)
    with pytest.raises(Reject) as refused:
        failures.refuse_killers(request)
    assert not vars(refused.value)["requeue"]
    request.delivery_info = {"redelivered": False}
    failures.refuse_killers(request)
