"""Transactions and spans in their tables, and how long they took in the counters."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from app.base import clock
from app.base.zstandard import zstd
from app.event import Counted
from app.item import Item, Once, Span, Told, Transaction
from app.models import Project, SpanTally, TransactionHour
from app.normalize.transactions import unpacked
from app.store import durations, traces
from app.store.durations import Asked, bucket, middle, percentile
from app.store.record import record
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MS = 1000


@pytest.fixture
def project() -> Project:
    with connection.cursor() as cursor:
        cursor.execute("delete from app_transaction; delete from app_span; delete from app_applied")
    found: Project = ProjectFactory.create()
    return found


def whole(project: Project, **changes: Any) -> Transaction:
    now = clock.micros()
    values: dict[str, Any] = {
        "received": now, "event_id": uuid.uuid4().hex, "trace_id": TRACE, "span_id": "a" * 16,
        "parent_id": "", "name": "/pay", "op": "http.server", "status": "ok",
        "started": now - 1_000_000, "duration": 100 * MS,
        "environment": "prod", "release": "shop@1", "spans": 1, **changes,
    }  # fmt: skip
    told = Told({"platform": "python"}, [{"span_id": "b" * 16, "start": 0, "duration": 5}])
    body = zstd.compress(msgspec.json.encode(told))
    return Transaction(project_id=project.pk, body=body, **values)


def span(project: Project, **changes: Any) -> Span:
    now = clock.micros()
    values: dict[str, Any] = {
        "received": now, "trace_id": TRACE, "span_id": "c" * 16, "parent_id": "a" * 16,
        "name": "GET /users/7", "op": "http.client", "status": "ok", "started": now - 900_000,
        "duration": 20 * MS, "is_segment": False,
        "environment": "prod", "release": "shop@1", "attributes": {"till": "north"}, **changes,
    }  # fmt: skip
    return Span(project_id=project.pk, **values)


def told(*items: Item) -> Once:
    count = Counted(items[0].project_id, 0, "transaction", "accepted", "", items[0].received, len(items))
    return Once(uuid.uuid4().hex, [count], list(items))


def asked(project: Project, **changes: Any) -> Asked:
    return Asked(projects=[project.pk], since=clock.now() - timedelta(days=1), **changes)


def counted(project: Project, **changes: Any) -> dict[tuple[str, str], tuple[int, int]]:
    """Count and failed of every endpoint."""
    durations.fold()
    return {
        (one.name, one.op): (one.count, one.failed) for one in durations.endpoints(asked(project, **changes))
    }


def test_a_trace_is_found_again_whole(project: Project) -> None:
    record([], onces=[told(whole(project), span(project), span(project, span_id="d" * 16, is_segment=True))])
    rows, spans = traces.of_trace([project.pk], TRACE)
    assert [(row.name, row.span_id, row.duration, row.body is None) for row in rows] == [
        ("/pay", "a" * 16, 100 * MS, False), ("GET /users/*", "d" * 16, 20 * MS, True),
    ]  # fmt: skip
    assert rows[0].body is not None
    assert unpacked(rows[0].body).spans[0]["span_id"] == "b" * 16
    assert [(one.name, one.attributes) for one in spans] == [("GET /users/7", {"till": "north"})] * 2
    assert traces.of_trace([project.pk], TRACE, rows[0].started)[0] == rows
    assert traces.of_trace([project.pk + 1], TRACE) == ([], [])


def test_what_is_delivered_twice_is_kept_and_counted_once(project: Project) -> None:
    once = told(whole(project), span(project, is_segment=True))
    record([], onces=[once])
    record([], onces=[once])
    rows, spans = traces.of_trace([project.pk], TRACE)
    assert (len(rows), len(spans)) == (2, 1)
    assert counted(project) == {("/pay", "http.server"): (1, 0), ("GET /users/*", "http.client"): (1, 0)}


def test_hours_add_up_over_many_groups(project: Project) -> None:
    for status in ("ok", "internal_error", "cancelled", "", "not_found"):
        record([], onces=[told(whole(project, status=status), whole(project, status=status))])
        if status == "cancelled":
            durations.fold()
    assert counted(project) == {("/pay", "http.server"): (10, 4)}
    assert not SpanTally.objects.exists()
    assert TransactionHour.objects.count() <= 2  # the hour may have ended meanwhile


def test_environments_names_and_words_narrow(project: Project) -> None:
    record([], onces=[told(whole(project), whole(project, name="/cart", environment="staging"))])
    assert counted(project, environment="staging") == {("/cart", "http.server"): (1, 0)}
    assert counted(project, name="/pay", op="http.server") == {("/pay", "http.server"): (1, 0)}
    assert counted(project, words="%AR%") == {("/cart", "http.server"): (1, 0)}


def test_percentiles_and_their_steps(project: Project) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    at = clock.to_micros(hour)
    record([], onces=[told(
        *(whole(project, duration=10 * MS, started=at + n) for n in range(90)),
        *(whole(project, duration=1000 * MS, started=at - 3_600_000_000 + n) for n in range(10)),
    )])  # fmt: skip
    durations.fold()
    since = Asked(projects=[project.pk], since=hour - timedelta(hours=2))
    (one,) = durations.endpoints(since)
    assert one.percentile(0.5) == pytest.approx(10 * MS, rel=0.1)
    assert one.percentile(0.95) == pytest.approx(1000 * MS, rel=0.1)
    assert one.total == 90 * 10 * MS + 10 * 1000 * MS
    found = [percentile(step, 0.5) for step in durations.steps(since, timedelta(hours=1), 3)]
    assert found == [None, pytest.approx(1000 * MS, rel=0.1), pytest.approx(10 * MS, rel=0.1)]


def test_the_slowest_of_an_endpoint(project: Project) -> None:
    record(
        [], onces=[told(*(whole(project, duration=n * MS) for n in range(30)), whole(project, name="/cart"))]
    )
    found = traces.slowest(asked(project, name="/pay", op="http.server"), limit=3)
    assert [row.duration for row in found] == [29 * MS, 28 * MS, 27 * MS]


def test_endless_names_become_others(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durations, "MOST_NAMES", 3)
    at = clock.micros() // 3_600_000_000 * 3_600_000_000
    for group in range(3):
        record([], onces=[told(*(whole(project, name=f"/{group}/{n}", started=at) for n in range(4)))])
        durations.fold()
    record([], onces=[told(whole(project, name="/0/0", started=at))])
    found = counted(project)
    assert len(found) == 4
    assert sum(count for count, _ in found.values()) == 13
    assert found["<others>", ""] == (9, 0)


def test_projects_that_are_gone_are_not_counted(project: Project) -> None:
    record([], onces=[told(whole(project))])
    project.delete()
    assert durations.fold() == 1
    assert not TransactionHour.objects.exists()


@given(duration=st.integers(1, 30 * 86400 * 1_000_000))
def test_a_bucket_tells_a_duration_to_a_tenth(duration: int) -> None:
    if bucket(duration) < durations.LAST and duration > 10:
        assert middle(bucket(duration)) == pytest.approx(duration, rel=0.11)
    assert 0 <= bucket(duration) <= durations.LAST


def test_nothing_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None
    assert bucket(0) == 0
