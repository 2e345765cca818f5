"""The list of issues."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from app.base import clock
from app.models import Environment, Issue
from app.store import read
from app.web.issues import listing
from app.web.shell import Place, in_organization, shown


@in_organization
def issue_list(request: HttpRequest, place: Place) -> HttpResponse:
    asked = listing.asked(request.GET)
    page = listing.page(listing.matching(asked, place.projects), asked)
    projects = {project.pk: project for project in place.projects}
    bars = read.sparklines([issue.pk for issue in page.issues], hours=24, now=clock.now())
    for issue in page.issues:
        issue.project = projects[issue.project_id]
    context = shown(
        place,
        section="issues",
        asked=asked,
        page=page,
        rows=[(issue, bars.get(issue.pk, [0] * 24)) for issue in page.issues],
        chosen=next((each for each in place.projects if each.slug == asked.project), None),
        environments=environments(place),
        tabs=listing.TABS.items(),
        sorts=listing.SORTS.items(),
        waiting=waiting(place) if not page.issues and not asked.is_narrowed else None,
    )
    return render(request, "issues/list.html", context)


def environments(place: Place) -> list[str]:
    """The names to choose from, hidden ones left out."""
    names = Environment.objects.filter(project__in=place.projects, is_hidden=False).exclude(name="")
    return list(names.values_list("name", flat=True).distinct().order_by("name")[:200])


def waiting(place: Place) -> object | None:
    """The first project that never got an event, for the empty page to explain."""
    silent = next((project for project in place.projects if project.first_event is None), None)
    return silent if silent and not Issue.objects.filter(project__in=place.projects).exists() else None
