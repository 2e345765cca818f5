"""Jobs that run by the clock: their latest runs, and when they are due."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from app.base import clock
from app.item import Schedule
from app.models import CheckIn, Monitor
from app.monitors import schedule as schedules
from app.store import checkins
from app.web.shell import Place, in_organization, shown

PAGE, RUNS, STRIP = 50, 100, 30
NAMES = {
    "ok": "OK", "error": "Failed", "in_progress": "Running", "timeout": "Timed out", "missed": "Late",
    "unknown": "Never ran",
}  # fmt: skip


class Line(NamedTuple):
    """One job in one environment."""

    monitor: Monitor
    environment: str
    state: str  # of NAMES
    words: str  # its schedule
    due: datetime | None
    runs: list[CheckIn]  # the newest last

    @property
    def name(self) -> str:
        return NAMES[self.state]


@in_organization
def crons(request: HttpRequest, place: Place) -> HttpResponse:
    chosen = place.chosen(request)
    found = Monitor.objects.filter(project__in=[chosen] if chosen else place.projects)
    page = Paginator(found.select_related("project").order_by("project", "slug"), PAGE).get_page(
        request.GET.get("page")
    )
    lines = lines_of(list(page.object_list), clock.now())
    context = shown(place, section="crons", page=page, lines=lines, chosen=chosen)
    return render(request, "crons/list.html", context)


@in_organization
def cron(request: HttpRequest, place: Place, project: str, slug: str) -> HttpResponse:
    monitor = get_object_or_404(Monitor, project=place.project(project), slug=slug)
    page = Paginator(CheckIn.objects.filter(monitor=monitor).order_by("-started", "-pk"), RUNS).get_page(
        request.GET.get("page")
    )
    now = clock.now()
    schedule = schedule_of(monitor)
    context = shown(
        place,
        section="crons",
        monitor=monitor,
        schedule=schedule,
        words=schedules.words(schedule) if schedule else "",
        lines=lines_of([monitor], now),
        runs=[(run, NAMES[state_of(run, schedule, now)], state_of(run, schedule, now)) for run in page],
        page=page,
    )
    return render(request, "crons/monitor.html", context)


def lines_of(monitors: list[Monitor], now: datetime) -> list[Line]:
    """Each job in each environment it ran in; one that never ran has a line as well."""
    runs: dict[int, dict[str, list[CheckIn]]] = defaultdict(lambda: defaultdict(list))
    for run in checkins.newest([monitor.pk for monitor in monitors], STRIP):
        runs[run.monitor_id][run.environment].append(run)
    lines = []
    for monitor in monitors:
        schedule = schedule_of(monitor)
        words = schedules.words(schedule) if schedule else "as it likes"
        for environment, own in sorted(runs[monitor.pk].items()) or [("", [])]:
            due = schedules.next_due(schedule, own[-1].started) if schedule and own else None
            state = state_of(own[-1], schedule, now) if own else "unknown"
            if state != "in_progress" and due and schedule and due + timedelta(minutes=schedule.margin) < now:
                state = "missed"
            lines.append(Line(monitor, environment, state, words, due, own))
    return lines


def state_of(run: CheckIn, schedule: Schedule | None, now: datetime) -> str:
    """A run that goes on for too long has timed out, whatever it says later."""
    longest = timedelta(minutes=schedule.max_runtime if schedule else Schedule().max_runtime)
    if run.status == "in_progress" and run.started + longest < now:
        return "timeout"
    return run.status


def schedule_of(monitor: Monitor) -> Schedule | None:
    try:
        return msgspec.convert(monitor.schedule, Schedule) if monitor.schedule else None
    except msgspec.ValidationError:
        return None
