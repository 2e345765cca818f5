"""The transport for Redis and Valkey: nothing is lost wherever a consumer dies, and nobody waits in vain."""

from __future__ import annotations

import base64
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Consumer
from kombu.utils.json import dumps
from pytest_django.fixtures import Settings
from redis.connection import AbstractConnection

from app.local.valkey import Valkey
from app.models import FailedTask
from tasks import deadletters, groups, queues, valkey
from tests.tasks.crews import eventually

on_redis = pytest.mark.parametrize("broker", ["redis"], indirect=True)


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/3", "rediss://example.com/0", "redis+socket:///run/v.sock?virtual_host=0"]
)
def test_every_form_of_address_has_dead_letters(url: str, settings: Settings) -> None:
    settings.QUEUE_URL = url
    assert queues.connect().transport_cls is not None
    assert isinstance(queues.connect().transport, valkey.Transport)


def publish(*bodies: float, queue: str = "process") -> None:
    exchange, key = queues.route(queue)
    with queues.connect() as connection:
        for body in bodies:
            connection.Producer().publish(body, exchange=exchange, routing_key=key, serializer="json")


def waiting(queue: str = "process") -> int:
    with queues.connect() as connection:
        depth = queues.depth(connection, queue)
        assert depth
        return depth.messages


def get(connection: Connection, queue: str = "process") -> Any:
    return queues.consumed(queue)(connection.channel()).get()


def restore(node: str = "one") -> int:
    with queues.connect(node) as connection:
        return valkey.restore_own(connection)


@contextmanager
def consuming(handle: Any, *names: str, node: str = "one") -> Iterator[Callable[[float], None]]:
    """Waits, each time it is called, for one message of these queues for at most so many seconds."""
    with queues.connect(node) as connection:
        channel: Any = connection.channel()
        channel.basic_qos(0, 1, False)
        wanted = [queues.consumed(name) for name in names or ["process"]]
        with Consumer(channel, wanted, on_message=handle):
            yield lambda seconds: connection.drain_events(timeout=seconds)


def collect(count: int, *names: str, node: str = "one", seconds: float = 20) -> list[Any]:
    """So many messages, each acknowledged at once."""
    messages: list[Any] = []

    def handle(message: Any) -> None:
        messages.append(message)
        message.ack()

    end = time.monotonic() + seconds
    with consuming(handle, *names, node=node) as wait:
        while len(messages) < count:
            assert time.monotonic() < end, f"{len(messages)} of {count} in {seconds} s"
            try:
                wait(1)
            except TimeoutError:
                continue
    return messages


def server(connection: Connection) -> tuple[Any, str]:
    """A client of the server, and what all our keys begin with."""
    channel: Any = connection.channel()
    return redis.Redis(connection_pool=channel.pool), channel.global_keyprefix


def lose_hints(queue: str = "process") -> int:
    with queues.connect() as connection:
        client, prefix = server(connection)
        return int(client.delete(f"{prefix}{queues.queue_name(queue)}{valkey.HINTS}"))


def in_hand(node: str = "one") -> int:
    with queues.connect(node) as connection:
        client, prefix = server(connection)
        noted, numbered = (
            client.zcard(f"{prefix}in_hand_index:{node}"),
            client.hlen(f"{prefix}in_hand:{node}"),
        )
        assert noted == numbered
        return int(noted)


def killed_after(commands: int, consumes: bool, end: str) -> str:
    """How far one came who takes a message and ends it, killed with its so manieth command just sent."""
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        try:
            die_after(commands)
            take_one(consumes, end, writing)
        finally:
            os._exit(1)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        return told.read()


def die_after(commands: int) -> None:
    send: Any = AbstractConnection.send_packed_command
    sent = 0

    def send_or_die(self: Any, *args: Any, **how: Any) -> None:
        nonlocal sent
        send(self, *args, **how)
        sent += 1
        if sent == commands:
            os.kill(os.getpid(), signal.SIGKILL)

    AbstractConnection.send_packed_command = send_or_die  # type: ignore[method-assign]


def take_one(consumes: bool, end: str, told: int) -> None:
    def handle(message: Any) -> None:
        os.write(told, b"taken ")
        getattr(message, end)()
        os.write(told, b"ended")

    if consumes:
        with consuming(handle) as wait:
            wait(5)
    else:
        with queues.connect("one") as connection:
            handle(get(connection))


@on_redis
@pytest.mark.parametrize("end", ["ack", "reject", "requeue"])
@pytest.mark.parametrize("consumes", [True, False], ids=["consume", "get"])
def test_a_kill_after_any_command_leaves_a_message_in_one_place(
    broker: str, consumes: bool, end: str
) -> None:
    for commands in range(1, 60):
        publish(commands)
        told = killed_after(commands, consumes, end)
        if told == "taken ended":
            break
        if told == "" or end != "ack":
            # The server may still have to read what the dead one sent.
            eventually(lambda: restore() or waiting() + waiting("dead") == 1, 5)
        restore()
        places = (waiting(), waiting("dead"), in_hand())
        unsure = {"ack": (0, 0, 0), "reject": (0, 1, 0), "requeue": (1, 0, 0)}[end]
        assert places == (1, 0, 0) or (told and places == unsure), f"{places} after {commands}: {told!r}"
        forget()
    assert commands > 5
    assert told == "taken ended"


def forget() -> None:
    with queues.connect() as connection:
        channel: Any = connection.channel()
        for queue in ("process", "cleanup", "dead"):
            channel.queue_purge(queues.queue_name(queue))


@on_redis
def test_what_a_killed_consumer_had_comes_back_once_marked_and_as_the_next(broker: str) -> None:
    publish(1, 2)
    with queues.connect("one") as connection:
        assert get(connection).payload == 1
        restored = restore()  # by another process of its name, after a kill that nobody cleaned up behind
        assert (restored, restore(), in_hand(), waiting()) == (1, 0, 0, 2)
    first, second = collect(2)
    assert (first.payload, second.payload) == (1, 2)
    assert first.delivery_info["redelivered"]
    assert "redelivered" not in second.delivery_info


@on_redis
def test_a_node_that_never_comes_again_does_not_keep_its_messages(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(1, 2)
    with queues.connect("gone") as connection, queues.connect() as ours:
        get(connection)
        valkey.restore_abandoned(ours)
        assert (waiting(), in_hand("gone")) == (1, 1)
        monkeypatch.setattr(queues, "VISIBILITY_TIMEOUT", -1)
        valkey.restore_abandoned(ours)
        assert (waiting(), in_hand("gone")) == (2, 0)


@on_redis
def test_one_who_asks_again_over_a_new_connection_gets_the_same_message(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(1, 2)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=7))
    with queues.connect("one") as connection:
        assert [get(connection).payload, get(connection).payload] == [1, 1]
        assert (waiting(), in_hand()) == (1, 1)


@on_redis
def test_a_message_without_a_hint_waits_a_second(broker: str) -> None:
    publish(7)
    got: list[Any] = []
    with queues.connect() as connection, consuming(got.append, "process", "cleanup") as wait:
        client, prefix = server(connection)
        key = f"{prefix}{queues.queue_name('process')}"
        raw = client.rpop(key)
        lose_hints()
        with pytest.raises(TimeoutError):
            wait(0.1)  # it now waits at the server
        client.lpush(key, raw)
        eventually(lambda: soon(wait, got), 5)
    assert [message.payload for message in got] == [7]


def soon(wait: Callable[[float], None], got: list[Any]) -> bool:
    with suppress(TimeoutError):
        wait(0.5)
    return bool(got)


@on_redis
def test_a_queue_without_hints_is_not_starved_by_a_busy_one(broker: str) -> None:
    publish(7, queue="cleanup")
    assert lose_hints("cleanup")
    publish(0)
    order: list[int] = []

    def handle(message: Any) -> None:
        order.append(message.payload)
        message.ack()
        if 7 not in order:
            publish(0)  # the other one never runs dry

    with consuming(handle, "process", "cleanup") as wait:
        eventually(lambda: wait(5) or 7 in order, 10)


@on_redis
def test_a_backlog_longer_than_its_hints_does_not_trickle(broker: str) -> None:
    backlog = 3 * valkey.MOST_HINTS
    publish(*range(backlog))
    assert [message.payload for message in collect(backlog)] == list(range(backlog))


@on_redis
def test_several_queues_take_turns(broker: str) -> None:
    publish(*[1] * 20)
    publish(*[2] * 20, queue="cleanup")
    turns = [message.payload for message in collect(40, "process", "cleanup")]
    assert turns == [1, 2] * 20


@on_redis
def test_two_consumers_never_get_one_message_both(broker: str) -> None:
    got: list[int] = []

    def work(node: str) -> None:
        def handle(message: Any) -> None:
            got.append(message.payload)
            message.ack()

        with consuming(handle, node=node) as wait:
            while len(got) < 300 and time.monotonic() < end:
                try:
                    wait(0.2)
                except TimeoutError:
                    continue

    end = time.monotonic() + 30
    threads = [threading.Thread(target=work, args=(node,)) for node in ("one", "two")]
    for thread in threads:
        thread.start()
    publish(*range(300))
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(300))
    assert (waiting(), in_hand("one"), in_hand("two")) == (0, 0, 0)


@on_redis
def test_a_waiting_consumer_has_a_message_at_once(broker: str) -> None:
    """Not only when its waiting ends, which is each second."""
    delays: list[float] = []

    def handle(message: Any) -> None:
        delays.append(time.time() - message.payload)
        message.ack()

    with consuming(handle) as wait:
        for _ in range(5):
            sender = threading.Timer(0.2, lambda: publish(time.time()))
            sender.start()
            wait(5)
            sender.join()
    assert min(delays) < 0.2


@on_redis
def test_one_who_stops_waiting_takes_nothing_along(broker: str) -> None:
    with consuming(print) as wait:
        with pytest.raises(TimeoutError):
            wait(0.1)  # it now waits at the server
        publish(1)
    assert (waiting(), in_hand(), lose_hints()) == (1, 0, 1)


@on_redis
def test_what_is_in_our_list_and_not_ours_becomes_a_dead_letter(broker: str, db: None) -> None:
    with queues.connect() as connection:
        client, prefix = server(connection)
        client.lpush(f"{prefix}{queues.queue_name('process')}", b"\xff no message")
        get(connection).requeue()
        get(connection).reject()
    assert deadletters.collect() == 1
    assert bytes(FailedTask.objects.get().body or b"") == b"\xff no message"


@on_redis
def test_a_group_is_no_larger_in_its_queue_than_it_came_in(broker: str) -> None:
    group = os.urandom(100_000)
    publish_group(group)
    with queues.connect("one") as connection:
        client, prefix = server(connection)
        raw = client.lindex(f"{prefix}{queues.queue_name('events')}", 0)
        assert group in raw
        assert len(raw) < len(group) + 1000
        get(connection, "events").requeue()
        again = get(connection, "events")
        assert (again.payload[0][0], again.delivery_info["redelivered"]) == (group, True)


def publish_group(group: bytes) -> None:
    exchange, key = queues.event_route()
    with queues.connect() as connection:
        connection.Producer().publish(
            group,
            exchange=exchange,
            routing_key=key,
            content_type=groups.CONTENT_TYPE,
            content_encoding="binary",
        )


@on_redis
def test_what_an_older_version_left_in_a_queue_is_read(broker: str) -> None:
    publish(7)
    with queues.connect("one") as connection:
        client, prefix = server(connection)
        key = f"{prefix}{queues.queue_name('process')}"
        message = valkey.parsed(client.rpop(key))
        message["body"] = base64.b64encode(message["body"]).decode()
        message["properties"]["body_encoding"] = "base64"
        client.lpush(key, dumps(message))
        get(connection).requeue()
        assert get(connection).payload == 7


def test_a_server_out_of_memory_takes_nothing_new_and_still_empties(
    tmp_path: Path, settings: Settings
) -> None:
    own = Valkey(tmp_path).start()
    try:
        settings.QUEUE_URL, settings.QUEUE_PREFIX = own.queue_url, "full-"
        publish(1, 2, 3, 4)
        lose_hints()
        with queues.connect() as connection:
            server(connection)[0].config_set("maxmemory", 1)
            with pytest.raises(queues.publish_errors()):
                publish(5)
            first = get(connection)
            first.requeue()
            get(connection).reject()
            assert (waiting(), waiting("dead")) == (3, 1)
        assert lose_hints()
        assert [message.payload for message in collect(3)] == [3, 4, 1]
    finally:
        own.stop()
