"""The load generator, a process of its own: `python -m tests.benchmarks.load URL KEY PROJECT PROFILE …`.

A profile is phases of requests per second for some seconds, "300:10,3000:20"; rate 0 sends as fast as answers
come. Requests are due at fixed times whatever the server does (an open loop), and their latency counts from
then, so that a stall is seen by every request that it delayed.

With --database every so many-th event is watched until it is stored: that gives the time from accepted to
visible, and --bound keeps the number of events that are accepted and not yet stored below it, so that "as
fast as answers come" becomes "as fast as the whole pipeline goes". Prints one JSON object.

It shares the machine with what it measures, so it is one loop over epoll without any framework.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.benchmarks.bodies import CORPORA, Tail, numbered
from tests.benchmarks.watch import Watch

#: Seconds after the last request is due in which answers still count.
PATIENCE = 30.0
#: Seconds the pipeline may need for what is still under way when the load ends.
DRAIN = 120.0
#: One in so many events is looked for in the database.
WATCHED = 40
TICK = 0.001


@dataclass
class Phase:
    """What came back of the requests that were due in it."""

    rate: float
    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    visible: list[float] = field(default_factory=list)  # from accepted to stored, of the watched ones


@dataclass
class Sent:
    """One request under way."""

    phase: Phase
    since: float
    event_id: str


class Connection:
    """A kept connection with one request under way at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.sent: Sent | None = None
        self.received = b""
        self.rest: bytes = b""
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def send(self, sent: Sent, request: bytes) -> None:
        self.sent = sent
        try:
            done = self.socket.send(request)
        except BlockingIOError:
            done = 0
        self.rest = request[done:] if done < len(request) else b""

    def go_on(self) -> None:
        """Sends what the socket's buffer had no room for."""
        self.rest = self.rest[self.socket.send(self.rest) :]

    def status(self, whole: int) -> tuple[int, int]:
        """(status, bytes of the answer), (0, 0) while it is not complete; raises OSError at its end.

        An answer as long as the last one (`whole`) that begins like an answer is not looked at further.
        """
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError
        if len(data) == whole and not self.received and data.startswith(b"HTTP/1.1 200"):
            return 200, whole
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return 0, 0
        at = self.received.lower().find(b"content-length:", 0, end)
        length = int(self.received[at + 15 : self.received.find(b"\r\n", at)]) if at >= 0 else 0
        if len(self.received) < end + 4 + length:
            return 0, 0
        status, size = int(self.received[9:12]), len(self.received)
        self.received = b""
        return status, size


class Load:
    """One run: what is due, who is free, what came back."""

    def __init__(self, phases: list[Phase], heads: Heads, supply: Iterator[tuple[str, Tail]]) -> None:
        self.phases = phases
        self.heads = heads
        self.supply = supply
        self.watch: Watch | None = None
        self.bound = 0
        self.epoll = select.epoll()
        self.connections: dict[int, Connection] = {}
        self.free: deque[Connection] = deque()
        self.due: deque[tuple[Phase, float]] = deque()
        self.whole = 0
        self.count = 0
        self.begun = self.ended = 0.0

    def connect(self, address: tuple[str, int], connections: int) -> None:
        for _ in range(connections):
            self.add(Connection(address))

    def add(self, connection: Connection) -> None:
        self.connections[connection.socket.fileno()] = connection
        self.epoll.register(connection.socket, select.EPOLLIN)
        self.free.append(connection)

    def run(self) -> None:
        self.begun = at = time.perf_counter()
        for phase in self.phases:
            self.play(phase, at)
            at += phase.seconds
        deadline = time.perf_counter() + PATIENCE
        while (self.due or self.under_way()) and time.perf_counter() < deadline:
            self.pump(None)
            self.turn()
        self.ended = time.perf_counter()
        deadline = self.ended + DRAIN
        while self.watch and self.watch.outstanding and time.perf_counter() < deadline:
            self.turn()

    def play(self, phase: Phase, at: float) -> None:
        """Makes the phase's requests due one after the other and gives them to free connections."""
        end, step = at + phase.seconds, 1 / phase.rate if phase.rate else 0
        if self.watch:
            self.watch.pause = 0.004 if phase.rate else 0.015
        while (now := time.perf_counter()) < end:
            while step and at <= now:
                self.due.append((phase, at))
                at += step
            self.pump(None if step else phase)
            self.turn()

    def under_way(self) -> bool:
        return len(self.free) < len(self.connections)

    def pump(self, endless: Phase | None) -> None:
        while self.free and (self.due or (endless and self.has_room())):
            phase, since = self.due.popleft() if self.due else (endless, time.perf_counter())
            assert phase
            event_id, tail = next(self.supply)
            body = tail.body(event_id)
            connection = self.free.popleft()
            connection.send(Sent(phase, since, event_id), self.heads[tail.sdk] % len(body) + body)
            if connection.rest:
                self.epoll.modify(connection.socket, select.EPOLLIN | select.EPOLLOUT)

    def has_room(self) -> bool:
        if not (self.bound and self.watch):
            return True
        return len(self.watch.outstanding) * WATCHED + len(self.connections) < self.bound

    def turn(self) -> None:
        """Waits up to a tick for answers, and looks whether the watched events are stored."""
        for number, event in self.epoll.poll(TICK):
            if connection := self.connections.get(number):
                self.heed(connection, event)
        if self.watch:
            self.watch.turn()

    def heed(self, connection: Connection, event: int) -> None:
        try:
            if event & select.EPOLLOUT:
                connection.go_on()
                if not connection.rest:
                    self.epoll.modify(connection.socket, select.EPOLLIN)
            if event & ~select.EPOLLOUT:
                status, size = connection.status(self.whole)
                if status:
                    self.whole = size if status == 200 else self.whole
                    self.answered(connection, status)
        except BlockingIOError:
            return
        except OSError:
            self.cut(connection)

    def answered(self, connection: Connection, status: int) -> None:
        sent, connection.sent = connection.sent, None
        assert sent
        now = time.perf_counter()
        sent.phase.statuses[status] += 1
        sent.phase.latencies.append(now - sent.since)
        self.free.append(connection)
        self.count += 1
        if self.watch and status == 200 and self.count % WATCHED == 0:
            self.watch.outstanding[sent.event_id] = (now, sent.phase.visible)

    def cut(self, connection: Connection) -> None:
        """The other side closed: a new connection; a request that was under way has no answer (status 0)."""
        del self.connections[connection.socket.fileno()]
        if connection in self.free:
            self.free.remove(connection)
        if connection.sent:
            connection.sent.phase.statuses[0] += 1
        connection.socket.close()
        self.add(Connection(connection.address))


class Heads(dict[str, bytes]):
    """The head of a request of each SDK, with a place for the length."""

    def __init__(self, where: str, key: str, project: str) -> None:
        super().__init__()
        self.where, self.key, self.project = where, key, project

    def __missing__(self, sdk: str) -> bytes:
        agent = f"{sdk}/2.75.0"
        self[sdk] = (
            f"POST /api/{self.project}/envelope/ HTTP/1.1\r\nHost: {self.where}\r\n"
            f"X-Sentry-Auth: Sentry sentry_key={self.key}, sentry_version=7, sentry_client={agent}\r\n"
            f"User-Agent: {agent}\r\nContent-Type: application/x-sentry-envelope\r\n"
            "Content-Encoding: gzip\r\nContent-Length: "
        ).encode() + b"%d\r\n\r\n"
        return self[sdk]


def summary(load: Load) -> dict[str, object]:
    """Milliseconds, counts by status, CPU of this process and of its questions."""
    statuses = sum((phase.statuses for phase in load.phases), Counter[int]())
    latencies = [each for phase in load.phases for each in phase.latencies]
    visible = [each for phase in load.phases for each in phase.visible]
    taken = load.ended - load.begun
    return {
        "accepted": statuses[200],
        "refused": sum(statuses.values()) - statuses[200] - statuses[0],
        "unanswered": statuses[0],
        "unsent": len(load.due),
        "seconds": round(taken, 3),
        "accepted_per_s": round(statuses[200] / taken, 1),
        "accept_ms": parts(latencies),
        "visible_ms": parts(visible) if load.watch else None,
        "visible_after_s": round(load.watch.last - load.begun, 3) if load.watch else None,
        "waited_s": round(time.perf_counter() - load.begun, 3),
        "never_visible": len(load.watch.outstanding) if load.watch else None,
        "phases": [
            {
                "rate": phase.rate,
                "seconds": phase.seconds,
                "accepted": phase.statuses[200],
                "refused": sum(phase.statuses.values()) - phase.statuses[200],
                "accept_ms": parts(phase.latencies),
                "visible_ms": parts(phase.visible) if load.watch else None,
            }
            for phase in load.phases
        ],
        "watching_cpu_s": round(load.watch.cpu(), 3) if load.watch else 0,
    }


PARTS = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def parts(seconds: list[float]) -> dict[str, float]:
    """Milliseconds within which so large a part of them was done."""
    times = sorted(seconds) or [0.0]
    at = {name: times[min(len(times) - 1, int(len(times) * part))] for name, part in PARTS.items()}
    return {name: round(value * 1000, 2) for name, value in at.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("project")
    parser.add_argument("profile", help='"rate:seconds,…"; rate 0 = as fast as answers come')
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--issues", type=int, default=200)
    parser.add_argument("--corpus", choices=CORPORA, default="python")
    parser.add_argument("--database", default="", help="where events become visible")
    parser.add_argument("--bound", type=int, default=0, help="events that may be accepted and not stored")
    given = parser.parse_args()
    where = urlsplit(given.url)
    heads = Heads(where.netloc, given.key, given.project)
    load = Load(phases(given.profile), heads, numbered(given.issues, corpus=given.corpus))
    next(load.supply)  # everything is compressed before the first request is due
    if given.database:
        load.watch = Watch(given.database, int(given.project))
    load.bound = given.bound
    load.connect((where.hostname or "127.0.0.1", where.port or 80), given.connections)
    before = sum(os.times()[:2])
    load.run()
    print(json.dumps({**summary(load), "cpu_s": round(sum(os.times()[:2]) - before, 3)}))


def phases(profile: str) -> list[Phase]:
    found = (phase.partition(":") for phase in profile.split(","))
    return [Phase(float(rate), float(seconds)) for rate, _, seconds in found]


if __name__ == "__main__":
    main()
