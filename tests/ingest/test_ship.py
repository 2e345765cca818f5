"""From the journal to a real broker, which may be away, slow, foreign or full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from app.ingest import folder, ship
from app.ingest.journal import Journal
from app.ingest.ship import Shipper
from tasks import queues
from tests.ingest.proxy import Proxy
from tests.ingest.records import accepted, framed
from tests.ingest.server import Queue
from tests.tasks.crews import eventually

pytestmark = pytest.mark.needs("amqp")
both = pytest.mark.parametrize("broker", ["amqp", "redis"], indirect=True)
amqp_only = pytest.mark.parametrize("broker", ["amqp"], indirect=True)


@pytest.fixture
def proxy(broker: str, settings: Settings) -> Iterator[Proxy]:
    """Before the broker; what the shipper connects to."""
    parts = urlsplit(broker)
    with Proxy((parts.hostname or "127.0.0.1", parts.port or 5672)) as proxy:
        user = f"{parts.username}:{parts.password}@" if parts.username else ""
        settings.QUEUE_URL = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{proxy.port}"))
        yield proxy


@pytest.fixture
def queue(broker: str) -> Queue:
    """Reads beside the proxy."""
    return Queue(broker)


@contextmanager
def shipping(written: Journal) -> Iterator[Shipper]:
    shipper = Shipper(written)
    shipper.start()
    try:
        yield shipper
    finally:
        shipper.stop(5)


def ids(numbers: Iterable[int]) -> set[str]:
    return {accepted(number).event_id for number in numbers}


@both
def test_what_is_appended_arrives_in_groups(broker: str, queue: Queue, journal_root: Path) -> None:
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        for at in range(0, 1000, 10):
            written.append([framed(number) for number in range(at, at + 10)])
            shipper.wake()
        queue.wait_for(ids(range(1000)))
        eventually(lambda: written.waiting == 0)
    assert len(queue.records) == 1000
    assert len(queue.groups) < 500
    assert [path for path in journal_root.iterdir() if path.name != folder.ASIDE] == []


@both
def test_a_broker_that_is_away_costs_nothing_but_time(
    proxy: Proxy, queue: Queue, journal_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.down()
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        written.append([framed(number) for number in range(10)])
        shipper.wake()
        eventually(lambda: shipper.error)
        assert written.waiting > 0
        assert queue.read() == []
        proxy.up()
        queue.wait_for(ids(range(10)))
        eventually(lambda: not shipper.error)
    said = [record.message for record in caplog.records if record.name == "app.ingest.ship"]
    assert [line.partition(",")[0] for line in said] == [
        "groups stay in the journal",
        "the broker takes groups again",
    ]


@both
def test_a_connection_cut_in_the_middle_loses_nothing(proxy: Proxy, queue: Queue, journal_root: Path) -> None:
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        for at in range(0, 400, 10):
            written.append([framed(number, 3000) for number in range(at, at + 10)])
            shipper.wake()
            if at % 100 == 50:
                proxy.down()
                written.append([framed(400 + at, 3000)])  # the ten may be through already: this one is not
                shipper.wake()
                eventually(lambda: shipper.error)
                proxy.up()
        every = ids([*range(400), *range(450, 800, 100)])
        queue.wait_for(every)
    assert queue.ids() == every


@amqp_only
def test_a_broker_that_confirms_nothing_is_asked_again(
    proxy: Proxy, queue: Queue, journal_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "CONFIRM", 0.3)
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        written.append([framed(1)])
        shipper.wake()
        queue.wait_for(ids(range(1, 2)))
        proxy.stall()
        written.append([framed(2)])
        shipper.wake()
        eventually(lambda: shipper.error)
        assert written.waiting > 0
        proxy.up()
        queue.wait_for(ids(range(1, 3)))


@amqp_only
def test_a_queue_that_is_gone_is_declared_again(broker: str, queue: Queue, journal_root: Path) -> None:
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        written.append([framed(1)])
        shipper.wake()
        queue.wait_for(ids(range(1, 2)))
        with queues.connect() as connection:
            channel: Any = connection.channel()
            channel.queue_delete(queues.queue_name("events"))
        written.append([framed(2)])
        shipper.wake()
        queue.wait_for(ids(range(2, 3)))


@both
def test_what_a_killed_process_left_is_shipped_by_the_next(
    broker: str, queue: Queue, journal_root: Path
) -> None:
    for number in range(3):
        gone = Journal(journal_root, 2**30)
        gone.append([framed(number)])
        assert gone.folder
        gone.folder.release()
    with shipping(Journal(journal_root, 2**30)):
        queue.wait_for(ids(range(3)))
        eventually(lambda: list(journal_root.iterdir()) == [])


@both
def test_stopping_ships_what_is_left(broker: str, queue: Queue, journal_root: Path) -> None:
    written = Journal(journal_root, 2**30)
    written.append([framed(number, 5000) for number in range(500)])
    with shipping(written):
        pass
    assert queue.ids() == ids(range(500))
    assert list(journal_root.iterdir()) == []


@both
def test_stopping_without_a_broker_leaves_the_journal_to_the_next(
    proxy: Proxy, queue: Queue, journal_root: Path
) -> None:
    proxy.down()
    written = Journal(journal_root, 2**30)
    with shipping(written):
        written.append([framed(1)])
    proxy.up()
    with shipping(Journal(journal_root, 2**30)):
        queue.wait_for(ids(range(1, 2)))


@pytest.fixture
def short(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few groups are many, and looked at often."""
    settings.QUEUE_LIMIT = 3
    monkeypatch.setattr(ship, "LOOK_EVERY", 0.05)


@both
def test_a_queue_that_is_long_leaves_the_rest_in_the_journal(
    queue: Queue, journal_root: Path, short: None, caplog: pytest.LogCaptureFixture
) -> None:
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        for number in range(400):
            written.append([framed(number, 100)])
            shipper.wake()
            if shipper.is_held:
                break
            eventually(lambda: shipper.is_held or written.waiting == 0)
        assert 3 < shipper.queued < 30
        first = number + 1
        written.append([framed(each) for each in range(first, first + 50)])
        shipper.wake()
        assert written.waiting > 0
        queue.wait_for(ids(range(first + 50)))
        eventually(lambda: not shipper.is_held)
    said = [record.message for record in caplog.records if record.name == "app.ingest.ship"]
    assert "more stay in the journal" in said[0]
    assert "shipping goes on" in said[1]


@both
def test_while_groups_wait_they_become_larger(
    queue: Queue, journal_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "LOOK_EVERY", 0.05)
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        for number in range(200):
            written.append([framed(number, 100)])
            shipper.wake()
            eventually(lambda: written.waiting == 0)
            if shipper.pace == ship.SPARING:
                break
        assert shipper.queued >= ship.BUSY
        queue.wait_for(ids(range(number + 1)))
        written.append([framed(number + 1, 100)])
        shipper.wake()
        eventually(lambda: shipper.pace == ship.QUICK)


@both
def test_a_connection_cut_while_the_queue_is_long_is_made_again(
    proxy: Proxy, queue: Queue, journal_root: Path, short: None
) -> None:
    written = Journal(journal_root, 2**30)
    with shipping(written) as shipper:
        for number in range(400):
            written.append([framed(number, 100)])
            shipper.wake()
            eventually(lambda: shipper.is_held or written.waiting == 0)
            if shipper.is_held:
                break
        written.append([framed(number + 1)])
        proxy.down()
        eventually(lambda: shipper.error)
        proxy.up()
        queue.wait_for(ids(range(number + 2)))


def test_the_shipper_uses_the_queue_of_the_settings() -> None:
    assert queues.event_route()[1] == f"{django_settings.QUEUE_PREFIX}events"
