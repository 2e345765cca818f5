"""One group of events becomes rows, counters and news, once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.base import clock
from app.models import (
    Activity,
    Environment,
    Event,
    Issue,
    IssueHour,
    IssueTag,
    IssueUser,
    Notable,
    Outcome,
    Project,
    Release,
    ReleaseProject,
    TagValue,
)
from app.store import read
from app.store.record import record
from tests.factories import DsnKeyFactory, ProjectFactory
from tests.store.samples import MINUTE, event, fold

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is sent through psycopg meanwhile."""
    sent: list[str] = []
    execute, copy = psycopg.Cursor.execute, psycopg.Cursor.copy

    def noting_execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return execute(self, query, *args, **kwargs)

    def noting_copy(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(statement))
        return copy(self, statement, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", noting_execute)
        patch.setattr(psycopg.Cursor, "copy", noting_copy)
        yield sent


def everything() -> dict[str, list[Any]]:
    """All that the store writes, to see whether it changed."""
    fold()
    issue_tables = (Issue, IssueHour, IssueTag, IssueUser, Activity, Notable)
    tables = (*issue_tables, Environment, Event, Outcome, Project, Release, ReleaseProject, TagValue)
    return {table.__name__: sorted(table.objects.values_list(), key=repr) for table in tables}


def test_the_first_event_makes_an_issue_with_everything_counted() -> None:
    key = DsnKeyFactory.create()
    one = event(key.project, key)
    (stored,) = record([one])
    issue = Issue.objects.get()
    assert (stored.kind, stored.issue_id) == ("new", issue.pk)
    assert (issue.number, issue.events, issue.users, issue.title) == (1, 1, 1, "KeyError: a")
    assert issue.first_release is not None
    assert issue.last_release == issue.first_release
    assert issue.first_release.version == "shop@1.0.0"
    assert Notable.objects.get().pk == stored.notable_id
    assert Activity.objects.get().kind == "first_seen"
    fold()
    assert sum(IssueHour.objects.values_list("events", flat=True)) == 1
    assert IssueTag.objects.count() == 3
    assert IssueUser.objects.count() == 1
    assert ReleaseProject.objects.get().new_issues == 1
    assert Outcome.objects.get().quantity == 1
    key.project.refresh_from_db()
    assert key.project.first_event is not None
    row = read.latest(issue)
    assert row is not None
    assert (row.event_id, row.environment, row.release) == (one.event_id, "production", "shop@1.0.0")
    assert (row.tags, row.data, row.user) == (one.tags, one.data, "id:7")
    assert (clock.to_micros(row.received), clock.to_micros(row.timestamp)) == (one.received, one.timestamp)


def test_the_same_group_again_changes_nothing() -> None:
    project = ProjectFactory.create()
    group = [event(project, hashes=word) for word in ("a", "b", "a")]
    record(group)
    before = everything()
    assert [one.kind for one in record(group)] == ["duplicate"] * 3
    assert everything() == before


def test_a_group_that_overlaps_another_adds_only_what_is_new() -> None:
    project = ProjectFactory.create()
    group = [event(project) for _ in range(6)]
    record(group[:4])
    assert [one.kind for one in record(group[2:])] == ["duplicate", "duplicate", "ordinary", "ordinary"]
    fold()
    assert Issue.objects.get().events == Event.objects.count() == 6


def test_the_same_id_twice_in_one_group_is_one_event() -> None:
    project = ProjectFactory.create()
    one = event(project)
    assert [stored.kind for stored in record([one, one])] == ["new", "duplicate"]
    fold()
    assert Event.objects.count() == Issue.objects.get().events == 1


def test_an_event_sent_again_by_its_client_is_counted_as_a_duplicate_once() -> None:
    project = ProjectFactory.create()
    first = event(project)
    again = event(project, event_id=first.event_id, received=first.received + MINUTE)
    record([first])
    record([again])
    record([again])
    fold()
    assert Event.objects.count() == 1
    assert dict(Outcome.objects.values_list("reason", "quantity")) == {"": 1, "duplicate": 1}


def test_an_event_sent_again_after_midnight_meets_the_one_of_the_day_before() -> None:
    project = ProjectFactory.create()
    midnight = clock.to_micros(clock.now().replace(hour=0, minute=0, second=0, microsecond=0))
    before = event(project, received=midnight - MINUTE)
    after = event(project, event_id=before.event_id, received=midnight + MINUTE)
    record([before])
    assert record([after])[0].kind == "duplicate"
    assert Event.objects.count() == 1


def test_one_id_in_two_projects_is_two_events() -> None:
    one, other = ProjectFactory.create(), ProjectFactory.create()
    same = uuid.uuid4().hex
    record([event(one, event_id=same), event(other, event_id=same)])
    assert Event.objects.count() == Issue.objects.count() == 2
    assert sorted(Issue.objects.values_list("number", flat=True)) == [1, 1]


def test_statements_do_not_grow_with_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    key = DsnKeyFactory.create()
    words = [str(number) for number in range(20)]
    record([event(key.project, key, hashes=word) for word in words])
    sent: dict[int, int] = {}
    for size in (1, 10, 200):
        group = [event(key.project, key, hashes=words[place % 20]) for place in range(size)]
        with statements(monkeypatch) as seen:
            record(group)
        sent[size] = len(seen)
    assert sent[1] == sent[10] == sent[200] <= 14, seen


def test_a_new_issue_in_the_group_costs_a_fixed_number_of_statements_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = DsnKeyFactory.create()
    record([event(key.project, key, hashes="warm")])
    sent = []
    for size in (1, 10, 200):
        with statements(monkeypatch) as seen:
            record([event(key.project, key, hashes=f"{size}-{place}") for place in range(size)])
        sent.append(len(seen))
    assert sent[0] == sent[1] == sent[2] <= 22, seen
    assert Issue.objects.count() == 212


def test_an_event_of_a_project_that_is_gone_is_dropped_and_its_neighbours_stay() -> None:
    project, gone = ProjectFactory.create(), ProjectFactory.create()
    record([event(project), event(gone)])
    Issue.objects.filter(project=gone).delete()
    Project.objects.filter(pk=gone.pk).delete()
    group = [event(gone), event(project), event(987_654)]
    assert [one.kind for one in record(group)] == ["discarded", "ordinary", "discarded"]
    fold()
    assert Issue.objects.get().events == 2


def test_numbers_of_a_transaction_that_was_rolled_back_are_not_remembered() -> None:
    key = DsnKeyFactory.create()
    fields: dict[str, Any] = {
        "tags": {"tenant": "t1"},
        "release": "",
    }  # nothing whose number a foreign key would check
    with pytest.raises(ValueError, match="not been grouped"):
        record([event(key.project, key, **fields), event(key.project, key, grouping=None)])
    assert TagValue.objects.count() == 0
    record([event(key.project, key, **fields)])
    one = Event.objects.get()
    assert list(TagValue.objects.filter(pk__in=one.tags).values_list("value", flat=True)) == ["t1"]
    assert one.environment.name == "production"


def test_names_that_were_deleted_are_made_again() -> None:
    project = ProjectFactory.create()
    record([event(project)])
    Release.objects.all().delete()
    record([event(project, hashes="b")])
    assert Release.objects.get() == Issue.objects.get(number=2).first_release


def test_odd_texts_arrive_as_they_were() -> None:
    project = ProjectFactory.create()
    odd = 'tab\t newline\n backslash\\ quote\' "double" {brace} 100% 🦀 \\N \u2028'
    one = event(
        project, title=odd, culprit=odd, tags={"odd": odd}, environment=odd, release=odd, metadata={"v": odd}
    )
    record([one])
    issue = Issue.objects.get()
    row = read.latest(issue)
    assert row is not None
    assert (issue.title, issue.culprit, issue.metadata) == (odd, odd, {"v": odd})
    assert (row.title, row.environment, row.release, row.tags) == (odd, odd, odd, {"odd": odd})


def test_an_event_with_nothing_optional_is_stored() -> None:
    project = ProjectFactory.create()
    record([event(project, release="", environment="", user="", tags={}, metadata={}, culprit="", data={})])
    row = read.latest(Issue.objects.get())
    assert row is not None
    assert (row.release, row.environment, row.user, row.tags, row.data) == ("", "", "", {}, {})
    assert Issue.objects.get().users == 0


def test_a_body_of_a_megabyte_is_kept_whole() -> None:
    project = ProjectFactory.create()
    noise = [uuid.uuid4().hex for _ in range(30_000)]
    record([event(project, data={"extra": {"noise": noise}})])
    row = read.latest(Issue.objects.get())
    assert row is not None
    assert row.data["extra"]["noise"] == noise


def test_the_newest_event_says_what_the_issue_looks_like_whatever_the_order_of_arrival() -> None:
    project = ProjectFactory.create()
    now = clock.micros()
    record([event(project, timestamp=now, title="newest", level="fatal", release="shop@2")])
    record([event(project, timestamp=now - MINUTE, title="older", level="info", release="shop@1")])
    fold()
    issue = Issue.objects.select_related("last_release").get()
    assert issue.last_release is not None
    assert (issue.title, issue.level, issue.last_release.version) == ("newest", 50, "shop@2")
    assert issue.last_seen - issue.first_seen == timedelta(minutes=1)


def test_a_late_receipt_gets_its_own_day_however_old() -> None:
    project = ProjectFactory.create()
    late = clock.micros() - 400 * 86_400 * 1_000_000
    (stored,) = record([event(project, received=late, timestamp=late)])
    assert stored.day == clock.day_of(late).isoformat()
    assert read.event(project.pk, stored.event_id, clock.day_of(late)) is not None


def test_users_are_counted_once_per_issue() -> None:
    project = ProjectFactory.create()
    record([event(project, user=user) for user in ("id:1", "id:2", "id:1", "")])
    record([event(project, user=user) for user in ("id:2", "id:3")])
    fold()
    assert Issue.objects.get().users == IssueUser.objects.count() == 3
