"""Releases: what is out, who uses it, and whether it holds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from app.base import clock
from app.models import Environment, Issue, Project, Release, ReleaseProject
from app.store import health as store
from app.store.health import Health
from app.web.shell import Place, in_organization, shown

PAGE = 25
#: Name, how long, and the step of its bars.
PERIODS = {
    "24h": ("24 hours", timedelta(hours=24), timedelta(hours=1)),
    "7d": ("7 days", timedelta(days=7), timedelta(hours=6)),
    "14d": ("14 days", timedelta(days=14), timedelta(hours=12)),
    "30d": ("30 days", timedelta(days=30), timedelta(days=1)),
}
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
    bars: list[int]


def parsed(version: str) -> Version:
    package, at, rest = version.rpartition("@")
    number, _, build = (rest if at else version).partition("+")
    return Version(package, number[:12] if _HEX.fullmatch(number) else number, build)


@in_organization
def releases(request: HttpRequest, place: Place) -> HttpResponse:
    chosen = next((each for each in place.projects if each.slug == request.GET.get("project")), None)
    period, environment = _asked(request)
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
        rows=_rows(list(page.object_list), place, period, environment),
        chosen=chosen,
        words=words,
        **_choices(place, period, environment),
    )
    return render(request, "releases/list.html", context)


@in_organization
def release(request: HttpRequest, place: Place, version: str) -> HttpResponse:
    period, environment = _asked(request)
    found = ReleaseProject.objects.filter(project__in=place.projects, release__version=version)
    rows = _rows(list(found.select_related("release").order_by("pk")), place, period, environment)
    if not rows:
        raise Http404("There is no such release in a project that you see.")
    _, long, step = PERIODS[period]
    about = rows[0].release
    asked = store.Asked(
        projects=[row.project.pk for row in rows],
        releases=[about.pk],
        since=_since(long),
        environment=environment,
    )
    lines = store.lines(asked, step, int(long / step))
    bars = [(sum(n for n, _ in ones), sum(n for _, n in ones)) for ones in zip(*lines.values(), strict=True)]
    new = Issue.objects.filter(first_release=about, project__in=place.projects).select_related("project")
    context = shown(
        place,
        section="releases",
        release=about,
        version=rows[0].version,
        rows=rows,
        sessions=[sessions for sessions, _ in bars],
        crashed=[crashed for _, crashed in bars],
        issues=new.order_by("-last_seen")[:20],
        **_choices(place, period, environment),
    )
    return render(request, "releases/release.html", context)


def _asked(request: HttpRequest) -> tuple[str, str | None]:
    """The period and the environment; "" is the environment without a name, None is any."""
    period = request.GET.get("period", "24h")
    return period if period in PERIODS else "24h", request.GET.get("environment")


def _choices(place: Place, period: str, environment: str | None) -> dict[str, Any]:
    names = Environment.objects.filter(project__in=place.projects, is_hidden=False)
    return {
        "period": period,
        "periods": [(value, label) for value, (label, _, __) in PERIODS.items()],
        "environment": environment,
        "environments": sorted(set(names.exclude(name="").values_list("name", flat=True)[:200])),
    }


def _since(long: timedelta) -> datetime:
    """The beginning of the first step: the present hour is in the last one."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return hour - long


def _rows(found: list[ReleaseProject], place: Place, period: str, environment: str | None) -> list[Row]:
    projects = {project.pk: project for project in place.projects}
    _, long, step = PERIODS[period]
    asked = store.Asked(
        projects=sorted({seen.project_id for seen in found}),
        releases=sorted({seen.release_id for seen in found}),
        since=_since(long),
        environment=environment,
    )
    if not found:
        return []
    health, totals = store.of(asked), store.sessions_of(asked)
    number = int(long / step)
    lines = store.lines(asked, step, number)
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
                bars=[sessions for sessions, _ in lines.get(where, [(0, 0)] * number)],
            )
        )
    return rows
