"""What waits to be counted is counted once, whoever folds, however often they die, whatever was deleted."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from collections import Counter
from functools import partial

import msgspec
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from app.models import Event, Issue, IssueTag, Release, ReleaseProject, TagTally, Tally
from app.store import counters
from app.store.record import record
from tests.factories import DsnKeyFactory, ProjectFactory
from tests.store.samples import event, fold
from tests.store.test_concurrency import (
    assert_counters_equal_rows,
    at_once,
    deadlocks,
    record_all,
    writing,
)
from tests.tasks.crews import database_url, eventually

pytestmark = pytest.mark.django_db(transaction=True)

FOLDER = """
    import django
    django.setup()
    from app.store import counters, folding
    folding.AT_ONCE = 3
    print("ready", flush=True)
    while True:
        counters.fold()
        counters.fold_tags()
"""
FLOODER = """
    import sys, django
    django.setup()
    import msgspec
    from app.event import Event
    from app.store.record import record
    groups = msgspec.json.decode(sys.stdin.buffer.read(), type=list[list[Event]])
    for group in groups:
        record(group)
"""


def start(script: str, given: bytes = b"", **environment: str) -> subprocess.Popen[bytes]:
    """A process of its own with our settings."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=settings.ROOT,
        env={
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "app.settings",
            "PATH": "/usr/bin",
            **environment,
        },
    )
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.close()
    return process


def test_folders_killed_at_random_moments_lose_and_double_nothing() -> None:
    key = DsnKeyFactory.create()
    chance = random.Random(11)
    kills_with_work_left = 0
    for turn in range(20):
        for _ in range(40):
            words = chance.choices([f"h{n}" for n in range(12)], k=10)
            record([event(key.project, key, hashes=w, user=f"id:{chance.randint(1, 60)}") for w in words])
        folder = start(FOLDER)
        assert folder.stdout is not None
        assert folder.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0, 0.08))
        folder.kill()
        folder.wait()
        eventually(lambda: not writing())
        kills_with_work_left += Tally.objects.exists() or TagTally.objects.exists()
        assert Event.objects.count() == (turn + 1) * 400
    assert kills_with_work_left >= 10
    assert_counters_equal_rows()
    assert not Tally.objects.exists()
    assert not TagTally.objects.exists()


def test_several_folders_at_once_and_writers_beside_them_count_everything_once() -> None:
    key = DsnKeyFactory.create()
    chance = random.Random(4)
    shares = [
        [
            [event(key.project, key, hashes=f"h{chance.randint(1, 5)}", user=f"id:{n}") for n in range(10)]
            for _ in range(20)
        ]
        for _ in range(2)
    ]

    def fold_often() -> None:
        for _ in range(40):
            fold()

    with deadlocks() as broken:
        at_once([fold_often, fold_often, *[partial(record_all, share) for share in shares]])
    assert broken == [0]
    assert Event.objects.count() == 400
    assert_counters_equal_rows()


def test_four_processes_flooding_one_issue_wait_for_no_row_of_it() -> None:
    """Somebody holds every row that counts, and the issue, for as long as the flood lasts."""
    key = DsnKeyFactory.create()
    record([event(key.project, key)])
    fold()
    groups = [[[event(key.project, key) for _ in range(20)] for _ in range(15)] for _ in range(4)]
    with psycopg.connect(database_url()) as other:
        for table in ("issue", "issuehour", "issuetag", "issueuser", "releaseproject", "outcome"):
            assert other.execute(f"select 1 from app_{table} for update").rowcount > 0
        other.execute("select 1 from app_project for no key update")
        flooders = [
            start(FLOODER, msgspec.json.encode(share), PGOPTIONS="-c lock_timeout=2s") for share in groups
        ]
        assert [flooder.wait(timeout=120) for flooder in flooders] == [0] * 4
        assert Event.objects.count() == 1 + 4 * 15 * 20
        assert Issue.objects.get().events == 1
        other.rollback()
    assert_counters_equal_rows()


def test_a_redelivered_group_is_not_counted_again_before_or_after_the_fold() -> None:
    key = DsnKeyFactory.create()
    record([event(key.project, key)])
    group = [event(key.project, key, hashes=word) for word in ("a", "b", "a")]
    record(group)
    record(group)
    fold()
    record(group)
    assert_counters_equal_rows()
    assert Event.objects.count() == 4


def test_a_new_issue_shows_its_events_at_once_and_is_not_counted_twice() -> None:
    key = DsnKeyFactory.create()
    record([event(key.project, key, user=user) for user in ("id:1", "id:2", "id:1")])
    issue = Issue.objects.get()
    assert (issue.events, issue.users) == (3, 2)
    fold()
    issue.refresh_from_db()
    assert (issue.events, issue.users) == (3, 2)


def test_a_release_that_was_deleted_before_the_fold_does_not_stop_the_counting() -> None:
    key = DsnKeyFactory.create()
    record([event(key.project, key)])
    fold()
    record([event(key.project, key), event(key.project, key, release="shop@2")])
    ReleaseProject.objects.all().delete()
    Release.objects.filter(version="shop@2").delete()
    fold()
    assert Issue.objects.get().events == 3
    assert Counter(ReleaseProject.objects.values_list("release__version", "events")) == {("shop@1.0.0", 1): 1}


def test_an_issue_that_was_deleted_before_the_fold_leaves_no_counters() -> None:
    project = ProjectFactory.create()
    record([event(project), event(project, hashes="b")])
    Issue.objects.get(number=1).delete()
    fold()
    kept = Issue.objects.get()
    assert set(IssueTag.objects.values_list("issue", flat=True)) == {kept.pk}
    assert kept.events == 1


def test_a_tally_that_cannot_be_counted_is_put_aside_and_the_others_are_counted() -> None:
    key = DsnKeyFactory.create()
    record([event(key.project, key)])
    fold()
    for _ in range(5):
        record([event(key.project, key)])
    bad = sorted(Tally.objects.values_list("pk", flat=True))[2]
    with connection.cursor() as cursor:
        cursor.execute("update app_tally set faces = 'no json' where id = %s", [bad])
    counters.fold()
    assert list(Tally.objects.values_list("pk", "broken")) == [(bad, True)]
    assert Issue.objects.get().events == 5
