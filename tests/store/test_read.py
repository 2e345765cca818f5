"""What the pages ask for comes back right, in one statement each, and by an index."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from app.base import clock
from app.models import Event, Issue
from app.store import read
from app.store.record import record
from tests.factories import EnvironmentFactory, ProjectFactory
from tests.store.samples import MINUTE, event, fold

pytestmark = pytest.mark.django_db(transaction=True)

DAY = 86_400 * 1_000_000
FEW = 3


@pytest.fixture
def issue(transactional_db: None) -> Issue:
    """Nine events over three days of receipt, the oldest of them first."""
    project = ProjectFactory.create()
    now = clock.micros()
    for days in (2, 1, 0):
        at = now - days * DAY
        record(
            [event(project, received=at + n, timestamp=at + n, data={"extra": {"n": n}}) for n in range(FEW)]
        )
    return Issue.objects.get()


def test_an_event_is_found_with_and_without_its_day(issue: Issue) -> None:
    oldest = Event.objects.order_by("received")[0]
    found = read.event(issue.project_id, oldest.event_id.hex, oldest.day)
    assert found is not None
    assert found == read.event(issue.project_id, str(oldest.event_id))
    assert (found.event_id, found.data) == (oldest.event_id.hex, {"extra": {"n": 0}})


def test_an_event_of_another_project_another_day_or_nobody_is_none(issue: Issue) -> None:
    one = Event.objects.order_by("received")[0]
    assert read.event(issue.project_id + 1, one.event_id.hex) is None
    assert read.event(issue.project_id, one.event_id.hex, one.day - timedelta(days=1)) is None
    assert read.event(issue.project_id, uuid.uuid4().hex) is None


def test_walking_from_the_latest_to_the_oldest_meets_every_event_once(issue: Issue) -> None:
    row = read.latest(issue)
    assert row is not None
    met = [row.event_id]
    while (previous := read.neighbours(issue, row)[0]) is not None:
        row = read.event(issue.project_id, previous.event_id, previous.day)
        assert row is not None
        met.append(row.event_id)
    ordered = Event.objects.order_by("-received").values_list("event_id", flat=True)
    assert met == [one.hex for one in ordered]
    assert read.oldest(issue) == row


def test_the_next_event_is_the_one_whose_previous_we_are(issue: Issue) -> None:
    oldest = read.oldest(issue)
    assert oldest is not None
    before, after = read.neighbours(issue, oldest)
    assert before is None
    assert after is not None
    row = read.event(issue.project_id, after.event_id, after.day)
    assert row is not None
    assert read.neighbours(issue, row)[0] == oldest.place


def test_events_received_in_the_same_microsecond_are_told_apart() -> None:
    project = ProjectFactory.create()
    at = clock.micros()
    record([event(project, received=at, timestamp=at) for _ in range(5)])
    issue = Issue.objects.get()
    first = read.events_of(issue, limit=2)
    second = read.events_of(issue, limit=10, before=first[-1].place)
    assert len({row.event_id for row in first + second}) == 5
    previous, following = read.neighbours(issue, second[0])
    assert (previous, following) == (second[1].place, first[-1].place)


def test_pages_of_events_follow_each_other_without_gap(issue: Issue) -> None:
    whole = [row.event_id for row in read.events_of(issue)]
    paged: list[str] = []
    before = None
    while rows := read.events_of(issue, limit=4, before=before):
        paged += [row.event_id for row in rows]
        before = rows[-1].place
    assert paged == whole
    assert len(whole) == 9


def test_an_event_that_happened_long_before_it_arrived_is_found() -> None:
    project = ProjectFactory.create()
    now = clock.micros()
    record([event(project, received=now, timestamp=now - 29 * DAY)])
    assert read.latest(Issue.objects.get()) is not None


def test_the_distribution_of_tags_counts_the_issues_own_events() -> None:
    project = ProjectFactory.create()
    browsers = ["Firefox"] * 3 + ["Chrome"] * 2 + ["Safari"]
    record([event(project, tags={"browser": one, "os": "Linux"}) for one in browsers])
    record([event(project, hashes="other", tags={"browser": "Opera"})])
    fold()
    distribution = read.tag_distribution(Issue.objects.get(title="KeyError: a"), values=2)
    assert distribution == {"browser": [("Firefox", 3), ("Chrome", 2)], "os": [("Linux", 6)]}


def test_a_sparkline_has_an_hour_for_each_place_and_zeros_between() -> None:
    project = ProjectFactory.create()
    now = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    ages = [0, 0, 1, 23, 24]
    stamps = [clock.to_micros(now) - hours * 60 * MINUTE for hours in ages]
    record([event(project, received=at, timestamp=at) for at in stamps])
    issue = Issue.objects.get()
    fold()
    line = read.sparklines([issue.pk, 987_654], now=now)
    assert line[issue.pk] == [1] + [0] * 21 + [1, 2]
    assert line[987_654] == [0] * 24
    assert read.hours(issue, 2, now)[1] == (datetime(2026, 3, 1, 12, tzinfo=UTC), 2)


def test_a_sparkline_can_be_that_of_one_environment() -> None:
    environment = EnvironmentFactory.create(name="staging")
    record([event(environment.project, environment=name) for name in ("staging", "production")])
    issue = Issue.objects.get()
    fold()
    assert sum(read.sparklines([issue.pk], environment_id=environment.pk)[issue.pk]) == 1


# -- one statement, by an index -----------------------------------------------------------------------------


def plans(monkeypatch: pytest.MonkeyPatch, ask: Any) -> list[dict[str, Any]]:
    """The plan of every statement that is sent meanwhile."""
    execute = psycopg.Cursor.execute
    found: list[dict[str, Any]] = []

    def explaining(self: Any, query: str, params: Any = None, **kwargs: Any) -> Any:
        with psycopg.Cursor(self.connection) as cursor:
            row = execute(cursor, f"explain (format json) {query}", params).fetchone()
        assert row is not None
        found.append(row[0][0]["Plan"])
        return execute(self, query, params, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", explaining)
        with CaptureQueriesContext(connection) as by_django:
            ask()
    assert len(by_django) == 0
    return found


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *[node for part in plan.get("Plans", []) for node in nodes(part)]]


@pytest.fixture
def crowded(issue: Issue) -> Issue:
    """Among the events of many other issues, so that reading everything would be the dearer plan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into app_event select day, project_id, gen_random_uuid(), 1000000 + n % 500, received,"
            ' "timestamp", level, environment_id, release_id, user_hash, title, tags, dictionary, body'
            " from (select distinct on (day) * from app_event) e, generate_series(1, 4000) n"
        )
        cursor.execute(
            "insert into app_issuehour (issue_id, hour, environment_id, events)"
            " select 1000000 + n % 5000, now() - n % 100 * interval '1 hour', n, 1"
            " from generate_series(1, 20000) n on conflict do nothing"
        )
        cursor.execute(
            "insert into app_issuetag (issue_id, tag_id, events, first_seen, last_seen)"
            " select 1000000 + n / 4, n % 4, 1, now(), now()"
            " from generate_series(1, 20000) n"
        )
        cursor.execute("analyze app_event, app_issuehour, app_issuetag, app_tagvalue")
    return issue


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("event", "_pkey"),
        ("anywhere", "_pkey"),
        ("latest", "_issue_id_received"),
        ("oldest", "_issue_id_received"),
        ("events_of", "_issue_id_received"),
        ("neighbours", "_issue_id_received"),
        ("tag_distribution", "app_issuetag_pkey"),
        ("sparklines", "app_issuehour_pkey"),
    ],
)
def test_each_question_is_one_statement_answered_by_an_index(
    crowded: Issue, monkeypatch: pytest.MonkeyPatch, question: str, index: str
) -> None:
    row = read.latest(crowded)
    assert row is not None
    ask = {
        "event": lambda: read.event(row.project_id, row.event_id, row.day),
        "anywhere": lambda: read.event(row.project_id, row.event_id),
        "latest": lambda: read.latest(crowded),
        "oldest": lambda: read.oldest(crowded),
        "events_of": lambda: read.events_of(crowded, before=row.place),
        "neighbours": lambda: read.neighbours(crowded, row),
        "tag_distribution": lambda: read.tag_distribution(crowded),
        "sparklines": lambda: read.sparklines([crowded.pk]),
    }[question]
    (plan,) = plans(monkeypatch, ask)
    asked = [
        node for node in nodes(plan) if node.get("Relation Name", "").startswith(("app_event_", "app_issue"))
    ]
    assert any(index in node.get("Index Name", "") for node in nodes(plan))
    read_whole = {node["Relation Name"] for node in asked if node["Node Type"] == "Seq Scan"}
    assert not [table for table in read_whole if not is_empty(table)], json.dumps(plan, indent=1)


def test_the_days_of_an_issue_bound_the_partitions_that_are_asked(
    crowded: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (plan,) = plans(monkeypatch, lambda: read.events_of(crowded))
    days = {
        node["Relation Name"][-8:] for node in nodes(plan) if "app_event_" in node.get("Relation Name", "")
    }
    first = crowded.first_seen.date() - timedelta(days=1)
    assert all(date(int(day[:4]), int(day[4:6]), int(day[6:])) >= first for day in days)
    assert len(days) < partitions_of_events()


def is_empty(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"select not exists (select from {table})")
        return bool(cursor.fetchone()[0])


def partitions_of_events() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_inherits where inhparent = 'app_event'::regclass")
        return int(cursor.fetchone()[0])
