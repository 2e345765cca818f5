"""Real services for the tests, found once per run: a pytest plugin (`-p tests.services`).

Each is, in this order: the one that the environment names; the one that answers at its usual port on this
machine; one that we start ourselves, out of the system's packages or a wheel. What cannot be had is absent:
tests that need it are skipped, and the last lines of the run name it as not tested. TOCSIN_REQUIRE (a list
such as `amqp,chromium,nginx`; all of them where CI is set) makes an absence a failure before the first test.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import amqp
import psycopg
import pytest
import redis

from app.local import postgres, rabbitmq
from app.local.postgres import Postgres
from app.local.rabbitmq import RabbitMQ
from app.local.valkey import Valkey

PACKAGES = {
    "amqp": ("RabbitMQ", "rabbitmq-server"),
    "chromium": ("Chromium", "chromium"),
    "nginx": ("nginx", "nginx"),
}
CLAIM_SECONDS = 3600
ends: list[Callable[[], None]] = []  # what is to be undone after the run, last first


def prepare() -> None:
    """Put the services' addresses into the environment, before Django reads its settings."""
    if "TOCSIN_TEST_RUN" in os.environ:  # a worker of pytest-xdist: its parent has done it
        return
    os.environ["TOCSIN_TEST_RUN"] = run = f"{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="tocsin-test-"))
    folder.chmod(0o711)  # a PostgreSQL that we start as root has to pass
    ends.append(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["TOCSIN_TEST_FOLDER"] = str(folder)
    os.environ.setdefault("PYTEST_DB", f"run{run}")
    os.environ.setdefault("QUEUE_PREFIX", f"test-{run}-")
    os.environ.setdefault("DATABASE_URL", running_postgres() or own_postgres(folder))
    os.environ.setdefault("REDIS_URL", running_redis() or own_valkey(folder))
    os.environ.setdefault("TOCSIN_BROKER_REDIS", os.environ["REDIS_URL"])
    if url := os.environ.get("TOCSIN_BROKER_AMQP") or running_rabbitmq():
        os.environ["TOCSIN_BROKER_AMQP"] = url
        ends.append(drop_queues)
    os.environ.setdefault("QUEUE_URL", url or os.environ["TOCSIN_BROKER_REDIS"])
    os.environ["TOCSIN_ABSENT"] = json.dumps(sorted(name for name in PACKAGES if not is_there(name)))


def is_there(name: str) -> bool:
    if name == "amqp":
        return "TOCSIN_BROKER_AMQP" in os.environ or rabbitmq.find() is not None
    return program(name) is not None


def program(name: str) -> str | None:
    """Chromium has several names, and nginx is where only root's PATH looks."""
    names = {"chromium": ("chromium", "chromium-browser", "google-chrome")}.get(name, (name,))
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    return next((found for one in names if (found := shutil.which(one, path=path))), None)


def running_postgres() -> str | None:
    """A server here that lets us make databases."""
    for host in ("127.0.0.1", "/var/run/postgresql"):
        for user in dict.fromkeys((getpass.getuser(), "postgres")):
            try:
                with psycopg.connect(
                    host=host, user=user, dbname="postgres", connect_timeout=2
                ) as connection:
                    may = "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
                    if connection.execute(may).fetchone() == (True,):
                        in_a_folder = host.startswith("/")
                        return (
                            f"postgres:///postgres?host={host}&user={user}"
                            if in_a_folder
                            else f"postgres://{user}@{host}/postgres"
                        )
            except psycopg.Error:
                continue
    return None


def own_postgres(folder: Path) -> str:
    server = Postgres(folder, programs=postgres.installed()).start()
    ends.append(server.stop)
    return server.url


def running_redis() -> str | None:
    """An empty database of the server here, ours until the end of the run."""
    try:
        with redis.Redis(socket_timeout=2) as server:
            for number in range(15, 1, -1):
                claim = f"tocsin:test:{number}"
                with redis.Redis(db=number, socket_timeout=2) as database:
                    if database.dbsize() == 0 and server.set(claim, os.getpid(), nx=True, ex=CLAIM_SECONDS):
                        ends.append(lambda claim=claim, number=number: give_back(claim, number))  # type: ignore[misc]
                        return f"redis://127.0.0.1:6379/{number}"
    except redis.RedisError:
        pass
    return None


def give_back(claim: str, number: int) -> None:
    with redis.Redis(db=number) as database:
        database.flushdb()
    with redis.Redis() as server:
        server.delete(claim)


def own_valkey(folder: Path) -> str:
    server = Valkey(folder).start()
    ends.append(server.stop)
    os.environ.setdefault("TOCSIN_BROKER_REDIS", server.queue_url)
    return server.cache_url


def running_rabbitmq() -> str | None:
    try:
        with amqp.Connection("127.0.0.1:5672", userid="guest", password="guest", connect_timeout=2):
            return "amqp://guest:guest@127.0.0.1:5672//"
    except (OSError, amqp.AMQPError):
        return None


def drop_queues() -> None:
    """Nothing of this run stays in a broker that others use too."""
    from kombu import Connection

    from tasks.catalogue import QUEUES

    prefix = os.environ["QUEUE_PREFIX"]
    names = [f"{prefix}{queue.name}" for queue in QUEUES]
    try:
        with Connection(os.environ["TOCSIN_BROKER_AMQP"], connect_timeout=3) as connection:
            channel: Any = connection.channel()
            for name in [*names, f"{prefix}dead"]:
                channel.queue_delete(name)
            for name in ("tasks", "dead"):
                channel.exchange_delete(f"{prefix}{name}")
    except (OSError, amqp.AMQPError):
        return


def own_rabbitmq() -> RabbitMQ:
    """Started when the first test asks: it is the slowest."""
    node = RabbitMQ(
        Path(os.environ["TOCSIN_TEST_FOLDER"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
    ).start()
    ends.append(node.stop)
    return node


prepare()
ABSENT: list[str] = json.loads(os.environ["TOCSIN_ABSENT"])


def words(name: str) -> str:
    what, package = PACKAGES[name]
    return f"{what} is not installed (apt-get install -y {package})"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(*names): skipped, and named, where amqp, chromium or nginx is absent"
    )
    everything = "amqp,chromium,nginx" if os.environ.get("CI", "").lower() in ("1", "true") else ""
    required = (os.environ.get("TOCSIN_REQUIRE") or everything).split(",")
    if missing := [words(name) for name in ABSENT if name in required]:
        raise pytest.UsageError("; ".join(missing))
    if not config.option.basetemp:
        config.option.basetemp = str(Path(os.environ["TOCSIN_TEST_FOLDER"]) / "tmp")


def pytest_unconfigure(config: pytest.Config) -> None:
    while ends:
        ends.pop()()


def pytest_report_header() -> list[str]:
    names = ("DATABASE_URL", "REDIS_URL", "TOCSIN_BROKER_AMQP", "QUEUE_URL")
    return [f"{name}: {os.environ[name]}" for name in names if name in os.environ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        wanted = [name for marker in item.iter_markers("needs") for name in marker.args]
        if unknown := set(wanted) - PACKAGES.keys():
            raise pytest.UsageError(f"{item.nodeid} needs {unknown}, which tests/services.py does not know")
        for name in wanted:
            if name in ABSENT:
                item.add_marker(pytest.mark.skip(reason=f"not tested: {words(name)}"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """After everything else that is said."""
    yield
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    for name in ABSENT:
        number = sum(words(name) in reason for reason in reasons)
        terminalreporter.write_line(f"not tested: {words(name)}: {number} tests", yellow=True, bold=True)
