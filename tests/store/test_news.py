"""A resolved issue comes back when, and only when, something happened after it was resolved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.base import clock
from app.models import Activity, Issue, Notable, Project, Release, Status, Substatus
from app.store import workflow
from app.store.record import record
from tests.factories import ProjectFactory
from tests.store.samples import MINUTE, event, fold

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project(transactional_db: None) -> Project:
    project: Project = ProjectFactory.create()
    return project


def resolve(project: Project, release: Release | None = None) -> Issue:
    """An issue that was resolved just now."""
    record([event(project, timestamp=clock.micros() - 10 * MINUTE)])
    issue = Issue.objects.get()
    workflow.resolve([issue.pk], None, "user:1:x", release_id=release.pk if release else None)
    return issue


def releases(project: Project, *versions: str) -> list[Release]:
    """Releases in the order in which they were first heard of."""
    now = clock.now()
    return [
        Release.objects.create(
            organization=project.organization, version=version, created=now + timedelta(seconds=place)
        )
        for place, version in enumerate(versions)
    ]


def test_a_later_event_reopens_a_resolved_issue_and_says_so_once(project: Project) -> None:
    issue = resolve(project)
    group = [event(project), event(project)]
    assert [one.kind for one in record(group)] == ["regressed", "ordinary"]
    record(group)
    issue.refresh_from_db()
    assert (issue.status, issue.substatus) == (Status.UNRESOLVED, Substatus.REGRESSED)
    assert issue.resolved_at is None
    assert Notable.objects.filter(kind="regressed").count() == 1
    assert Activity.objects.get(kind="regressed").cause == f"event:{group[0].event_id}"


def test_an_event_that_happened_before_the_resolution_does_not_reopen(project: Project) -> None:
    issue = resolve(project)
    assert record([event(project, timestamp=clock.micros() - MINUTE)])[0].kind == "ordinary"
    fold()
    issue.refresh_from_db()
    assert (issue.status, issue.events) == (Status.RESOLVED, 2)


def test_of_several_events_the_first_that_happened_later_reopens(project: Project) -> None:
    resolve(project)
    late = event(project, timestamp=clock.micros() - MINUTE)
    assert [one.kind for one in record([late, event(project)])] == ["ordinary", "regressed"]


def test_an_older_release_does_not_reopen_what_was_resolved_in_a_newer_one(project: Project) -> None:
    _, new = releases(project, "shop@1", "shop@2")
    resolve(project, new)
    assert record([event(project, release="shop@1")])[0].kind == "ordinary"


def test_an_event_without_a_release_does_not_reopen_what_was_resolved_in_one(project: Project) -> None:
    _, mended = releases(project, "shop@1", "shop@2")
    resolve(project, mended)
    assert record([event(project, release="")])[0].kind == "ordinary"


@pytest.mark.parametrize("release", ["shop@2", "shop@3"])
def test_the_same_or_a_newer_release_reopens(project: Project, release: str) -> None:
    _, mended = releases(project, "shop@1", "shop@2")
    resolve(project, mended)
    Release.objects.create(
        organization=project.organization, version="shop@3", created=clock.now() + timedelta(minutes=1)
    )
    assert record([event(project, release=release)])[0].kind == "regressed"


def test_an_archived_issue_stays_archived(project: Project) -> None:
    record([event(project)])
    issue = Issue.objects.get()
    workflow.archive([issue.pk], None, "user:1:x")
    assert record([event(project)])[0].kind == "ordinary"
    issue.refresh_from_db()
    assert issue.status == Status.ARCHIVED
