"""What every page stands in: the person, their organization and the projects they see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper, wraps
from typing import Any, Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from app.accounts.access import Seat, seats, visible_projects
from app.models import Environment, Organization, Project, User

P = ParamSpec("P")


@dataclass(frozen=True)
class Place:
    """Where a request is: everything below starts from what this person may see."""

    user: User
    seat: Seat
    seats: list[Seat]
    projects: list[Project]

    @property
    def organization(self) -> Organization:
        return self.seat.organization

    def project(self, slug: str) -> Project:
        """The visible project of that name; raises Http404 for any other."""
        for project in self.projects:
            if project.slug == slug:
                return project
        raise Http404("There is no such project here, or you may not see it.")

    def chosen(self, request: HttpRequest) -> Project | None:
        """The visible project that `?project=` names; None for all of them."""
        return next((each for each in self.projects if each.slug == request.GET.get("project")), None)

    def environments(self) -> list[str]:
        """The names to choose from, hidden ones left out; one statement."""
        names = Environment.objects.filter(project__in=self.projects, is_hidden=False).exclude(name="")
        return list(names.values_list("name", flat=True).distinct().order_by("name")[:200])

    def must_manage(self) -> None:
        """Raises PermissionDenied, naming who can help."""
        if not self.seat.may_manage:
            raise PermissionDenied("Only an owner, manager or admin of the organization may change this.")


def zone_of(user: User) -> ZoneInfo:
    try:
        return ZoneInfo(user.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def place_of(user: User, slug: str) -> Place:
    """Two queries: the person's organizations, and the projects they see in this one."""
    mine = seats(user)
    seat = next((each for each in mine if each.organization.slug == slug), None)
    if seat is None:
        raise Http404("There is no such organization, or you are not in it.")
    projects = list(visible_projects(user).filter(organization=seat.organization))
    for project in projects:
        project.organization = seat.organization
    return Place(user, seat, mine, projects)


def signed_in(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for anyone who signed in, shown in their time zone."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        with timezone.override(zone_of(person(request))):
            return view(request, *args, **kwargs)

    return cast("Callable[..., HttpResponse]", login_required(inner))


def for_staff(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page for those who run the installation; others are told so."""

    def inner(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not person(request).is_staff:
            raise PermissionDenied("Only those who run this installation may see this.")
        return view(request, *args, **kwargs)

    return update_wrapper(signed_in(inner), view)


def in_organization(
    view: Callable[Concatenate[HttpRequest, Place, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """A page of the organization in the address; foreign ones do not exist."""

    def inner(request: HttpRequest, /, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, place_of(person(request), org), *args, **kwargs)

    return update_wrapper(signed_in(inner), view)


def person(request: HttpRequest) -> User:
    """Who is signed in; only behind `signed_in`."""
    return cast("User", request.user)


def around(request: HttpRequest, **context: Any) -> dict[str, Any]:
    """The context of a page that belongs to no organization, with the frame of the person's first one."""
    mine = seats(person(request))
    place = place_of(person(request), mine[0].organization.slug) if mine else None
    return {"place": place, **context}


def shown(place: Place, **context: Any) -> dict[str, Any]:
    """The context of a page with its frame around it."""
    return {"place": place, "organization": place.organization, **context}
