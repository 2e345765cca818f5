"""What came, and what became of it: by category, outcome, reason, project and key."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django import forms
from django.contrib import messages
from django.db.models import Sum
from django.db.models.functions import TruncDay, TruncHour
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from app import options
from app.base import clock
from app.models import DsnKey, Outcome, RateLimit
from app.options import OrganizationOptions
from app.store import quotas
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
    chosen = place.chosen(request)
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
        limited=limited(place),
    )
    return render(request, "kept/usage.html", context)


class LimitsForm(forms.Form):
    """A field for each category, and whether spikes are cut."""

    spike_protection = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in CATEGORIES:
            self.fields[name] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=10**15,
                widget=forms.NumberInput({"class": "input short"}),
            )

    def chosen(self) -> OrganizationOptions:
        """Of a valid form."""
        quotas = {name: most for name in CATEGORIES if (most := self.cleaned_data[name]) is not None}
        return OrganizationOptions(quotas=quotas, spike_protection=self.cleaned_data["spike_protection"])


@in_organization
def limits(request: HttpRequest, place: Place) -> HttpResponse:
    """How much an organization may send in a month; none is no limit."""
    if request.method == "POST":
        place.must_manage()
    organization = place.organization
    now = options.read(organization.options, OrganizationOptions)
    form = LimitsForm(request.POST or None, initial={**now.quotas, "spike_protection": now.spike_protection})
    if request.method == "POST" and form.is_valid():
        organization.options = msgspec.to_builtins(form.chosen())
        organization.save(update_fields=["options"])
        messages.success(request, "Saved; it holds within a minute")
        return redirect("limits", organization.slug)
    used = quotas.used(organization, clock.now())
    context = shown(
        place,
        section="usage",
        form=form,
        rows=[(label, form[name], used.get(name, 0)) for name, label in CATEGORIES.items()],
    )
    return render(request, "kept/limits.html", context, status=400 if form.errors else 200)


def limited(place: Place) -> list[tuple[Any, str, RateLimit]]:
    """What is refused at the moment: project, category and until when."""
    projects = {project.pk: project for project in place.projects}
    found = RateLimit.objects.filter(project__in=place.projects, until__gt=clock.now())
    return [
        (projects[one.project_id], CATEGORIES.get(one.category, one.category), one)
        for one in found.order_by("project", "category")
    ]


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
