"""What the brokers and the workers promise together, on RabbitMQ and on Redis alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from app.base import clock
from app.models import ApiToken, DueTask, FailedTask, Heartbeat
from tasks import due, groups, queues
from tests.factories import UserFactory
from tests.ingest.proxy import Proxy
from tests.tasks.crews import Crew, database_url, eventually


def beats(*names: str) -> bool:
    return Heartbeat.objects.filter(queue__in=names, at__gt=clock.from_micros(0)).count() == len(names)


def test_a_due_task_runs(crew: Crew) -> None:
    due.put("operations.heartbeat", ["by hand"])
    eventually(lambda: beats("by hand"))
    assert not DueTask.objects.exists()


def test_a_killed_worker_loses_nothing(crew: Crew) -> None:
    """Tasks that hang on a locked row are killed again and again, and in the end all have run."""
    names = [f"q{number}" for number in range(20)]
    Heartbeat.objects.create(queue="q7", at=clock.from_micros(0))
    with psycopg.connect(database_url()) as other:
        other.execute("select * from app_heartbeat where queue = 'q7' for update")
        for name in names:
            due.put("operations.heartbeat", [name])
        for _ in range(2):
            sessions = eventually(blocked)
            crew.kill_children()
            forget(sessions)  # PostgreSQL would finish the dead worker's statement for it
        eventually(blocked)
        assert not beats(*names)
    eventually(lambda: beats(*names), 60)


@pytest.fixture
def distant(broker: str, transactional_db: None, tmp_path: Path) -> Iterator[tuple[Crew, Proxy]]:
    """Workers whose broker can be taken away."""
    parts = urlsplit(broker)
    with Proxy((parts.hostname or "", parts.port or 0)) as proxy:
        address = parts.netloc.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{proxy.port}")
        crew = Crew(tmp_path, QUEUE_URL=urlunsplit(parts._replace(netloc=address)))
        crew.start()
        yield crew, proxy
        crew.stop()
        print(crew.log())


def test_a_broker_that_went_while_a_task_ran_is_served_again(distant: tuple[Crew, Proxy]) -> None:
    """The task's message cannot be acknowledged; nobody must go on waiting with it in hand."""
    crew, proxy = distant
    Heartbeat.objects.create(queue="q7", at=clock.from_micros(0))
    with psycopg.connect(database_url()) as other:
        other.execute("select * from app_heartbeat where queue = 'q7' for update")
        due.put("operations.heartbeat", ["q7"])
        eventually(blocked)
        proxy.down()
    # On Redis a worker ends, on RabbitMQ it connects again.
    eventually(lambda: "rest-1 ended" in crew.log() or "Connection to broker lost" in crew.log())
    proxy.up()
    due.put("operations.heartbeat", ["afterwards"])
    eventually(lambda: beats("q7", "afterwards"))


def blocked() -> list[int]:
    """PostgreSQL's sessions of the workers that wait for the row the test has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pid from pg_stat_activity"
            " where wait_event_type = 'Lock' and query like '%%app_heartbeat%%'"
            " and datname = current_database()"
        )
        return [pid for (pid,) in cursor.fetchall()]


def forget(sessions: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(pid, 5000) from unnest(%s) pid", [sessions])


def test_a_warm_stop_finishes_the_task_and_leaves_nobody_behind(crew: Crew) -> None:
    due.put("operations.heartbeat", ["before the stop"])
    eventually(lambda: beats("before the stop"))
    assert crew.stop() == 0
    crew.start()
    due.put("operations.heartbeat", ["after the stop"])
    eventually(lambda: beats("after the stop"))


def test_nothing_outlives_a_killed_parent(crew: Crew) -> None:
    eventually(lambda: len(crew.children()) == 3)
    children = crew.children()
    crew.process.kill()
    crew.process.wait(5)
    eventually(lambda: not any(child.is_running() and child.status() != "zombie" for child in children), 5)
    crew.start()


@contextmanager
def database_away() -> Iterator[None]:
    """Every connection to the test's database breaks, and no new one is let in."""
    name = connection.settings_dict["NAME"]
    connection.close()
    with psycopg.connect(database_url().replace(f"/{name}", "/postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(name)))
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(sql.SQL("alter database {} allow_connections true").format(sql.Identifier(name)))


def test_a_task_that_fails_while_the_database_is_away_is_not_lost(crew: Crew) -> None:
    ApiToken.objects.create(
        user=UserFactory.create(), name="old", digest="x", scopes=[], expires=clock.from_micros(0)
    )
    eventually(lambda: "rest-1" in crew.log())
    with database_away():
        publish([[], {}, {}], serializer="json", headers=groups.headers("late") | {"task": "accounts.expire"})
        eventually(lambda: "waiting, so that no failure is lost" in crew.log())
    eventually(lambda: not ApiToken.objects.exists())


def publish(body: Any, **how: Any) -> None:
    """A message straight into the queue `process`, past Celery."""
    exchange, key = queues.route("process")
    with queues.connect() as broker:
        broker.Producer().publish(body, exchange=exchange, routing_key=key, delivery_mode=2, **how)


def dead(message_id: str) -> FailedTask:
    due.put("operations.collect_dead_letters", [])
    row: FailedTask = eventually(lambda: FailedTask.objects.filter(message_id=message_id).first())
    return row


def test_a_message_nobody_can_read_is_kept_for_a_person(crew: Crew) -> None:
    publish(
        b"\xff\x00 no json",
        content_type="application/json",
        content_encoding="utf-8",
        headers={"task": "accounts.expire", "id": "garbled"},
    )
    publish(b"abc", content_type="application/x-pickle", content_encoding="binary", headers={"id": "odd"})
    eventually(lambda: waiting("dead") == 2)
    row = dead("garbled")
    assert (row.task, row.args, bytes(row.body or b"")) == ("accounts.expire", None, b"\xff\x00 no json")
    assert dead("odd").args is None


def test_a_message_of_another_shape_does_not_end_its_worker(crew: Crew) -> None:
    """Where the consumer died of it, it came back to the next one for ever, and the queue stood still."""
    headers = groups.headers("empty")
    publish(b"", content_type=groups.CONTENT_TYPE, content_encoding="binary", headers=headers)
    publish(5, serializer="json", headers={"task": "accounts.expire", "id": "five"})
    eventually(lambda: waiting("dead") == 2)
    assert (dead("empty").task, dead("five").args) == ("events.process_group", None)


def test_a_task_of_another_version_is_kept_for_a_person(crew: Crew) -> None:
    headers = groups.headers("unknown") | {"task": "events.forget"}
    publish([[7], {}, {}], serializer="json", headers=headers)
    eventually(lambda: waiting("dead") == 1)
    assert dead("unknown").args == [7]


def waiting(queue: str) -> int:
    with queues.connect() as broker:
        depth = queues.depth(broker, queue)
        return depth.messages if depth else 0


def test_a_group_travels_as_its_raw_bytes(broker: str) -> None:
    group = bytes(range(256))
    exchange, key = queues.event_route()
    with queues.connect() as connection_:
        connection_.Producer().publish(
            group,
            exchange=exchange,
            routing_key=key,
            serializer=groups.SERIALIZER,
            headers=groups.headers("g1"),
        )
        message: Any = queues.consumed("events")(connection_.channel()).get(accept=[groups.CONTENT_TYPE])
        assert message.body == group
        assert message.payload == ([group], {}, {})
        message.ack()
        if not queues.is_amqp():
            return
        # What RabbitMQ counted: the body and nothing around it.
        assert len(json.dumps(message.properties, default=str)) < 500


def test_declaring_twice_changes_nothing(broker: str) -> None:
    publish({}, serializer="json")
    with queues.connect() as connection_:
        queues.declare(connection_)
        queues.declare(connection_)
    assert waiting("process") == 1
