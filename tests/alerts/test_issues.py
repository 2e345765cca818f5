"""Who hears of an issue, and how often: everyone concerned, once."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction

from app.alerts import issues
from app.base import clock
from app.models import Issue, Membership, Notable, Notification, Project, ProjectTeam, Team, TeamMembership
from app.notifications import outbox
from tests.factories import IssueFactory, MembershipFactory, ProjectFactory, UserFactory


def notable(issue: Issue, kind: str = "new", age: int = 0) -> Notable:
    now = clock.now() - timedelta(seconds=age)
    return Notable.objects.create(issue=issue, kind=kind, event_id=uuid.uuid4(), day=now.date(), created=now)


def member(project: Project, email: str, *, active: bool = True) -> Membership:
    user = UserFactory.create(email=email, is_active=active)
    return MembershipFactory.create(organization=project.organization, user=user)


def join(team: Team, *memberships: Membership) -> None:
    for membership in memberships:
        TeamMembership.objects.create(team=team, membership=membership)


def heard(project: Project) -> list[str]:
    return [user.email for user in issues.audience(project)]


@pytest.fixture
def project(db: None) -> Project:
    return ProjectFactory.create()


def test_a_project_without_a_team_concerns_everyone_who_is_active(project: Project) -> None:
    member(project, "ada@example.com")
    member(project, "left@example.com", active=False)
    member(ProjectFactory.create(), "stranger@example.com")
    assert heard(project) == ["ada@example.com"]


def test_a_project_of_teams_concerns_their_members_once_each(project: Project) -> None:
    ada, bob, eve = (member(project, f"{name}@example.com") for name in ("ada", "bob", "eve"))
    for slug, people in (("web", [ada, bob]), ("payments", [bob])):
        team = Team.objects.create(organization=project.organization, slug=slug, name=slug)
        ProjectTeam.objects.create(project=project, team=team)
        join(team, *people)
    join(Team.objects.create(organization=project.organization, slug="other", name="other"), eve)
    assert heard(project) == ["ada@example.com", "bob@example.com"]


def test_a_team_nobody_is_in_does_not_mean_silence(project: Project) -> None:
    member(project, "ada@example.com")
    team = Team.objects.create(organization=project.organization, slug="web", name="web")
    ProjectTeam.objects.create(project=project, team=team)
    assert heard(project) == ["ada@example.com"]


def announce(*rows: Notable) -> int:
    with transaction.atomic():
        return outbox.put(issues.announce([row.pk for row in rows]))


def test_what_is_notable_is_announced_once(project: Project) -> None:
    member(project, "ada@example.com")
    row = notable(IssueFactory.create(project=project))
    assert announce(row) == 1
    assert announce(row) == 0
    [message] = Notification.objects.all()
    assert (message.cause, message.recipient) == (f"new:{row.issue_id}", "ada@example.com")
    assert message.data == {"event_id": row.event_id.hex, "day": row.day.isoformat()}
    row.refresh_from_db()
    assert row.announced


def test_each_return_of_an_issue_is_a_cause_of_its_own(project: Project) -> None:
    member(project, "ada@example.com")
    issue = IssueFactory.create(project=project)
    announce(notable(issue), notable(issue, "regressed"), notable(issue, "regressed"))
    causes = [row.cause for row in Notification.objects.all()]
    assert len(set(causes)) == 3


def test_announcing_two_new_rows_of_one_issue_tells_it_once(project: Project) -> None:
    member(project, "ada@example.com")
    issue = IssueFactory.create(project=project)
    announce(notable(issue))
    announce(notable(issue))
    assert Notification.objects.count() == 1


def test_nobody_to_tell_is_no_reason_to_try_again(project: Project) -> None:
    row = notable(IssueFactory.create(project=project), age=10)
    announce(row)
    assert issues.overdue() == []


def test_only_what_is_overdue_is_swept(project: Project) -> None:
    issue = IssueFactory.create(project=project)
    late = notable(issue, age=issues.OVERDUE + 1)
    notable(issue, "regressed")
    assert issues.overdue() == [late.pk]


def test_what_was_deleted_meanwhile_is_done(db: None) -> None:
    with transaction.atomic():
        assert issues.announce([4711]) == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_announcing_the_same_write_one_message() -> None:
    project = ProjectFactory.create()
    member(project, "ada@example.com")
    rows = [notable(IssueFactory.create(project=project)) for _ in range(10)]
    start = threading.Barrier(4, timeout=10)

    def worker() -> None:
        start.wait()
        announce(*rows)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Notification.objects.count() == 10
    assert not Notable.objects.filter(announced=None).exists()
