"""From hashes to issues: new ones, known ones, several of them, and those nobody wants."""

from __future__ import annotations

import uuid

import pytest

from app.models import Event, Issue, IssueHash, Outcome, Project
from app.store.record import record
from tests.factories import IssueFactory, ProjectFactory
from tests.store.samples import digest, event, fold

pytestmark = pytest.mark.django_db(transaction=True)


def hashes(issue: Issue) -> set[str]:
    return {one.hex for one in IssueHash.objects.filter(issue=issue).values_list("hash", flat=True)}


def test_every_hash_of_the_first_event_belongs_to_its_issue() -> None:
    record([event(ProjectFactory.create(), hashes="app system")])
    assert hashes(Issue.objects.get()) == {digest("app"), digest("system")}
    primary = IssueHash.objects.get(hash=uuid.UUID(digest("app")))
    assert (primary.config, primary.variant) == ("2026-11", "app")


def test_an_event_goes_to_the_issue_of_its_first_known_hash() -> None:
    project = ProjectFactory.create()
    record([event(project, hashes="a")])
    record([event(project, hashes="b")])
    record([event(project, hashes="c b a")])
    fold()
    of_b = Issue.objects.get(title="KeyError: c b a")
    assert (of_b.number, of_b.events, hashes(of_b)) == (2, 2, {digest("b"), digest("c")})
    assert Issue.objects.count() == 2


def test_an_issue_is_found_by_the_hashes_of_the_configuration_before() -> None:
    project = ProjectFactory.create()
    record([event(project, hashes="old")])
    record([event(project, hashes="new", older=[digest("old")])])
    record([event(project, hashes="new")])
    fold()
    issue = Issue.objects.get()
    assert (issue.events, hashes(issue)) == (3, {digest("old"), digest("new")})


def test_a_hash_of_the_configuration_before_is_never_made_anew() -> None:
    project = ProjectFactory.create()
    record([event(project, hashes="new", older=[digest("old")])])
    assert hashes(Issue.objects.get()) == {digest("new")}
    record([event(project, hashes="old")])
    assert Issue.objects.count() == 2


def test_what_an_event_is_by_now_counts_more_than_what_it_was() -> None:
    project = ProjectFactory.create()
    record([event(project, hashes="old")])
    record([event(project, hashes="new")])
    record([event(project, hashes="new", older=[digest("old")])])
    fold()
    assert sorted(Issue.objects.values_list("events", flat=True)) == [1, 2]


def test_events_that_share_a_hash_in_one_group_are_one_issue() -> None:
    project = ProjectFactory.create()
    stored = record([event(project, hashes=words) for words in ("a b", "b c", "c d")])
    assert [one.kind for one in stored] == ["new", "ordinary", "ordinary"]
    fold()
    assert Issue.objects.get().events == 3
    assert IssueHash.objects.count() == 4


def test_the_same_hash_in_two_projects_is_two_issues() -> None:
    record([event(ProjectFactory.create()), event(ProjectFactory.create())])
    assert Issue.objects.count() == 2


def test_numbers_have_no_gaps_in_any_project() -> None:
    projects = [ProjectFactory.create(), ProjectFactory.create()]
    for word in "abc":
        record([event(project, hashes=f"{word}{half}") for half in "12" for project in projects])
    for project in projects:
        numbers = Issue.objects.filter(project=project).order_by("number").values_list("number", flat=True)
        assert list(numbers) == [1, 2, 3, 4, 5, 6]
        assert Project.objects.get(pk=project.pk).next_issue == 7


def test_a_discarded_hash_drops_its_events_and_counts_them_once() -> None:
    project = ProjectFactory.create()
    IssueHash.objects.create(
        project=project, hash=uuid.UUID(digest("noise")), config="", variant="", state="discarded"
    )
    group = [event(project, hashes="noise new"), event(project, hashes="signal")]
    assert [one.kind for one in record(group)] == ["discarded", "new"]
    record(group)
    assert Event.objects.count() == Issue.objects.count() == 1
    fold()
    outcomes = {(one.outcome, one.reason): one.quantity for one in Outcome.objects.all()}
    assert outcomes == {("accepted", ""): 1, ("filtered", "discarded-hash"): 1}


def test_a_known_hash_before_a_discarded_one_decides() -> None:
    project = ProjectFactory.create()
    record([event(project, hashes="known")])
    IssueHash.objects.create(
        project=project, hash=uuid.UUID(digest("noise")), config="", variant="", state="discarded"
    )
    assert record([event(project, hashes="known noise")])[0].kind == "ordinary"


def test_a_hash_whose_issue_is_gone_gets_a_new_one() -> None:
    project = ProjectFactory.create()
    loose = IssueHash.objects.create(project=project, hash=uuid.UUID(digest("a")), config="", variant="")
    record([event(project, hashes="a")])
    loose.refresh_from_db()
    assert loose.issue == Issue.objects.get()


def test_the_first_event_of_a_project_is_noted_even_when_its_issue_was_there_before() -> None:
    issue = IssueFactory.create(number=1)
    IssueHash.objects.create(
        project=issue.project, issue=issue, hash=uuid.UUID(digest("a")), config="", variant=""
    )
    one = event(issue.project, hashes="a")
    assert record([one])[0].kind == "ordinary"
    first = Project.objects.get(pk=issue.project_id).first_event
    record([event(issue.project, hashes="a")])
    assert first is not None
    assert Project.objects.get(pk=issue.project_id).first_event == first
