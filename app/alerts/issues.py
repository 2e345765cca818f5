"""Who is to hear that an issue is new or came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from app.base import clock
from app.models import Membership, Notable, Notification, Project, TeamMembership, User

#: Seconds after which an announcement that should long have been made is looked for.
OVERDUE = 5
AT_ONCE = 100


def announce(ids: Sequence[int]) -> list[Notification]:
    """The messages these Notable rows call for, marking the rows as announced.

    To be called in a transaction that also stores the messages. Rows that were announced before or that
    another worker is announcing right now give none.
    """
    rows = list(
        Notable.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk__in=ids, announced=None)
        .select_related("issue__project")
        .order_by("pk")
    )
    people = {project: audience(project) for project in {row.issue.project for row in rows}}
    told = [row for row in rows if row.issue.is_listed]  # not merged or discarded meanwhile
    messages = [message(row, user) for row in told for user in people[row.issue.project]]
    Notable.objects.filter(pk__in=[row.pk for row in rows]).update(announced=clock.now())
    return messages


def overdue() -> list[int]:
    """Notable rows that nobody announced in time, the oldest first, a hundred at most."""
    before = clock.now() - timedelta(seconds=OVERDUE)
    rows = Notable.objects.filter(announced=None, created__lt=before).order_by("created")
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def audience(project: Project) -> list[User]:
    """Active members of the project's teams; where there are none, of its organization."""
    teams = TeamMembership.objects.filter(team__projects=project)
    members = Membership.objects.filter(organization=project.organization_id)
    return _people(teams.values_list("membership__user", flat=True)) or _people(
        members.values_list("user", flat=True)
    )


def _people(ids: Iterable[int]) -> list[User]:
    return list(User.objects.filter(pk__in=ids, is_active=True).order_by("pk"))


def message(notable: Notable, user: User) -> Notification:
    """An unsaved row of the outbox; the cause makes it happen once."""
    cause = f"{notable.kind}:{notable.issue_id}"
    if notable.kind != "new":
        cause += f":{notable.event_id.hex}"
    return Notification(
        cause=cause,
        recipient=user.email,
        channel="email",
        kind=f"issue_{notable.kind}",
        user=user,
        issue=notable.issue,
        data={"event_id": notable.event_id.hex, "day": notable.day.isoformat()},
        due=clock.now(),
    )
