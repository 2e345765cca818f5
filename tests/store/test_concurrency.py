"""Several workers at once: one issue, one number, one \"new\", every event once, and no circle of waiting."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from app.base import clock
from app.event import Event as Arriving
from app.event import Stored
from app.models import (
    Event,
    Issue,
    IssueHour,
    IssueTag,
    IssueUser,
    Notable,
    Outcome,
    Project,
    ReleaseProject,
)
from app.store import partitions
from app.store.record import record
from tests.factories import DsnKeyFactory, ProjectFactory
from tests.store.samples import event, fold
from tests.tasks.crews import database_url, eventually

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work: list[Callable[[], Any]]) -> list[Any]:
    """Runs all in threads of their own that start together; what they returned, in order."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result(timeout=120) for future in [pool.submit(run, one) for one in work]]


def record_all(groups: list[list[Arriving]]) -> list[Stored]:
    return [stored for group in groups for stored in record(group)]


@contextmanager
def deadlocks() -> Iterator[list[int]]:
    """How many PostgreSQL had to break meanwhile."""

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute("select pg_stat_clear_snapshot()")
            cursor.execute("select deadlocks from pg_stat_database where datname = current_database()")
            return int(cursor.fetchone()[0])

    broken: list[int] = []
    before = count()
    yield broken
    connection.close()  # a session reports its numbers when it ends
    broken.append(count() - before)


def assert_counters_equal_rows() -> None:
    fold()
    rows = Event.objects.count()
    assert Issue.objects.aggregate(n=Sum("events"))["n"] == rows
    assert IssueHour.objects.aggregate(n=Sum("events"))["n"] == rows
    assert ReleaseProject.objects.aggregate(n=Sum("events"))["n"] == rows
    assert Outcome.objects.filter(outcome="accepted").aggregate(n=Sum("quantity"))["n"] == rows
    assert Issue.objects.aggregate(n=Sum("users"))["n"] == IssueUser.objects.count()
    tags = Counter((issue, tag) for issue, tags in Event.objects.values_list("issue", "tags") for tag in tags)
    assert {
        (issue, tag): n for issue, tag, n in IssueTag.objects.values_list("issue", "tag", "events")
    } == tags
    for issue in Issue.objects.all():
        assert Event.objects.filter(issue=issue).count() == issue.events


def test_the_same_group_in_four_workers_is_stored_once() -> None:
    key = DsnKeyFactory.create()
    chance = random.Random(5)
    group = [event(key.project, key, hashes=f"h{place % 5}") for place in range(40)]
    for _ in range(5):
        shuffled = [chance.sample(group, len(group)) for _ in range(4)]
        with deadlocks() as broken:
            batches = at_once([partial(record, one) for one in shuffled])
        kinds = Counter(stored.kind for batch in batches for stored in batch)
        assert broken == [0]
        group = [*group[20:], *[event(key.project, key, hashes=f"h{place % 7}") for place in range(20)]]
    assert kinds["duplicate"] >= 3 * 40
    assert Event.objects.count() == 40 + 5 * 20 - 20
    assert_counters_equal_rows()


def test_workers_with_the_same_new_hashes_agree_on_one_issue_one_number_and_one_new() -> None:
    project = ProjectFactory.create()
    for turn in range(10):
        words = (f"a{turn} b{turn}", f"b{turn} a{turn}", f"a{turn}", f"b{turn} c{turn}")
        batches = at_once([partial(record, [event(project, hashes=w)]) for w in words])
        kinds = Counter(stored.kind for batch in batches for stored in batch)
        assert 1 <= kinds["new"] <= 2
        assert Notable.objects.count() == Issue.objects.count()
    numbers = sorted(Issue.objects.values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert_counters_equal_rows()


def test_one_new_hash_in_eight_workers_is_new_exactly_once() -> None:
    project = ProjectFactory.create()
    for turn in range(10):
        batches = at_once([partial(record, [event(project, hashes=f"turn{turn}")]) for _ in range(8)])
        assert Counter(stored.kind for batch in batches for stored in batch) == {"new": 1, "ordinary": 7}
    assert Issue.objects.count() == Notable.objects.count() == 10


@pytest.mark.parametrize("seed", range(3))
def test_counters_equal_rows_after_a_flood_of_shuffled_overlapping_groups(seed: int) -> None:
    chance = random.Random(seed)
    keys = [DsnKeyFactory.create() for _ in range(3)]
    pool = [
        event(
            key.project,
            key,
            hashes=" ".join(chance.sample([f"h{n}" for n in range(12)], chance.randint(1, 2))),
            user=chance.choice(["", "id:1", "id:2", "id:3"]),
            environment=chance.choice(["production", "staging", ""]),
            release=chance.choice(["shop@1", "shop@2"]),
            tags={"tenant": f"t{chance.randint(0, 9)}", "level": "error"},
        )
        for key in chance.choices(keys, k=240)
    ]
    shares = [[chance.sample(pool, chance.randint(1, 40)) for _ in range(15)] for _ in range(4)]
    with deadlocks() as broken:
        batches = at_once([partial(record_all, share) for share in shares])
    sent = {one.event_id for share in shares for group in share for one in group}
    assert broken == [0]
    assert Event.objects.count() == len(sent)
    kinds = Counter(stored.kind for batch in batches for stored in batch)
    assert kinds["new"] + kinds["ordinary"] == len(sent)
    assert kinds["new"] == Issue.objects.count() == Notable.objects.count()
    for project in Project.objects.all():
        assert project.next_issue == 1 + Issue.objects.filter(project=project).count()
    assert_counters_equal_rows()


def test_four_workers_on_the_same_issues_and_tags_never_wait_in_a_circle() -> None:
    """No event twice, so only the shared rows make them wait; each group in an order of its own."""
    key = DsnKeyFactory.create()
    chance = random.Random(3)
    words = [f"h{n}" for n in range(10)]
    record([event(key.project, key, hashes=word) for word in words])

    def share() -> list[list[Arriving]]:
        return [
            [
                event(key.project, key, hashes=word, user=f"id:{chance.randint(1, 99)}", tags=shuffled(tags))
                for word in chance.sample(words, len(words))
            ]
            for _ in range(25)
        ]

    def shuffled(pairs: dict[str, str]) -> dict[str, str]:
        return dict(chance.sample(list(pairs.items()), len(pairs)))

    tags = {f"key{n}": "value" for n in range(15)}
    shares = [share() for _ in range(4)]
    with deadlocks() as broken:
        at_once([partial(record_all, one) for one in shares])
    assert broken == [0]
    assert_counters_equal_rows()


def test_a_day_is_made_once_when_several_workers_miss_it() -> None:
    project = ProjectFactory.create()
    late = 1_000_000 * 86_400 * 5_000  # 1983
    batches = at_once([lambda: record([event(project, received=late, timestamp=late)])] * 4)
    assert len(batches) == Event.objects.count() == 4
    with connection.cursor() as cursor:
        for table in partitions.TABLES:
            cursor.execute(f"drop table if exists {table}_19830910")


def test_rotation_meets_writers_without_harm() -> None:
    project = ProjectFactory.create()
    groups = [[event(project, hashes=f"h{n % 3}") for n in range(10)] for _ in range(10)]
    today = clock.now().date()
    at_once([lambda: record_all(groups), *[lambda: partitions.rotate(today)] * 3])
    assert Event.objects.count() == 100


WRITER = """
    import sys, django
    django.setup()
    import msgspec
    from app.event import Event
    from app.store.record import record
    group = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Event])
    print("ready", flush=True)
    record(group)
    print("done", flush=True)
"""


def write_elsewhere(group: list[Arriving]) -> subprocess.Popen[bytes]:
    """A process of its own that records the group once."""
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=settings.ROOT,
        env={"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "app.settings", "PATH": "/usr/bin"},
    )
    assert writer.stdin is not None
    writer.stdin.write(msgspec.json.encode(group))
    writer.stdin.close()
    return writer


def test_a_worker_killed_in_the_middle_leaves_nothing_half_done() -> None:
    """The transaction is held up at its last statement by somebody who locks the tallies, then killed."""
    key = DsnKeyFactory.create()
    record([event(key.project, key)])
    fold()
    before = Outcome.objects.get().quantity
    group = [event(key.project, key, hashes=f"{place} a" if place else "a") for place in range(20)]
    with psycopg.connect(database_url()) as other:
        other.execute("lock table app_tally in exclusive mode")
        writer = write_elsewhere(group)
        eventually(waiting)
        writer.kill()
        writer.wait()
        other.rollback()
    eventually(lambda: not writing())
    assert (Event.objects.count(), Issue.objects.get().events, Outcome.objects.get().quantity) == (
        1,
        1,
        before,
    )
    assert {one.kind for one in record(group)} == {"ordinary"}
    assert Event.objects.count() == 21
    assert_counters_equal_rows()


def test_workers_killed_at_random_moments_lose_and_double_nothing() -> None:
    key = DsnKeyFactory.create()
    chance = random.Random(7)
    group = [event(key.project, key, hashes=f"h{place}") for place in range(200)]
    for _ in range(5):
        writer = write_elsewhere(group)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, 0.15))
        writer.kill()
        writer.wait()
    record(group)
    eventually(lambda: not writing())
    record(group)
    assert Event.objects.count() == Issue.objects.count() == Notable.objects.count() == 200
    assert_counters_equal_rows()


def waiting() -> bool:
    """Whether somebody waits for a lock in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def writing() -> bool:
    """Whether another session of this database is in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and state in ('active', 'idle in transaction')"
        )
        return bool(cursor.fetchone()[0])
