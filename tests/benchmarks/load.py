"""The load generator, a process of its own: `python -m tests.benchmarks.load URL KEY PROJECT PROFILE …`.

A profile is phases of requests per second for some seconds, "300:10,3000:20"; rate 0 sends as fast as answers
come. Requests are due at fixed times whatever the server does (an open loop), and their latency counts from
then, so that a stall is seen by every request that it delayed. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.bodies import bodies

#: Seconds after the last request is due in which answers still count.
PATIENCE = 30.0
AGENT = "sentry.python/2.75.0"


@dataclass
class Load:
    """One run: what is due, who is free, what came back."""

    head: bytes
    supply: Iterator[bytes]
    free: deque[Connection] = field(default_factory=deque)
    due: deque[float] = field(default_factory=deque)
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    begun: float = 0.0
    endless: bool = False

    def pump(self) -> None:
        """Gives due requests to free connections."""
        while self.free and (self.due or self.endless):
            since = self.due.popleft() if self.due else time.perf_counter()
            self.free.popleft().send(self.head, next(self.supply), since)

    def answered(self, connection: Connection, status: int, since: float) -> None:
        self.statuses[status] += 1
        self.latencies.append(time.perf_counter() - since)
        self.free.append(connection)
        self.pump()


class Connection(asyncio.Protocol):
    """A kept connection with one request under way at a time."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.since = 0.0
        self.buffer = b""
        self.is_waiting = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        self.load.free.append(self)

    def send(self, head: bytes, body: bytes, since: float) -> None:
        assert self.transport
        self.since, self.is_waiting = since, True
        self.transport.write(head % len(body) + body)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = self.buffer.lower().find(b"content-length:", 0, end)
        length = int(self.buffer[at + 15 : self.buffer.find(b"\r\n", at)]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        status = int(self.buffer[9:12])
        self.buffer, self.is_waiting = b"", False
        self.load.answered(self, status, self.since)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_waiting:
            self.load.statuses[0] += 1
        elif self in self.load.free:
            self.load.free.remove(self)


async def run(load: Load, host: str, port: int, connections: int, phases: list[tuple[float, float]]) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(load), host, port)
    load.begun = at = time.perf_counter()
    for rate, seconds in phases:
        end = at + seconds
        load.endless = rate == 0
        while (now := time.perf_counter()) < end:
            while rate and at <= now and at < end:
                load.due.append(at)
                at += 1 / rate
            load.pump()
            await asyncio.sleep(0.001)
        at = end
    load.endless = False
    deadline = time.perf_counter() + PATIENCE
    while len(load.free) < connections - load.statuses[0] and time.perf_counter() < deadline:
        load.pump()
        await asyncio.sleep(0.005)


def summary(load: Load) -> dict[str, object]:
    """Milliseconds, counts by status, CPU of this process."""
    taken, times = time.perf_counter() - load.begun, sorted(load.latencies) or [0.0]
    at = {name: times[min(len(times) - 1, int(len(times) * part))] for name, part in PARTS.items()}
    return {
        "accepted": load.statuses[200],
        "refused": sum(load.statuses.values()) - load.statuses[200],
        "statuses": {str(status): count for status, count in sorted(load.statuses.items())},
        "unsent": len(load.due),
        "seconds": round(taken, 3),
        "accepted_per_s": round(load.statuses[200] / taken, 1),
        "latency_ms": {name: round(value * 1000, 2) for name, value in at.items()},
        "cpu_s": round(sum(os.times()[:2]), 3),
    }


PARTS = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("project")
    parser.add_argument("profile", help='"rate:seconds,…"; rate 0 = as fast as answers come')
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--issues", type=int, default=200)
    given = parser.parse_args()
    where = urlsplit(given.url)
    head = (
        f"POST /api/{given.project}/envelope/ HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"X-Sentry-Auth: Sentry sentry_key={given.key}, sentry_version=7, sentry_client={AGENT}\r\n"
        f"User-Agent: {AGENT}\r\nContent-Type: application/x-sentry-envelope\r\n"
        "Content-Encoding: gzip\r\nContent-Length: "
    )
    phases = [(float(rate), float(seconds)) for rate, seconds in map(pair, given.profile.split(","))]
    load = Load(head.encode() + b"%d\r\n\r\n", bodies(given.issues))
    uvloop.run(run(load, where.hostname or "127.0.0.1", where.port or 80, given.connections, phases))
    print(json.dumps(summary(load)))


def pair(phase: str) -> tuple[str, str]:
    rate, _, seconds = phase.partition(":")
    return rate, seconds


if __name__ == "__main__":
    main()
