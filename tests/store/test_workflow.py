"""What people do to issues, and taking it back."""

from __future__ import annotations

import pytest

from app.models import Activity, Issue, Status, Substatus
from app.store import workflow
from tests.factories import IssueFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_resolving_says_which_issues_really_changed() -> None:
    open_, done = IssueFactory.create(), IssueFactory.create(status=Status.RESOLVED)
    user = UserFactory.create()
    changed = workflow.resolve([done.pk, open_.pk, 987_654], user.pk, "user:1:a")
    assert [one.issue_id for one in changed] == [open_.pk]
    open_.refresh_from_db()
    assert open_.status == Status.RESOLVED
    assert open_.resolved_at is not None
    assert Activity.objects.values_list("issue", "kind", "user").get() == (open_.pk, "resolved", user.pk)


def test_undo_restores_exactly_what_was_changed() -> None:
    regressed = IssueFactory.create(substatus=Substatus.REGRESSED)
    archived = IssueFactory.create(status=Status.ARCHIVED, substatus=Substatus.ONGOING)
    done = IssueFactory.create(status=Status.RESOLVED)
    ids = [regressed.pk, archived.pk, done.pk]
    before = list(Issue.objects.filter(pk__in=ids).order_by("pk").values())
    workflow.undo(workflow.resolve(ids, None, "user:1:a"), None, "user:1:b")
    assert list(Issue.objects.filter(pk__in=ids).order_by("pk").values()) == before


def test_undo_leaves_alone_what_others_changed_since() -> None:
    issue = IssueFactory.create()
    changed = workflow.resolve([issue.pk], None, "user:1:a")
    workflow.archive([issue.pk], None, "user:2:a")
    assert workflow.undo(changed, None, "user:1:b") == []
    issue.refresh_from_db()
    assert issue.status == Status.ARCHIVED


def test_bringing_back_forgets_when_it_was_resolved() -> None:
    issue = IssueFactory.create()
    workflow.resolve([issue.pk], None, "user:1:a")
    workflow.unresolve([issue.pk], None, "user:1:b")
    issue.refresh_from_db()
    assert (issue.status, issue.substatus, issue.resolved_at) == (Status.UNRESOLVED, Substatus.ONGOING, None)


def test_the_same_request_twice_is_noted_once() -> None:
    issue = IssueFactory.create()
    for _ in range(2):
        workflow.archive([issue.pk], None, "user:1:a")
    assert Activity.objects.count() == 1
