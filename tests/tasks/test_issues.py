"""The tasks behind merging and discarding: each does its work once, goes on, and is found when lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.base import clock
from app.models import Event, Issue, IssueMove, Notable, Notification, Project, Tombstone
from app.store import discard
from app.store.merge import merge
from app.store.split import undo_merge
from tasks import alerts, issues
from tests.factories import DsnKeyFactory, MembershipFactory
from tests.store.test_merge import assert_exact, send
from tests.tasks.crews import Crew, eventually
from tests.tasks.test_events import nothing_before

__all__ = ["nothing_before"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project(transactional_db: None) -> Project:
    return DsnKeyFactory.create().project


def test_a_merge_that_runs_twice_is_done_once(project: Project) -> None:
    one, two = send(project, "one", 2), send(project, "two", 3)
    move = merge([one.pk], two.pk, None, "user:1:a")
    for _ in range(2):
        issues.merge(move.pk)
    assert Issue.objects.get(pk=two.pk).events == 5
    back = undo_merge(move.pk, None, "user:1:b")
    for _ in range(2):
        issues.unmerge(back.pk)
    assert [each.events for each in Issue.objects.order_by("pk")] == [2, 3]
    assert_exact()


def test_a_purge_that_runs_twice_deletes_once(project: Project) -> None:
    discard.discard([send(project, "noise", 3).pk], None, "user:1:a")
    kept = send(project, "kept")
    Tombstone.objects.update(created=clock.now() - timedelta(days=2))
    for _ in range(2):
        issues.purge_discarded()
    assert list(Issue.objects.all()) == [kept]


def test_nobody_hears_of_an_issue_that_was_merged_before_they_could(project: Project) -> None:
    MembershipFactory.create(organization=project.organization)
    one, two = send(project, "one"), send(project, "two", 2)
    merge([one.pk], two.pk, None, "user:1:a")
    alerts.announce(list(Notable.objects.values_list("pk", flat=True)))
    assert set(Notification.objects.values_list("issue", flat=True)) == {two.pk}
    assert not Notable.objects.filter(announced=None).exists()


def test_workers_carry_a_merge_through_and_the_sweep_finds_what_was_lost(crew: Crew) -> None:
    project = DsnKeyFactory.create().project
    one, two = send(project, "one", 3), send(project, "two", 4)
    move = merge([one.pk], two.pk, None, "user:1:a")
    IssueMove.objects.update(touched=clock.now() - timedelta(minutes=5))
    issues.sweep_merged.later()
    eventually(lambda: IssueMove.objects.filter(pk=move.pk, state="done").exists())
    assert Event.objects.filter(issue=two).count() == 7
