"""What storing costs: `python -m tests.benchmarks.store [--json] [--profile]`.

Events are 20 KB Python errors of 200 issues with a dozen tags, already normalised and grouped. Microseconds
are CPU per event, of this process and of its PostgreSQL session, measured over warm groups; a one-issue flood
is measured beside the mixed one. A database of its own is made on DATABASE_URL's server and removed.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import random
import sys
import time
import uuid
from typing import Any

import django
import msgspec
import psutil

os.environ.setdefault("DATABASE_URL", "postgres://root@127.0.0.1/postgres")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
os.environ.setdefault("PYTEST_DB", f"bench_store_{os.getpid()}")
django.setup()

# ruff: noqa: E402 - models can be imported only now
from django.db import connection

from app.base import clock
from app.event import Event
from app.models import Organization, Project
from app.store import bodies, counters, partitions
from app.store.record import record
from tests.store.samples import event

WORDS = [
    *("order", "cart", "price", "customer", "invoice", "ledger", "stock", "parcel", "carrier", "refund"),
    *("voucher", "basket", "address", "payment", "ticket", "session", "tenant", "report", "cursor", "batch"),
]
ISSUES = 200


def sample(project: Project, number: int, chance: random.Random) -> Event:
    """One of an issue's events: the same frames each time, other values in them."""
    shape = random.Random(number)
    frames = [_frame(shape, chance, depth) for depth in range(14)]
    tags = {
        "tenant": f"t{chance.randint(1, 40)}",
        "plan": chance.choice(["free", "pro", "team"]),
        "region": chance.choice(["eu-1", "us-1", "ap-2"]),
        "feature": chance.choice(WORDS),
        "worker": f"w{chance.randint(1, 8)}",
        "browser": chance.choice(["Chrome", "Firefox", "Safari"]),
        "build": str(chance.randint(100, 110)),
        "level": "error",
        "environment": "production",
        "release": "shop@1.4.2",
        "server_name": "web-3.eu.example",
        "transaction": f"/{shape.choice(WORDS)}/{shape.choice(WORDS)}",
        "user": f"id:{chance.randint(1, 5000)}",
        "handled": "no",
    }
    crumbs = [
        {
            "type": "query",
            "category": "query",
            "message": f'SELECT "id", "state" FROM "shop_{chance.choice(WORDS)}" WHERE "id" = %s LIMIT 21',
            "data": {"db.params": [chance.randint(1, 10**6)]},
            "timestamp": f"2026-11-22T14:{chance.randint(10, 59)}:07.{chance.randint(100000, 999999)}Z",
            "level": "info",
        }
        for _ in range(30)
    ]
    name = f"cannot apply {shape.choice(WORDS)} {number}"
    data = {
        "platform": "python",
        "exception": {
            "values": [{"type": "ValueError", "value": name, "stacktrace": {"frames": frames}}],
        },
        "breadcrumbs": {"values": crumbs},
        "user": {"id": tags["user"][3:], "email": f"user{tags['user'][3:]}@example.com"},
        "request": {"url": "https://shop.example/pay", "headers": [["User-Agent", "Mozilla/5.0"]]},
        "modules": {word: f"{shape.randint(1, 9)}.{shape.randint(1, 20)}" for word in WORDS},
        "extra": {"digest": f"{chance.getrandbits(128):032x}"},
    }
    return event(
        project,
        hashes=f"app{number} system{number}",
        title=f"ValueError: {name}",
        tags=tags,
        user=tags["user"],
        data=data,
        event_id=uuid.UUID(int=chance.getrandbits(128)).hex,
    )


def _frame(shape: random.Random, chance: random.Random, depth: int) -> dict[str, Any]:
    one, two, three = shape.sample(WORDS, 3)
    lines = [
        f"    {two}_total = {one}_id * {shape.randint(2, 99)}",
        f"    depth = {depth}",
        f"    {three}_key = '%s:%s' % ({one}_id, {two}_total)",
        f"    log.debug({three}_key)",
        f"def load_{one}_{depth}({one}_id, req):",
    ]
    return {
        "function": f"load_{one}_{depth}",
        "module": f"shop.{two}",
        "filename": f"shop/{two}.py",
        "abs_path": f"/srv/shop/lib/python3.11/site-packages/shop/{two}.py",
        "lineno": shape.randint(1, 400),
        "pre_context": lines,
        "context_line": f"    result = load_{three}({one}_id, req)",
        "post_context": list(reversed(lines)),
        "in_app": True,
        "vars": {
            f"{one}_id": str(chance.randint(1, 10**6)),
            f"{two}_total": str(chance.randint(1, 10**7)),
            "depth": str(depth),
            f"{three}_key": f"'{chance.randint(1, 10**6)}:{chance.randint(1, 10**7)}'",
            "req": {"user": chance.randint(1, 50_000), "path": f"/{one}/{two}", "method": "POST"},
        },
    }


def measure(groups: list[list[Event]], session: psutil.Process) -> dict[str, float]:
    """CPU per event here and in PostgreSQL's session, and seconds on the clock, in µs."""
    here, there, wall = time.process_time(), sum(session.cpu_times()[:2]), time.perf_counter()
    for group in groups:
        record(group)
    stored = time.process_time(), sum(session.cpu_times()[:2]), time.perf_counter()
    counters.fold()
    counters.fold_tags()
    events = sum(map(len, groups))
    spent = {
        "python": stored[0] - here,
        "postgresql": stored[1] - there,
        "wall": stored[2] - wall,
        "folding": sum(session.cpu_times()[:2]) - stored[1],
    }
    return {name: round(seconds / events * 1e6, 1) for name, seconds in spent.items()}


def backend() -> psutil.Process:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return psutil.Process(cursor.fetchone()[0])


def disk() -> dict[str, float]:
    """Bytes per stored event, by table with its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")
        cursor.execute("select count(*) from app_event")
        rows = cursor.fetchone()[0]
        cursor.execute(
            "select coalesce(inhparent::regclass::text, relname), sum(pg_total_relation_size(c.oid))::bigint"
            " from pg_class c left join pg_inherits i on i.inhrelid = c.oid"
            " where c.relkind = 'r' and c.relname like 'app_%%' group by 1 order by 2 desc limit 6",
            [],
        )
        sizes = {name: round(float(size) / rows, 1) for name, size in cursor.fetchall()}
        cursor.execute(
            "select sum(pg_relation_size(inhrelid)), sum(pg_indexes_size(inhrelid)) from pg_inherits"
            " where inhparent = 'app_event'::regclass"
        )
        heap, indexes = cursor.fetchone()
    return sizes | {
        "app_event heap": round(float(heap) / rows, 1),
        "app_event indexes": round(float(indexes) / rows, 1),
    }


def run(events: int) -> dict[str, Any]:
    organization = Organization.objects.create(slug="bench", name="Bench")
    project = Project.objects.create(organization=organization, slug="shop", name="Shop")
    chance = random.Random(7)
    partitions.rotate(clock.now().date())
    warm = [sample(project, number % ISSUES, chance) for number in range(5 * ISSUES)]
    for start in range(0, len(warm), 50):
        record(warm[start : start + 50])
    one = msgspec.json.encode(warm[0].data)
    figures: dict[str, Any] = {
        "json_bytes": len(one),
        "body_bytes": len(bodies.pack([warm[0]])[0][1]),
    }
    begin = time.process_time()
    for each in warm:
        bodies.pack([each])
    figures["pack"] = round((time.process_time() - begin) / len(warm) * 1e6, 1)
    session = backend()
    for size in (50, 200):
        for name, issues in (("mixed", ISSUES), ("one_issue", 1)):
            groups = [
                [sample(project, chance.randrange(issues), chance) for _ in range(size)]
                for _ in range(events // size)
            ]
            figures[f"{name}_{size}"] = measure(groups, session)
    return figures | {"disk": disk()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=2000)
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--profile", action="store_true")
    options = arguments.parse_args()
    connection.creation.create_test_db(verbosity=0)
    profile = cProfile.Profile(time.process_time)  # CPU, as everything here
    try:
        figures = profile.runcall(run, options.events) if options.profile else run(options.events)
    finally:
        connection.creation.destroy_test_db("unused", verbosity=0)
    if options.profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
    if options.json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name:16} {value}\n")


if __name__ == "__main__":
    main()
