"""Who may see and change what: the one place that pages, API and alert rules ask."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from app.models import Issue, Membership, Organization, Project, Role, User

#: Roles that see every project of their organization, and roles that may change a project's settings.
SEE_ALL = frozenset({Role.OWNER, Role.MANAGER})
MAY_MANAGE = frozenset({Role.OWNER, Role.MANAGER, Role.ADMIN})


@dataclass(frozen=True)
class Seat:
    """A person in an organization, with the role they have there."""

    organization: Organization
    role: str

    @property
    def may_manage(self) -> bool:
        """May create projects and change the settings of those they see."""
        return self.role in MAY_MANAGE


def seats(user: User) -> list[Seat]:
    """Every organization the person belongs to, by name."""
    memberships = Membership.objects.filter(user=user).select_related("organization")
    return [Seat(each.organization, each.role) for each in memberships.order_by("organization__name", "pk")]


def visible_projects(user: User) -> QuerySet[Project]:
    """Owners and managers see all of an organization, others what their teams have and what no team has."""
    mine = Membership.objects.filter(user=user)
    everything = mine.filter(role__in=SEE_ALL).values("organization")
    in_organization = mine.values("organization")
    by_team = Q(teams__memberships__membership__in=mine) | Q(teams=None)
    reachable = Project.objects.filter(by_team, organization__in=in_organization).values("pk")
    return Project.objects.filter(Q(organization__in=everything) | Q(pk__in=reachable)).order_by("slug")


def visible_issues(user: User) -> QuerySet[Issue]:
    """The issues of every project the person sees."""
    return Issue.objects.filter(project__in=visible_projects(user)).select_related("project")
