"""Sessions become the health of releases: each once, however and in whichever order it is told."""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.base import clock
from app.event import Counted
from app.item import ENDINGS, Item, Once, Session, Sessions
from app.models import Organization, Project, Release, ReleaseHealth, ReleaseProject, SessionTally
from app.store import partitions, sessions
from app.store.record import record
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    with connection.cursor() as cursor:
        cursor.execute("delete from app_session; delete from app_sessionuser; delete from app_applied")
    found: Project = ProjectFactory.create()
    return found


def session(project: Project, ending: str = "healthy", **changes: Any) -> Session:
    now = clock.micros()
    values = {
        "received": now, "started": now - 60_000_000, "sid": "a" * 32, "user": "", "release": "shop@1",
        "environment": "prod", "is_first": True, "ending": ENDINGS.index(ending), **changes,
    }  # fmt: skip
    return Session(project_id=project.pk, **values)


def bucket(project: Project, *counts: int, **changes: Any) -> Sessions:
    now = clock.micros()
    values = {"started": now, "user": "", "release": "shop@1", "environment": "prod", **changes}
    return Sessions(project_id=project.pk, received=now, counts=counts, **values)  # type: ignore[arg-type]


def told(*items: Item) -> Once:
    count = Counted(items[0].project_id, 0, "session", "accepted", "", items[0].received, len(items))
    return Once(uuid.uuid4().hex, [count], list(items))


def health(**where: Any) -> dict[str, int]:
    """What is counted, by ending, without zeros."""
    sessions.fold()
    rows = ReleaseHealth.objects.filter(**where)
    sums = {ending: sum(getattr(row, ending) for row in rows) for ending in ENDINGS}
    return {ending: count for ending, count in sums.items() if count}


def users() -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("select ending, count(*) from app_sessionuser group by 1")
        return dict(cursor.fetchall())


def test_a_session_that_ends_badly_counts_once(project: Project) -> None:
    record([], onces=[told(session(project))])
    assert health() == {"healthy": 1}
    record([], onces=[told(session(project, "errored", is_first=False))])
    assert health() == {"errored": 1}
    record([], onces=[told(session(project, "crashed", is_first=False))])
    record([], onces=[told(session(project, is_first=False))])
    assert health() == {"crashed": 1}


def test_what_is_delivered_twice_counts_once(project: Project) -> None:
    once = told(session(project), bucket(project, 5, 1, 0, 0, 2))
    record([], onces=[once])
    record([], onces=[once])
    assert health() == {"healthy": 6, "errored": 1, "crashed": 2}


def test_without_its_first_update_a_session_does_not_count(project: Project) -> None:
    record([], onces=[told(session(project, "crashed", is_first=False))])
    assert health() == {}
    record([], onces=[told(session(project))])
    assert health() == {"crashed": 1}


def test_sessions_of_nobody_are_told_apart_by_nothing(project: Project) -> None:
    record([], onces=[told(*(session(project, sid="") for _ in range(3)))])
    record([], onces=[told(session(project, "crashed", sid="", is_first=False))])
    assert health() == {"healthy": 3}


def test_they_belong_to_their_release_environment_and_hour(project: Project) -> None:
    earlier = clock.micros() - 3 * 3_600_000_000
    record([], onces=[told(
        session(project, sid="1" * 32), session(project, sid="2" * 32, environment="staging"),
        session(project, sid="3" * 32, release="shop@2"), session(project, sid="4" * 32, started=earlier),
    )])  # fmt: skip
    assert health(release__version="shop@1", environment="prod") == {"healthy": 2}
    assert health(environment="staging") == health(release__version="shop@2") == {"healthy": 1}
    assert ReleaseHealth.objects.values("hour").distinct().count() == 2


def test_releases_are_known_from_their_sessions(project: Project) -> None:
    record([], onces=[told(session(project, release="new@1"))])
    sessions.fold()
    release = Release.objects.get(version="new@1", organization=project.organization)
    assert ReleaseProject.objects.get(release=release, project=project).events == 0


def test_users_count_as_the_worst_they_met(project: Project) -> None:
    record([], onces=[told(
        session(project, "crashed", sid="1" * 32, user="ada"), session(project, sid="2" * 32, user="ada"),
        bucket(project, 3, 0, 0, 0, 0, user="grace"), session(project, sid="3" * 32),
    )])  # fmt: skip
    record([], onces=[told(session(project, sid="4" * 32, user="ada"))])
    assert users() == {4: 1, 0: 1}


def test_the_first_that_was_said_of_a_session_is_its_place(project: Project) -> None:
    first = session(project)
    record([], onces=[told(first)])
    moved = session(project, "crashed", is_first=False, started=first.started, release="shop@9")
    record([], onces=[told(moved)])
    assert health(release__version="shop@1") == {"crashed": 1}
    assert health(release__version="shop@9") == {}


def test_a_day_that_is_not_there_yet_is_made(project: Project) -> None:
    at = clock.micros() - 4 * 86400 * 1_000_000
    with connection.cursor() as cursor:
        cursor.execute(f"drop table if exists app_session_{clock.day_of(at):%Y%m%d}")
    record([], onces=[told(session(project, started=at))])
    assert health() == {"healthy": 1}


def test_sessions_are_dropped_sooner_than_what_is_counted_from_them() -> None:
    assert partitions._kept_days("app_session_20310301") == 7
    assert partitions._kept_days("app_sessionuser_20310301") == 90


def test_projects_that_are_gone_are_not_counted(project: Project) -> None:
    record([], onces=[told(session(project))])
    Organization.objects.all().delete()
    assert health() == {}
    assert not SessionTally.objects.exists()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_updates_in_any_order_and_any_groups_come_to_the_same(project: Project, data: st.DataObject) -> None:
    updates = data.draw(st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(ENDINGS), st.booleans()), min_size=1, max_size=12,
    ))  # fmt: skip
    release = uuid.uuid4().hex
    sids = {letter: uuid.uuid4().hex for letter in "abc"}
    for letter, ending, is_first in updates:
        found = session(project, ending, sid=sids[letter], is_first=is_first, release=release)
        record([], onces=[told(found)])
        if data.draw(st.booleans()):
            sessions.fold()
    expected: dict[str, int] = {}
    for letter in {letter for letter, _, is_first in updates if is_first}:
        worst = max(ENDINGS.index(ending) for one, ending, _ in updates if one == letter)
        expected[ENDINGS[worst]] = expected.get(ENDINGS[worst], 0) + 1
    assert health(release__version=release) == expected


def test_groups_at_the_same_time_count_each_session_once(project: Project) -> None:
    sids = [uuid.uuid4().hex for _ in range(50)]

    def work(ending: str) -> None:
        for start in range(0, 50, 5):
            found = [session(project, ending, sid=sid) for sid in reversed(sids[start : start + 5])]
            record([], onces=[told(*found)])
        connection.close()

    workers = [threading.Thread(target=work, args=[ending]) for ending in ("healthy", "errored", "crashed")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert health() == {"crashed": 50}


def test_a_tally_that_cannot_be_counted_is_put_aside(project: Project) -> None:
    record([], onces=[told(session(project))])
    good = json.dumps([[project.pk, "shop@1", "prod", clock.micros(), 0, 2]])
    bad = SessionTally.objects.create(moved=json.dumps([[project.pk, "x" * 300, "prod", 0, 0, 1]]))
    SessionTally.objects.create(moved=good)
    assert health() == {"healthy": 3}
    assert list(SessionTally.objects.values_list("pk", "broken")) == [(bad.pk, True)]
    assert health() == {"healthy": 3}


def test_a_release_is_seen_when_its_sessions_are_and_not_at_the_full_hour(project: Project) -> None:
    before = clock.now()
    hour = 3_600_000_000
    old = clock.micros() // hour * hour - 5 * hour
    record([], onces=[told(session(project, started=clock.micros()))])
    record([], onces=[told(bucket(project, 1, 0, 0, 0, 0, release="shop@0", started=old + hour // 2))])
    sessions.fold()
    seen = {one.release.version: one for one in ReleaseProject.objects.select_related("release")}
    now, past = seen["shop@1"], seen["shop@0"]
    assert before <= now.first_seen == now.last_seen <= clock.now()
    assert clock.to_micros(past.first_seen) == clock.to_micros(past.last_seen) == old + hour
    assert clock.to_micros(past.release.created) == old + hour
