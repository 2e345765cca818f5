"""The list of issues."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from app.accounts.dsn import dsn
from app.base import clock
from app.models import DsnKey, Issue
from app.store import read
from app.web.issues import listing
from app.web.shell import Place, in_organization, shown


@in_organization
def issue_list(request: HttpRequest, place: Place) -> HttpResponse:
    asked = listing.asked(request.GET)
    found = listing.matching(asked, place.projects)
    page = listing.page(found, asked)
    projects = {project.pk: project for project in place.projects}
    bars = read.sparklines([issue.pk for issue in page.issues], hours=24, now=clock.now())
    for issue in page.issues:
        issue.project = projects[issue.project_id]
    context = shown(
        place,
        section="issues",
        asked=asked,
        page=page,
        total=found[: listing.MOST].count() if page.after or page.before else 0,
        rows=[(issue, bars.get(issue.pk, [0] * 24)) for issue in page.issues],
        chosen=next((each for each in place.projects if each.slug == asked.project), None),
        environments=place.environments(),
        tabs=listing.TABS.items(),
        sorts=listing.SORTS.items(),
        **(first_steps(place) if not page.issues and not asked.is_narrowed else {}),
    )
    return render(request, "issues/list.html", context)


def first_steps(place: Place) -> dict[str, object]:
    """The first project that never got an event and its DSN, for the empty page to explain."""
    silent = next((project for project in place.projects if project.first_event is None), None)
    if silent is None or Issue.objects.filter(project__in=place.projects).exists():
        return {}
    key = DsnKey.objects.filter(project=silent, is_active=True).order_by("pk").first()
    return {"waiting": silent, "dsn": dsn(key) if key else ""}
