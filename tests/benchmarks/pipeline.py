"""Accepted to visible: `python -m tests.benchmarks.pipeline [--stand shipped] [--profile 0:30]`.

The load generator sends 20 KB Python events of 200 issues; beside it a prober sends its own and looks
for each in the database until it is there. Figures: events per second from the first request to the last
visible event, CPU per event and role, latencies of accepting and of becoming visible, memory, and the count:
what was answered 200 and what is stored.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
import uuid
from typing import Any

import psycopg
import requests

from tests.benchmarks.bodies import bodies
from tests.benchmarks.stand import Stand, embedded, shipped

PROBES_PER_S = 5
#: Seconds the pipeline may need for what is still under way when the load ends.
DRAIN = 120.0


class Prober(threading.Thread):
    """Sends an event now and then and measures how long until it is stored."""

    def __init__(self, stand: Stand) -> None:
        super().__init__(daemon=True)
        self.stand = stand
        self.seconds: list[float] = []
        self.accepted = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        supply, session = bodies(1, seed=1), requests.Session()
        url = f"{self.stand.url}/api/{self.stand.project}/envelope/?sentry_key={self.stand.key}"
        with psycopg.connect(self.stand.database, autocommit=True) as connection:
            while not self.stopped.wait(1 / PROBES_PER_S):
                begun = time.perf_counter()
                answer = session.post(url, next(supply), headers={"Content-Encoding": "gzip"}, timeout=30)
                if answer.status_code == 200:
                    self.accepted += 1
                    self.look_for(connection, uuid.UUID(answer.json()["id"]), begun)

    def look_for(self, connection: psycopg.Connection[Any], event_id: uuid.UUID, begun: float) -> None:
        """Asks every few milliseconds."""
        sql = (
            "select 1 from app_event where day = (now() at time zone 'utc')::date"
            " and project_id = %s and event_id = %s"
        )
        while not connection.execute(sql, [self.stand.project, event_id], prepare=True).fetchone():
            if self.stopped.wait(0.004) or time.perf_counter() - begun > DRAIN:
                return
        self.seconds.append(time.perf_counter() - begun)


def measure(stand: Stand, profile: str, connections: int = 32) -> dict[str, Any]:
    """One run of the load against a stand that is up."""
    with psycopg.connect(stand.database, autocommit=True) as connection:
        generate(stand, "200:3", connections)  # warm: keys, names, plans, issues
        warm = drained(stand, connection, stand.stored(connection), 0)
        prober = Prober(stand)
        before, begun = stand.cpu(), time.perf_counter()
        prober.start()
        load = generate(stand, profile, connections)
        prober.stopped.set()
        prober.join(DRAIN)
        sent = load["accepted"] + prober.accepted
        stored = drained(stand, connection, warm, sent) - warm
        taken = time.perf_counter() - begun
        after = stand.cpu()
        lost_or_doubled = counted(connection, stand)
    per_role = {role: round((after[role] - before.get(role, 0)) / max(1, stored) * 1e6, 1) for role in after}
    generator = round(load["cpu_s"] / max(1, sent) * 1e6, 1)
    return {
        "accepted": sent,
        "refused": load["refused"],
        "stored": stored,
        "lost": sent - stored,
        **lost_or_doubled,
        "seconds": round(taken, 2),
        "end_to_end_per_s": round(stored / taken, 1),
        "us_per_event": round(sum(per_role.values()), 1),
        "us_per_event_by_role": per_role,
        "load_generator_us": generator,
        "accept_ms": load["latency_ms"],
        "visible_ms": parts(prober.seconds),
        "memory": stand.memory(),
    }


def generate(stand: Stand, profile: str, connections: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.load",
        stand.url,
        stand.key,
        str(stand.project),
        profile,
    ]
    ran = subprocess.run(
        [*command, f"--connections={connections}"], check=True, capture_output=True, text=True
    )
    figures: dict[str, Any] = json.loads(ran.stdout)
    return figures


def drained(stand: Stand, connection: psycopg.Connection[Any], start: int, expected: int) -> int:
    """How many are stored when all are, or when for ten seconds none was added."""
    stored, changed = stand.stored(connection), time.monotonic()
    while time.monotonic() - changed < (10 if expected else 2) and stored < (
        start + expected if expected else 1e18
    ):
        time.sleep(0.02)
        if (now := stand.stored(connection)) != stored:
            stored, changed = now, time.monotonic()
    return stored


def counted(connection: psycopg.Connection[Any], stand: Stand) -> dict[str, int]:
    """Counters against rows: the sums differ when something was lost or counted twice."""
    (rows,) = connection.execute("select count(*) from app_event").fetchone() or (0,)
    (issues,) = connection.execute("select sum(events) from app_issue").fetchone() or (0,)
    return {"rows": int(rows), "issue_counters": int(issues), "doubled": int(issues) - int(rows)}


def parts(seconds: list[float]) -> dict[str, float]:
    times = sorted(seconds) or [0.0]
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {
        name: round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 1) for name, part in at.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stand", choices=["shipped", "embedded"], default="shipped")
    parser.add_argument(
        "--profile", default="0:20", help='"rate:seconds,…"; rate 0 = as fast as answers come'
    )
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    with shipped() if given.stand == "shipped" else embedded() as stand:
        print(json.dumps(measure(stand, given.profile, given.connections), indent=1))


if __name__ == "__main__":
    main()
