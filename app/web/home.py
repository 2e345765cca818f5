"""Where people land, and short ids."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from app.accounts.access import seats, visible_issues
from app.base.shortid import split_short_id
from app.web.shell import Place, in_organization, person, place_of, signed_in


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """The issues; before the first event, what to do to get one."""
    mine = seats(person(request))
    if not mine:
        return render(request, "people/nowhere.html")
    return _entrance(place_of(person(request), mine[0].organization.slug))


@in_organization
def organization(_request: HttpRequest, place: Place) -> HttpResponse:
    return _entrance(place)


def _entrance(place: Place) -> HttpResponse:
    org = place.organization.slug
    if not place.projects and place.seat.may_manage:
        return redirect("new-project", org)
    if place.projects and all(project.first_event is None for project in place.projects):
        return redirect("start", org, place.projects[0].slug)
    return redirect("issues", org)


@signed_in
def short_id(request: HttpRequest, short_id: str) -> HttpResponse:
    """/SHOP-1A leads to the issue in whichever organization the person has it."""
    try:
        slug, number = split_short_id(short_id)
    except ValueError as error:
        raise Http404(str(error)) from error
    found = visible_issues(person(request)).filter(project__slug=slug, number=min(number, 2**31 - 1))
    issue = found.select_related("project__organization").order_by("pk").first()
    if issue is None:
        raise Http404(f"There is no issue {short_id.upper()}, or you may not see it.")
    return redirect("issue", issue.project.organization.slug, issue.short_id)
