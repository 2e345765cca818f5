"""Log records: by words, severity, trace and time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from app.base import clock
from app.normalize.logs import identifier
from app.store import logs as store
from app.web.issues.values import pairs
from app.web.shell import Place, in_organization, shown

PAGE = 100
PERIODS = {"1h": ("Last hour", timedelta(hours=1)), "24h": ("Last 24 hours", timedelta(days=1)),
           "7d": ("Last 7 days", timedelta(days=7)), "30d": ("Last 30 days", timedelta(days=30))}  # fmt: skip
#: The least severity, by OpenTelemetry's first number of each level.
LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}


class Asked(NamedTuple):
    """What the address says, made sense of."""

    words: str
    level: str
    trace: str
    period: str
    project: str
    before: tuple[datetime, int] | None


@in_organization
def logs(request: HttpRequest, place: Place) -> HttpResponse:
    asked = read(request.GET)
    projects = [each for each in place.projects if asked.project in ("", each.slug)]
    rows = store.search(
        store.Asked(
            projects=[each.pk for each in projects],
            since=clock.now() - PERIODS[asked.period][1],
            words=asked.words,
            least=LEVELS.get(asked.level, 1),
            trace=asked.trace,
            before=asked.before,
            limit=PAGE + 1,
        )
    )
    names = {project.pk: project for project in place.projects}
    shown_rows = rows[:PAGE]
    context = shown(
        place,
        section="logs",
        asked=asked,
        rows=[
            (row, level_of(row.severity), names[row.project_id], pairs(row.attributes)) for row in shown_rows
        ],
        older=cursor(shown_rows[-1]) if len(rows) > PAGE else "",
        levels=LEVELS,
        periods=[(value, label) for value, (label, _) in PERIODS.items()],
        is_narrowed=bool(asked.words or asked.level or asked.trace or asked.project),
    )
    return render(request, "kept/logs.html", context)


def read(query: QueryDict) -> Asked:
    """Nonsense counts as not said."""
    level, period = query.get("level", ""), query.get("period", "24h")
    return Asked(
        words=query.get("q", "").strip()[:200].replace("\0", ""),
        level=level if level in LEVELS else "",
        trace=identifier(query.get("trace", "").strip(), 32),
        period=period if period in PERIODS else "24h",
        project=query.get("project", ""),
        before=position(query.get("before", "")),
    )


def cursor(row: store.Row) -> str:
    return f"{clock.to_micros(row.timestamp)}~{row.id}"


def position(text: str) -> tuple[datetime, int] | None:
    micros, tilde, number = text.partition("~")
    if not (tilde and number.isdecimal() and len(text) < 40):
        return None
    at = clock.read_micros(micros)
    return (at, int(number)) if at else None


def level_of(severity: int) -> str:
    """The word for OpenTelemetry's number."""
    return next(name for name, least in reversed(LEVELS.items()) if severity >= least)
