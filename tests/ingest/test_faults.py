"""A 200 is a promise: numbered events, real processes, things that break."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from app import models
from app.local.rabbitmq import PROGRAM, RabbitMQ
from tests.ingest.proxy import Proxy, before_postgres
from tests.ingest.server import Queue, Server
from tests.tasks.crews import database_url, eventually

pytestmark = [pytest.mark.needs("amqp"), pytest.mark.django_db]


class Flood:
    """Several clients that send events until they are told to stop, and remember what was answered."""

    def __init__(self, server: Server, clients: int = 6) -> None:
        self.server = server
        self.answered: set[str] = set()
        self.refused: list[int] = []
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(clients)
        self._clients = [self._pool.submit(self._send) for _ in range(clients)]

    def _send(self) -> None:
        sender = self.server.sender
        while not self._stopped.is_set():
            event_id = uuid.uuid4().hex
            try:
                answer = sender.message("one of many", event_id, extra={"padding": "x" * 3000})
            except OSError:
                self._stopped.wait(0.02)
                continue
            if answer.status == 200:
                self.answered.add(event_id)
            else:
                self.refused.append(answer.status)

    def grow(self, by: int) -> None:
        """Until so many more were answered."""
        goal = len(self.answered) + by
        eventually(lambda: len(self.answered) >= goal)

    def stop(self) -> None:
        self._stopped.set()
        for client in self._clients:
            client.result(30)
        self._pool.shutdown()


@pytest.fixture
def proxy(broker: str) -> Iterator[Proxy]:
    parts = urlsplit(broker)
    with Proxy((parts.hostname or "127.0.0.1", parts.port or 5672)) as proxy:
        yield proxy


def behind(proxy: Proxy, broker: str) -> str:
    parts = urlsplit(broker)
    user = f"{parts.username}:{parts.password}@"
    return urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{proxy.port}"))


def test_every_answered_event_survives_kill_9_in_mid_flood(
    key: models.DsnKey, broker: str, tmp_path: Path
) -> None:
    queue = Queue()
    with Server(key, tmp_path) as server:
        flood = Flood(server)
        for _ in range(6):
            flood.grow(random.randrange(50, 400))
            dying = server.worker()
            dying.send_signal(signal.SIGKILL)
            dying.wait(10)
        flood.grow(100)
        flood.stop()
        queue.wait_for(flood.answered)
    assert not flood.refused
    arrived = [record.event_id for record in queue.records if record.kind != "counts"]
    assert len(arrived) - len(set(arrived)) < 6 * 500  # what was under way may come twice
    assert list((tmp_path / "journal").iterdir()) == []


def test_stopping_answers_or_refuses_and_leaves_nothing(
    key: models.DsnKey, broker: str, tmp_path: Path
) -> None:
    queue = Queue()
    server = Server(key, tmp_path).start()
    flood = Flood(server)
    flood.grow(300)
    server.stop()
    flood.stop()
    queue.wait_for(flood.answered, 5)
    assert list((tmp_path / "journal").iterdir()) == []


def test_accepting_does_not_notice_a_broker_that_is_away(
    key: models.DsnKey, broker: str, proxy: Proxy, tmp_path: Path
) -> None:
    queue = Queue(broker)
    with Server(key, tmp_path, QUEUE_URL=behind(proxy, broker)) as server:
        flood = Flood(server)
        for take_away in (proxy.down, proxy.stall, proxy.down):
            flood.grow(100)
            take_away()
            flood.grow(300)
            proxy.up()
        flood.stop()
        assert not flood.refused
        queue.wait_for(flood.answered)


def test_a_journal_that_is_full_refuses_and_recovers(
    key: models.DsnKey, broker: str, proxy: Proxy, tmp_path: Path
) -> None:
    queue = Queue(broker)
    proxy.down()
    settings = {"QUEUE_URL": behind(proxy, broker), "JOURNAL_LIMIT": "100000"}
    with Server(key, tmp_path, **settings) as server:
        kept = fill(server)
        answer = server.sender.event({"extra": {"padding": random.randbytes(5000).hex()}})
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "try again" in answer.json["detail"]
        proxy.up()
        queue.wait_for(kept)
        eventually(lambda: server.sender.message("after").status == 200)
        eventually(lambda: any(b"journal_full" in record.body for record in queue.read()))


def fill(server: Server) -> set[str]:
    """Sends until one is refused; the ids of those that were not."""
    kept: set[str] = set()
    for _ in range(1000):
        event_id = uuid.uuid4().hex
        answer = server.sender.event({"extra": {"padding": random.randbytes(5000).hex()}}, event_id)
        if answer.status == 503:
            return kept
        assert answer.status == 200
        kept.add(event_id)
    raise AssertionError("the journal took everything")


def test_a_disk_that_is_full_refuses_and_recovers(
    key: models.DsnKey, broker: str, proxy: Proxy, tmp_path: Path, tiny_disk: Path
) -> None:
    queue = Queue(broker)
    proxy.down()
    settings = {"QUEUE_URL": behind(proxy, broker), "JOURNAL": str(tiny_disk / "journal")}
    with Server(key, tmp_path, **settings) as server:
        for _ in range(3):
            kept = fill(server)
            assert server.get("/_health/")[0] == 503
            proxy.up()
            queue.wait_for(kept)
            eventually(lambda: server.sender.message("after").status == 200)
            eventually(lambda: server.get("/_health/")[0] == 200)
            proxy.down()
    assert "Traceback" not in server.log


def control(node: RabbitMQ, *command: str) -> None:
    program = PROGRAM.with_name("rabbitmqctl")
    subprocess.run([program, *command], env=node.environment(), check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A broker of our own, which may be maltreated."""
    node = RabbitMQ(tmp_path_factory.mktemp("node")).start()
    yield node
    node.stop()


def test_a_broker_out_of_memory_gets_each_group_once(
    key: models.DsnKey, node: RabbitMQ, tmp_path: Path
) -> None:
    """It stops reading; whoever cut the connection and came again would leave a copy each time."""
    queue = Queue(node.url)
    with Server(key, tmp_path, QUEUE_URL=node.url) as server:
        server.sender.message("before")
        control(node, "set_vm_memory_high_watermark", "0.00001")
        flood = Flood(server)
        flood.grow(500)
        eventually(lambda: "blocked" in server.log)
        flood.grow(500)
        control(node, "set_vm_memory_high_watermark", "0.4")
        flood.grow(100)
        flood.stop()
        assert not flood.refused
        queue.wait_for(flood.answered)
    arrived = [record.event_id for record in queue.records]
    assert len(arrived) == len(set(arrived))


def test_a_record_the_broker_never_takes_is_put_aside(
    key: models.DsnKey, node: RabbitMQ, tmp_path: Path
) -> None:
    queue = Queue(node.url)
    control(node, "eval", "application:set_env(rabbit, max_message_size, 50000).")
    with Server(key, tmp_path, QUEUE_URL=node.url) as server:
        body = b"{}\n" + b'{"type":"attachment","length":60000}\n' + bytes(60_000)
        flood = Flood(server)
        flood.grow(100)
        assert server.sender.envelope(body).status == 200
        flood.grow(100)
        flood.stop()
        queue.wait_for(flood.answered)
        [kept] = (tmp_path / "journal" / "aside").iterdir()
        assert body in kept.read_bytes()
        assert "refuses a record" in server.log


def test_the_database_may_be_away_for_known_keys(key: models.DsnKey, broker: str, tmp_path: Path) -> None:
    queue = Queue()
    where, _, given = database_url().partition("?")
    with before_postgres() as proxy:
        parameters = dict(parse_qsl(given)) | {"host": "127.0.0.1", "port": proxy.port}
        with Server(key, tmp_path, DATABASE_URL=f"{where}?{urlencode(parameters)}") as server:
            assert server.sender.message("known now").status == 200
            proxy.down()
            event_id = uuid.uuid4().hex
            assert server.sender.message("still known", event_id).status == 200
            stranger = {"X-Sentry-Auth": f"Sentry sentry_key={uuid.uuid4().hex}"}
            answer = server.sender.post(f"/api/{server.sender.project}/envelope/", b"{}", stranger)
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
            queue.wait_for({event_id})
