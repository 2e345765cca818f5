"""An event that was answered 200 is stored once, whoever is killed in the meantime."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
from kombu import Connection

from tests.flow.installation import Installation, folder, installation, wait_for
from tests.flow.post_office import PostOffice, post_office
from tests.flow.sending import Sender

EVENTS = 500
KILLS = 9
SEED = 20261122
ISSUES = 3
#: Words of the command lines of what `up` supervises.
WEB, WORK, SCHEDULE = ("gunicorn",), ("manage.py", "work"), ("manage.py", "schedule")


class Flood:
    """Numbered events from eight threads, each sent until it is answered 200; `answered` wakes the killer."""

    def __init__(self, tocsin: Installation) -> None:
        self.sender = Sender(tocsin.line["dsn"])
        self.ids = [uuid.uuid4().hex for _ in range(EVENTS)]
        self.answered = 0
        self.again = 0
        self.moved = threading.Condition()

    def send(self, number: int) -> None:
        wait_for(lambda: self.is_accepted(number), f"the 200 for event {number}", 60)
        with self.moved:
            self.answered += 1
            self.moved.notify_all()

    def is_accepted(self, number: int) -> bool:
        issue = f"till {number % ISSUES}"
        try:
            answer = self.sender.message(
                f"{issue} jammed", self.ids[number], fingerprint=[issue], extra={"number": number}
            )
        except OSError:
            self.again += 1
            return False
        assert answer.status in (200, 503), answer
        return answer.status == 200

    def run(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self.send, range(EVENTS)))

    def wait_until(self, answered: int) -> None:
        with self.moved:
            assert self.moved.wait_for(lambda: self.answered >= answered, 90), self.answered


def kill_one(tocsin: Installation, words: tuple[str, ...], chance: random.Random) -> None:
    """kill -9 for one process of that kind: the parent or one of its children."""
    victims = wait_for(lambda: tocsin.named(*words), f"{words} running again")
    with contextlib.suppress(psutil.NoSuchProcess):  # it was quicker
        chance.choice(victims).kill()


def kill_workers_in_mid_work(tocsin: Installation, flood: Flood) -> None:
    """kill -9 for all workers after they stood still, with groups in hand, while more came in."""
    victims = wait_for(lambda: tocsin.named(*WORK), "workers running again")
    for stroke in (psutil.Process.suspend, psutil.Process.kill):
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                stroke(victim)
        flood.wait_until(min(flood.answered + 10, EVENTS))


def murders(tocsin: Installation, flood: Flood) -> None:
    """Kills web, worker and scheduler in turn, each at a moment of its own while events come in."""
    chance = random.Random(SEED)
    moments = sorted(chance.sample(range(5, EVENTS - 20), KILLS))
    for moment, words in zip(moments, itertools.cycle((WEB, WORK, SCHEDULE)), strict=False):
        flood.wait_until(moment)
        if words is WORK:
            kill_workers_in_mid_work(tocsin, flood)
        else:
            kill_one(tocsin, words, chance)


def assert_everything_once(tocsin: Installation, office: PostOffice) -> None:
    flood = Flood(tocsin)
    killer = threading.Thread(target=murders, args=(tocsin, flood))
    killer.start()
    flood.run()
    killer.join(90)
    assert not killer.is_alive()

    def missing() -> list[int]:
        stored = {each.hex for (each,) in tocsin.rows("SELECT event_id FROM app_event")}
        return [number for number, each in enumerate(flood.ids) if each not in stored]

    with contextlib.suppress(AssertionError):
        wait_for(lambda: not missing(), "every event stored", 60)
    assert missing() == []
    ids = tocsin.rows("SELECT event_id FROM app_event")
    assert sorted(each.hex for (each,) in ids) == sorted(flood.ids)
    assert_counted_once(tocsin)
    assert_one_mail_per_issue(tocsin, office)


def assert_counted_once(tocsin: Installation) -> None:
    """Issues and usage; counting may follow storing after a moment."""

    def counted() -> tuple[dict[str, int], list[tuple[int]]]:
        issues = dict(tocsin.rows("SELECT title, events FROM app_issue"))
        return issues, tocsin.rows("SELECT sum(quantity) FROM app_outcome WHERE outcome = 'accepted'")

    due = {f"till {i} jammed": len(range(i, EVENTS, ISSUES)) for i in range(ISSUES)}, [(EVENTS,)]
    with contextlib.suppress(AssertionError):
        wait_for(lambda: counted() == due, "every event counted", 30)
    assert counted() == due


def assert_one_mail_per_issue(tocsin: Installation, office: PostOffice) -> None:
    def kinds() -> list[tuple[str]]:
        return tocsin.rows("SELECT kind FROM app_notification")

    wait_for(lambda: len(kinds()) >= ISSUES, "a message for each issue in the outbox", 60)
    # What a killed sender had in hand is sent when its claim runs out; here that is now.
    tocsin.rows("UPDATE app_notification SET claimed_until = now() WHERE state <> 'sent' RETURNING id")
    unsent = "SELECT state, answer FROM app_notification WHERE state <> 'sent'"
    wait_for(lambda: not tocsin.rows(unsent), "an empty outbox", 60)
    assert kinds() == [("issue_new",)] * ISSUES
    assert len(office.about("jammed")) == ISSUES


def test_killed_processes_lose_nothing_and_double_nothing() -> None:
    with post_office() as office, folder() as data, installation(data, EMAIL_URL=office.url) as tocsin:
        assert_everything_once(tocsin, office)


@pytest.fixture
def database() -> Iterator[str]:
    """A database of its own on the machine's PostgreSQL."""
    server, name = os.environ["DATABASE_URL"], f"flow_{uuid.uuid4().hex[:10]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def queue_prefix(broker_url: str) -> Iterator[str]:
    prefix = f"flow-{uuid.uuid4().hex[:8]}-"
    yield prefix
    from tasks.catalogue import QUEUES

    with Connection(broker_url) as connection:
        channel: Any = connection.channel()
        for name in ("dead", *(queue.name for queue in QUEUES)):
            channel.queue_delete(f"{prefix}{name}")
        for name in ("dead", "tasks"):
            channel.exchange_delete(f"{prefix}{name}")


@pytest.mark.needs("amqp")
def test_the_same_on_rabbitmq_and_a_postgresql_of_the_machine(
    broker_url: str, database: str, queue_prefix: str
) -> None:
    services = {"DATABASE_URL": database, "QUEUE_URL": broker_url, "QUEUE_PREFIX": queue_prefix}
    with (
        post_office() as office,
        folder() as data,
        installation(data, EMAIL_URL=office.url, **services) as tocsin,
    ):
        assert_everything_once(tocsin, office)
