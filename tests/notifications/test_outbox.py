"""The outbox: a message is held by one sender at a time, tried for a day, and never forgotten."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction

from app.base import clock
from app.models import Notification
from app.notifications import outbox
from app.notifications.outbox import Answer
from tests.factories import IssueFactory, NotificationFactory

State = Notification.State
GONE = Answer("421 come back later")


def again(row: Notification) -> Notification:
    return Notification.objects.get(pk=row.pk)


def begun(row: Notification) -> Notification:
    taken = outbox.begin(row.pk)
    assert taken is not None
    return taken


@pytest.mark.django_db
def test_a_message_to_one_person_about_one_cause_is_put_once() -> None:
    issue, now = IssueFactory.create(), clock.now()
    for _ in range(2):
        outbox.put(
            [
                Notification(
                    cause="new:7", recipient=to, channel="email", kind="issue_new", issue=issue, due=now
                )
                for to in ("ada@example.com", "bob@example.com")
            ]
        )
    assert Notification.objects.count() == 2


@pytest.mark.django_db
def test_what_is_not_due_is_not_claimed() -> None:
    NotificationFactory.create(due=clock.now() + timedelta(minutes=1))
    assert outbox.claim(10) == []


@pytest.mark.django_db(transaction=True)
def test_two_relays_never_claim_one_row() -> None:
    rows = [NotificationFactory.create() for _ in range(6)]
    claimed: list[int] = []
    both = threading.Barrier(2, timeout=10)

    def relay() -> None:
        with transaction.atomic():
            claimed.extend(row.pk for row in outbox.claim(3))
            both.wait()  # both hold their transactions open
        connection.close()

    threads = [threading.Thread(target=relay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(claimed) == sorted(row.pk for row in rows)
    with transaction.atomic():
        assert outbox.claim(10) == []


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_dies_has_claimed_nothing() -> None:
    row = NotificationFactory.create()
    with transaction.atomic():
        assert outbox.claim(10)
        transaction.set_rollback(True)
    with transaction.atomic():
        assert [found.pk for found in outbox.claim(10)] == [row.pk]


@pytest.mark.django_db
def test_what_waited_too_long_in_a_queue_is_queued_again() -> None:
    row = NotificationFactory.create()
    outbox.claim(10)
    with time_machine.travel(clock.now() + timedelta(seconds=outbox.QUEUED + 1)):
        assert [found.pk for found in outbox.claim(10)] == [row.pk]


@pytest.mark.django_db
def test_one_sender_at_a_time() -> None:
    row = NotificationFactory.create()
    assert begun(row).attempts == 1
    assert outbox.begin(row.pk) is None
    assert outbox.claim(10) == []


@pytest.mark.django_db
def test_a_sender_that_dies_lets_go_and_its_late_answer_counts_for_nothing() -> None:
    row = NotificationFactory.create()
    dead = begun(row)
    with time_machine.travel(clock.now() + timedelta(seconds=outbox.SENDING + 1)):
        assert [found.pk for found in outbox.claim(10)] == [row.pk]
        alive = begun(row)
        outbox.settle(dead, Answer("too late", final=True))
        outbox.settle(alive, Answer("250 OK", delivered=True))
    assert (again(row).state, again(row).answer, again(row).attempts) == (State.SENT, "250 OK", 2)


@pytest.mark.django_db
def test_a_sent_message_is_never_begun_again() -> None:
    row = NotificationFactory.create()
    outbox.settle(begun(row), Answer("250 OK", delivered=True))
    with time_machine.travel(clock.now() + timedelta(days=2)):
        assert outbox.begin(row.pk) is None
        assert outbox.claim(10) == []


@pytest.mark.django_db
def test_it_is_tried_for_about_a_day_with_growing_pauses_and_then_failed_with_the_last_words() -> None:
    row, start, pauses = NotificationFactory.create(), clock.now(), []
    now = start
    while again(row).state == State.PENDING:
        with time_machine.travel(now, tick=False):
            outbox.settle(begun(row), GONE)
        pauses.append((again(row).due - now).total_seconds())
        now = max(now, again(row).due)
    assert (again(row).state, again(row).answer) == (State.FAILED, "421 come back later")
    assert again(row).attempts == outbox.ATTEMPTS
    assert 50 < pauses[0] < 70
    assert timedelta(hours=12) < now - start < timedelta(hours=36)


@pytest.mark.django_db
def test_a_final_no_ends_it_at_once() -> None:
    row = NotificationFactory.create()
    outbox.settle(begun(row), Answer("550 no such user", final=True))
    assert (again(row).state, again(row).answer) == (State.FAILED, "550 no such user")


@pytest.mark.django_db
def test_a_message_that_was_deleted_is_done() -> None:
    assert outbox.begin(4711) is None


@pytest.mark.django_db
def test_the_receivers_words_may_be_odd() -> None:
    row = NotificationFactory.create()
    outbox.settle(begun(row), Answer("5\x0050 \ud800" + "x" * 5000))
    assert again(row).answer.startswith("5\N{REPLACEMENT CHARACTER}50")
