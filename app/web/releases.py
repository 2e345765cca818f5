"""Releases: what is out, who uses it, and whether it holds."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from app.models import LISTED, Issue, Project, Release, ReleaseProject
from app.store import health as store
from app.store.health import Health
from app.web import periods
from app.web.periods import Asked
from app.web.shell import Place, in_organization, shown

PAGE = 25
OFFERED = ("24h", "7d", "14d", "30d")
_HEX = re.compile(r"[0-9a-f]{12}|[0-9a-f]{40}")


class Version(NamedTuple):
    """ "shop@2.1.0+4" in its parts; a commit is shown short."""

    package: str
    number: str
    build: str


class Row(NamedTuple):
    """One release in one project."""

    release: Release
    version: Version
    project: Project
    seen: ReleaseProject
    health: Health | None
    adoption: float | None  # 1 is every session of the project
    steps: list[tuple[int, int]]  # sessions, and crashed ones, in each step of the time asked for

    @property
    def bars(self) -> list[int]:
        return [sessions for sessions, _ in self.steps]


def parsed(version: str) -> Version:
    package, at, rest = version.rpartition("@")
    number, _, build = (rest if at else version).partition("+")
    return Version(package, number[:12] if _HEX.fullmatch(number) else number, build)


@in_organization
def releases(request: HttpRequest, place: Place) -> HttpResponse:
    chosen = place.chosen(request)
    now = periods.asked(request, OFFERED)
    words = request.GET.get("q", "").strip()[:200].replace("\0", "")
    found = ReleaseProject.objects.filter(project__in=[chosen] if chosen else place.projects)
    if words:
        found = found.filter(release__version__icontains=words)
    found = found.select_related("release").order_by("-first_seen", "-pk")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = shown(
        place,
        section="releases",
        page=page,
        rows=_rows(list(page.object_list), place, now),
        chosen=chosen,
        words=words,
        **periods.choices(place, now, OFFERED),
    )
    return render(request, "releases/list.html", context)


@in_organization
def release(request: HttpRequest, place: Place, version: str) -> HttpResponse:
    now = periods.asked(request, OFFERED)
    found = ReleaseProject.objects.filter(
        project__in=place.projects, release__version=version.replace("\0", "")
    )
    rows = _rows(list(found.select_related("release").order_by("pk")), place, now)
    if not rows:
        raise Http404("There is no such release in a project that you see.")
    about = rows[0].release
    steps = list(zip(*(row.steps for row in rows), strict=True))
    new = Issue.objects.filter(first_release=about, project__in=place.projects, status__in=LISTED)
    context = shown(
        place,
        section="releases",
        release=about,
        version=rows[0].version,
        rows=rows,
        sessions=[sum(sessions for sessions, _ in ones) for ones in steps],
        crashed=[sum(crashed for _, crashed in ones) for ones in steps],
        issues=new.select_related("project").order_by("-last_seen")[:20],
        **periods.choices(place, now, OFFERED),
    )
    return render(request, "releases/release.html", context)


def _rows(found: list[ReleaseProject], place: Place, now: Asked) -> list[Row]:
    projects = {project.pk: project for project in place.projects}
    asked = store.Asked(
        projects=sorted({seen.project_id for seen in found}),
        releases=sorted({seen.release_id for seen in found}),
        since=now.period.since,
        environment=now.environment,
    )
    if not found:
        return []
    health, totals = store.of(asked), store.sessions_of(asked)
    number = now.period.steps
    lines = store.lines(asked, now.period.step, number)
    rows = []
    for seen in found:
        where = (seen.project_id, seen.release_id)
        own, total = health.get(where), totals.get(seen.project_id, 0)
        rows.append(
            Row(
                release=seen.release,
                version=parsed(seen.release.version),
                project=projects[seen.project_id],
                seen=seen,
                health=own,
                adoption=own.sessions / total if own and total else None,
                steps=lines.get(where, [(0, 0)] * number),
            )
        )
    return rows
