"""One load against a stand that is up: what came back, what became visible, what it cost, and the count."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import psycopg

from tests.benchmarks.stand import Stand
from tests.flow.installation import ROOT, wait_for

#: Seconds the pipeline may need for what is still under way when the load ends.
DRAIN = 120.0
#: Seconds until counters that are moved later agree with the rows.
SETTLE = 30.0
#: Seconds of load before the one that counts: plans, bases, dictionaries and caches are filled by it.
WARM = 10.0
#: Seconds until what it caused besides is done: 200 new issues are mailed.
QUIET = 120.0
#: Every way in which events are counted, as a sum over all of them.
COUNTERS = {
    "issues": "select coalesce(sum(events), 0) from app_issue",
    "hours": "select coalesce(sum(events), 0) from app_issuehour",
    "outcomes": "select coalesce(sum(quantity), 0) from app_outcome where outcome = 'accepted'",
}


def measure(
    stand: Stand, profile: str, *, bound: int = 0, connections: int = 32, **corpus: Any
) -> dict[str, Any]:
    """One run of a profile, on a stand that is warm; `corpus` and `issues` say of what."""
    with psycopg.connect(stand.database, autocommit=True) as connection:
        warmed = warm_up(stand, connection, connections=connections, **corpus)
        rows, before = count(connection), stand.cpu()
        load = generate(stand, profile, bound=bound, connections=connections, **corpus)
        visible_after = drained(connection, rows["distinct"] + load["accepted"], load)
        counters = settled(connection)
        after, now = stand.cpu(), count(connection)
    events = max(1, now["rows"] - rows["rows"])
    after["postgres"] -= load["watching_cpu_s"]
    by_role = {role: round((after[role] - before.get(role, 0)) / events * 1e6, 1) for role in after}
    stored = now["distinct"] - rows["distinct"]
    return {
        "accepted": load["accepted"],
        "refused": load["refused"],
        "unanswered": load["unanswered"],
        "stored": stored,
        "lost": max(0, load["accepted"] - stored),
        "doubled": now["rows"] - now["distinct"],
        "counters": counters,
        "accepted_per_s": load["accepted_per_s"],
        "end_to_end_per_s": round(stored / visible_after, 1),
        "accept_ms": load["accept_ms"],
        "visible_ms": load["visible_ms"],
        "phases": load["phases"],
        "us_per_event": round(sum(by_role.values()), 1),
        "us_per_event_by_role": by_role,
        "us_load_generator": round(load["cpu_s"] / max(1, load["accepted"]) * 1e6, 1),
        "memory": stand.memory(),
        "warm_up": warmed,
    }


def warm_up(stand: Stand, connection: psycopg.Connection[Any], **load: Any) -> dict[str, float]:
    """A load of the same kind, told apart because its events cost about twice as much."""
    generate(stand, "200:3", **load)  # a few of each issue first, so that not all workers make all of them
    settled(connection)
    rows, before = count(connection)["rows"], stand.cpu()
    generate(stand, f"0:{WARM}", bound=1000, **load)
    settled(connection)
    wait_for(lambda: not pending(connection), "what new issues cause", QUIET)
    spent, stored = stand.cpu(), count(connection)["rows"] - rows
    used = sum(spent.values()) - sum(before.get(role, 0) for role in spent)
    return {"stored": stored, "us_per_event": round(used / max(1, stored) * 1e6, 1)}


def pending(connection: psycopg.Connection[Any]) -> bool:
    """Whether somebody is still to be told of something."""
    sql = "select exists (select from app_notification where state in ('pending', 'sending'))"
    return bool((connection.execute(sql).fetchone() or (False,))[0])


def generate(
    stand: Stand, profile: str, *, bound: int = 0, connections: int = 32, **corpus: Any
) -> dict[str, Any]:
    """What the load generator printed."""
    options = [f"--{name}={value}" for name, value in corpus.items()]
    options += [f"--database={stand.database}", f"--bound={bound}", f"--connections={connections}"]
    return ask(stand.url, stand.key, str(stand.project), profile, *options)


def ask(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.load", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    figures: dict[str, Any] = json.loads(ran.stdout)
    return figures


def drained(connection: psycopg.Connection[Any], expected: int, load: dict[str, Any]) -> float:
    """Seconds from the first request to the last visible event; waits for all, or until nothing moves.

    The watched events tell the moment, unless the count says that others came later.
    """
    began = time.monotonic() - load["waited_s"]
    seconds: float = load["visible_after_s"]
    stored = count(connection)["distinct"]
    changed = time.monotonic()
    while stored < expected and time.monotonic() - changed < DRAIN:
        time.sleep(0.1)
        if (now := count(connection)["distinct"]) != stored:
            stored, changed = now, time.monotonic()
            seconds = changed - began
    return seconds


def count(connection: psycopg.Connection[Any]) -> dict[str, int]:
    sql = "select count(*), count(distinct (project_id, event_id)) from app_event"
    rows, distinct = connection.execute(sql).fetchone() or (0, 0)
    return {"rows": int(rows), "distinct": int(distinct)}


def settled(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    """The counters once they equal the rows, or as they were when that took too long."""
    found: dict[str, int] = {}

    def are_equal() -> bool:
        rows = count(connection)["rows"]
        for name, sql in COUNTERS.items():
            found[name] = int((connection.execute(sql).fetchone() or (0,))[0])
        return all(value == rows for value in found.values())

    began = time.monotonic()
    try:
        wait_for(are_equal, "counters that equal the rows", SETTLE)
    except AssertionError:
        return {**found, "rows": count(connection)["rows"], "equal": False}
    return {"equal": True, "settled_s": round(time.monotonic() - began, 1)}
