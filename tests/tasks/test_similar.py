"""New issues become known to those like them; whatever dies on the way, a sweep finds them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.base import clock
from app.grouping import similarity
from app.models import DueTask, Issue, IssueSignature
from app.store import similar
from tasks import due, events, issues
from tests.factories import DsnKeyFactory, IssueFactory, ProjectFactory
from tests.tasks.crews import Crew, eventually
from tests.tasks.test_events import error, nothing_before, request

__all__ = ["nothing_before"]
pytestmark = pytest.mark.django_db(transaction=True)


def queued() -> list[list[int]]:
    """What was queued; in these tests the broker has no such queue, so that it waits in the database."""
    return [row.args[0] for row in DueTask.objects.filter(task="issues.update_similar").order_by("pk")]


def signed() -> set[int]:
    return set(IssueSignature.objects.values_list("pk", flat=True))


@pytest.mark.needs("amqp")
def test_a_new_issue_is_queued_and_ordinary_events_are_not() -> None:
    key = DsnKeyFactory.create()
    group = request(key, error())
    events.process(group)
    assert queued() == [[Issue.objects.get().pk]]
    events.process(group)
    events.process(request(key, error("'net'")) + request(key, error()))
    assert len(queued()) == 1


def test_done_twice_it_is_there_once() -> None:
    events.process(request(DsnKeyFactory.create(), error()))
    issue = Issue.objects.get()
    for _ in range(2):
        issues.update_similar([issue.pk])
    assert signed() == {issue.pk}


def test_the_sweep_finds_what_was_left_behind_and_what_an_older_version_made() -> None:
    old = clock.now() - similar.OVERDUE - timedelta(seconds=1)
    rows = IssueFactory.create_batch(5, project=ProjectFactory.create())
    issues.sweep_similar()
    assert signed() == set()  # what was just made is left to the task that was queued for it
    Issue.objects.update(created=old)
    issues.update_similar([rows[0].pk])
    IssueSignature.objects.update(version=0)
    issues.sweep_similar()
    assert signed() == {row.pk for row in rows}
    assert set(IssueSignature.objects.values_list("version", flat=True)) == {similarity.VERSION}


def test_the_sweep_does_so_many_at_once_and_the_rest_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issues, "AT_ONCE", 2)
    monkeypatch.setattr(issues, "TIMES", 2)
    rows = IssueFactory.create_batch(7, project=ProjectFactory.create())
    Issue.objects.update(created=clock.now() - similar.OVERDUE - timedelta(seconds=1))
    issues.sweep_similar()
    assert signed() == {row.pk for row in rows[3:]}
    issues.sweep_similar()
    assert signed() == {row.pk for row in rows}


def test_a_worker_does_it(crew: Crew) -> None:
    due.put("events.process_group", [request(DsnKeyFactory.create(), error())])
    eventually(lambda: signed() == set(Issue.objects.values_list("pk", flat=True)) != set(), 60)
