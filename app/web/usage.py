"""What came, and what became of it: by category, outcome, reason, project and key."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Sum
from django.db.models.functions import TruncDay, TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from app.base import clock
from app.models import DsnKey, Outcome
from app.web.shell import Place, in_organization, shown

PERIODS = {"24h": ("24 hours", 1), "7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90)}
#: Up to so many days are drawn hour by hour.
HOURLY = 1
OUTCOMES = ("accepted", "filtered", "rate_limited", "invalid", "client_discard", "abuse")
CATEGORIES = {
    "error": "Errors", "default": "Unknown items", "security": "Security reports",
    "transaction": "Transactions", "span": "Spans", "log_item": "Logs", "attachment": "Attachments",
    "feedback": "Feedback",
    "session": "Sessions", "monitor": "Check-ins", "profile": "Profiles", "profile_chunk": "Profile chunks",
    "replay": "Replays", "trace_metric": "Metrics", "metric_bucket": "Old metrics",
}  # fmt: skip
NAMES = {
    "accepted": "Accepted", "filtered": "Filtered", "rate_limited": "Rate limited", "invalid": "Invalid",
    "client_discard": "Dropped by the client", "abuse": "Abuse",
}  # fmt: skip


class Line(NamedTuple):
    """One category."""

    name: str
    numbers: list[int]  # by OUTCOMES
    bars: list[int]  # of what was accepted


@in_organization
def usage(request: HttpRequest, place: Place) -> HttpResponse:
    period = request.GET.get("period", "24h")
    period = period if period in PERIODS else "24h"
    days = PERIODS[period][1]
    chosen = next((each for each in place.projects if each.slug == request.GET.get("project")), None)
    since = start(days)
    found = Outcome.objects.filter(project__in=[chosen] if chosen else place.projects, hour__gte=since)
    context = shown(
        place,
        section="usage",
        period=period,
        periods=[(value, label) for value, (label, _) in PERIODS.items()],
        chosen=chosen,
        lines=lines(found, since, days),
        outcomes=[NAMES[outcome] for outcome in OUTCOMES],
        reasons=reasons(found),
        senders=senders(found, place),
        is_hourly=days <= HOURLY,
    )
    return render(request, "kept/usage.html", context)


def start(days: int) -> datetime:
    """The beginning of the first hour, or of the first day, that is drawn."""
    now = clock.now()
    if days <= HOURLY:
        return (now - timedelta(hours=23)).replace(minute=0, second=0, microsecond=0)
    return (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)


def lines(found: Any, since: datetime, days: int) -> list[Line]:
    """Each category that anything came in, the ones people ask for first; one statement."""
    step = timedelta(hours=1) if days <= HOURLY else timedelta(days=1)
    trunc = TruncHour("hour") if days <= HOURLY else TruncDay("hour", tzinfo=since.tzinfo)
    rows = found.annotate(at=trunc).values_list("category", "outcome", "at").annotate(sum=Sum("quantity"))
    number = 24 if days <= HOURLY else days
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(OUTCOMES, 0))
    bars: dict[str, list[int]] = defaultdict(lambda: [0] * number)
    for category, outcome, at, quantity in rows:
        if outcome in NAMES:
            sums[category][outcome] += quantity
        place = int((at - since) / step)
        if outcome == "accepted" and 0 <= place < number:
            bars[category][place] += quantity
    known = [*(each for each in CATEGORIES if each in sums), *sorted(sums.keys() - CATEGORIES.keys())]
    return [
        Line(CATEGORIES.get(each, each), [sums[each][outcome] for outcome in OUTCOMES], bars[each])
        for each in known
    ]


def reasons(found: Any) -> list[tuple[str, str, str, int]]:
    """What was not accepted and why, the most frequent first."""
    rows = (
        found.exclude(outcome="accepted")
        .values_list("category", "outcome", "reason")
        .annotate(sum=Sum("quantity"))
        .order_by("-sum")[:50]
    )
    return [
        (CATEGORIES.get(category, category), NAMES.get(outcome, outcome), reason.replace("_", " "), quantity)
        for category, outcome, reason, quantity in rows
    ]


def senders(found: Any, place: Place) -> list[tuple[Any, str, int, int]]:
    """Project, name of the key, accepted and not accepted, the most first."""
    sums: dict[tuple[int, int | None], list[int]] = defaultdict(lambda: [0, 0])
    rows = found.values_list("project_id", "key_id", "outcome").annotate(sum=Sum("quantity"))
    for project, key, outcome, quantity in rows:
        sums[project, key][outcome != "accepted"] += quantity
    labels = dict(DsnKey.objects.filter(project__in=place.projects).values_list("pk", "label"))
    projects = {project.pk: project for project in place.projects}
    most = sorted(sums.items(), key=lambda row: -sum(row[1]))[:100]
    return [
        (projects[project], labels.get(key or 0, "a key that is deleted"), accepted, other)
        for (project, key), (accepted, other) in most
    ]
