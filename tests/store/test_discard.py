"""What nobody wants is dropped from now on, can be taken back for a day, and then is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.base import clock
from app.models import (
    Activity,
    Event,
    Issue,
    IssueHash,
    IssueHour,
    IssueTag,
    IssueUser,
    Project,
    Status,
    Tombstone,
)
from app.store import discard
from app.store.holding import Impossible
from app.store.merge import merge
from app.store.record import record
from tests.factories import DsnKeyFactory
from tests.store.samples import event, fold
from tests.store.test_merge import assert_exact, finish, send

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project(transactional_db: None) -> Project:
    return DsnKeyFactory.create().project


def a_day_passes() -> None:
    Tombstone.objects.update(created=clock.now() - timedelta(days=1, minutes=1))


def test_events_of_a_discarded_issue_are_dropped_and_the_issue_is_in_no_list(project: Project) -> None:
    issue = send(project, "noise", 2)
    (stone,) = discard.discard([issue.pk], None, "user:1:a")
    assert [one.kind for one in record([event(project, hashes="noise")])] == ["discarded"]
    fold()
    issue.refresh_from_db()
    assert (issue.status, issue.events, issue.is_listed) == (Status.DISCARDED, 2, False)
    assert (stone.title, stone.short_id, discard.dropped(project.pk)) == (issue.title, issue.short_id, 1)
    assert Activity.objects.filter(kind="discarded").count() == 1
    assert discard.discard([issue.pk], None, "user:1:b") == []


def test_within_the_day_it_comes_back_whole(project: Project) -> None:
    issue = send(project, "noise app", 2)
    before = Issue.objects.values().get()
    (stone,) = discard.discard([issue.pk], None, "user:1:a")
    assert discard.purge(60) is False
    assert discard.restore(stone.pk, None, "user:1:b") == issue
    assert Issue.objects.values().get() == before
    assert [one.kind for one in record([event(project, hashes="noise app")])] == ["ordinary"]
    assert_exact()
    with pytest.raises(Impossible, match="already"):
        discard.restore(stone.pk, None, "user:1:c")


def test_a_day_later_everything_is_deleted_but_the_tombstone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discard, "EVENTS", 2)
    monkeypatch.setattr(discard, "ROWS", 1)
    kept, noise, merged = send(project, "kept"), send(project, "noise", 5), send(project, "merged")
    finish(merge([merged.pk], noise.pk, None, "user:1:m"))
    (stone,) = discard.discard([noise.pk], None, "user:1:a")
    a_day_passes()
    steps = 1
    while discard.purge(0):
        steps += 1
    assert steps > 5
    assert list(Issue.objects.all()) == [kept]
    assert Event.objects.get().issue_id == kept.pk
    for counted in (IssueHour, IssueTag, IssueUser):
        assert set(counted.objects.values_list("issue", flat=True)) == {kept.pk}
    assert discard.purge(60) is False
    assert IssueHash.objects.filter(tombstone=stone, issue=None, state="discarded").count() == 2
    assert {one.kind for one in record([event(project, hashes=w) for w in ("noise", "merged")])} == {
        "discarded"
    }
    stone.refresh_from_db()
    assert (stone.title, stone.issue) == ("KeyError: noise", None)


def test_who_stops_discarding_later_gets_a_new_issue_with_the_next_event(project: Project) -> None:
    issue = send(project, "noise", 2)
    (stone,) = discard.discard([issue.pk], None, "user:1:a")
    a_day_passes()
    discard.purge(60)
    assert discard.restore(stone.pk, None, "user:1:b") is None
    assert not Tombstone.objects.exists()
    assert [one.kind for one in record([event(project, hashes="noise")])] == ["new"]
    assert (Event.objects.count(), Issue.objects.get().events) == (1, 1)


def test_who_stops_while_it_is_being_deleted_does_not_bring_half_of_it_back(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discard, "EVENTS", 2)
    issue = send(project, "noise", 5)
    (stone,) = discard.discard([issue.pk], None, "user:1:a")
    a_day_passes()
    for _ in range(2):
        assert discard.purge(0)
    assert discard.restore(stone.pk, None, "user:1:b") is None
    assert [one.kind for one in record([event(project, hashes="noise")])] == ["new"]
    assert discard.purge(60) is False
    assert Issue.objects.get().pk != issue.pk
    assert (Event.objects.count(), Issue.objects.get().events) == (1, 1)


def test_nothing_is_deleted_while_events_are_on_their_way_to_it(project: Project) -> None:
    one, two = send(project, "one"), send(project, "two", 2)
    move = merge([one.pk], two.pk, None, "user:1:a")
    discard.discard([two.pk], None, "user:1:b")
    a_day_passes()
    discard.purge(60)
    assert Event.objects.count() == 3
    finish(move)
    discard.purge(60)
    assert not Event.objects.exists()
    assert not Issue.objects.exists()
