"""One group of events becomes rows, counters and news, once."""

from __future__ import annotations

import pytest

from app.models import Event, Issue, IssueHour, IssueTag, IssueUser, Notable, Outcome, ReleaseProject
from app.store import read, record
from tests.factories import DsnKeyFactory
from tests.store.samples import event

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_event_makes_an_issue_with_everything_counted() -> None:
    key = DsnKeyFactory()
    one = event(key.project, key)
    (stored,) = record.record([one])
    issue = Issue.objects.get()
    assert (stored.kind, stored.issue_id) == ("new", issue.pk)
    assert (issue.number, issue.events, issue.users, issue.title) == (1, 1, 1, "KeyError: a")
    assert issue.first_release is not None
    assert issue.last_release == issue.first_release
    assert issue.first_release.version == "shop@1.0.0"
    assert Notable.objects.get().pk == stored.notable_id
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
    assert row.tags == one.tags
    assert row.data == one.data
    assert Event.objects.count() == 1
