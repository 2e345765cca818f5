"""How the server is: signs of life, what waits, what was refused, what failed, and the way to try again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from app.base import clock
from app.models import DueTask, FailedTask, Heartbeat, Notification, Outcome, Quarantined
from app.web.shell import around, for_staff
from tasks import due, failures
from tasks.catalogue import QUEUES

SHOWN = 50
#: Heartbeats come every minute; after three missed ones nobody works on the queue.
SILENT = timedelta(minutes=3)


@dataclass(frozen=True)
class Pulse:
    """A queue and when a worker last took something from it."""

    name: str
    carries: str
    at: datetime | None
    is_alive: bool


@for_staff
def state(request: HttpRequest) -> HttpResponse:
    quarantined = Quarantined.objects.filter(replayed=None).select_related("project").defer("frame")
    context: dict[str, object] = {
        "pulses": pulses(clock.now()),
        "counted": counted(clock.now()),
        "waiting": DueTask.objects.count(),
        "outbox": outbox(),
        "unsent": Notification.objects.exclude(answer="").exclude(state="sent").order_by("-pk")[:SHOWN],
        "quarantined": quarantined.order_by("-pk")[:SHOWN],
        "failed": FailedTask.objects.filter(replayed=None).defer("body").order_by("-pk")[:SHOWN],
        "section": "state",
    }
    return render(request, "admin/state.html", around(request, **context))


def pulses(now: datetime) -> list[Pulse]:
    beats = {beat.queue: beat.at for beat in Heartbeat.objects.all()}
    found = []
    for queue in QUEUES:
        at = beats.get(queue.name)
        found.append(Pulse(queue.name, queue.carries, at, at is not None and now - at < SILENT))
    return found


def counted(now: datetime) -> list[dict[str, object]]:
    """What came to which end in the last 24 hours, over all projects."""
    lately = Outcome.objects.filter(hour__gte=now - timedelta(hours=24))
    summed = lately.values("outcome", "category", "reason").annotate(sum=Sum("quantity"))
    return [dict(row) for row in summed.order_by("outcome", "category", "reason")[:SHOWN]]


def outbox() -> list[tuple[str, int]]:
    counts = dict(Notification.objects.values_list("state").annotate(number=Count("pk")))
    return [(label, counts.get(value, 0)) for value, label in Notification.State.choices]


@require_POST
@for_staff
def replay_quarantined(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Quarantined, pk=pk, replayed=None)
    due.put("events.replay_quarantined", [[found.pk]], key=f"replay-quarantined:{found.pk}")
    messages.success(request, "It will be tried again now")
    return redirect("admin-state")


@require_POST
@for_staff
def replay_failed(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(FailedTask, pk=pk)
    if failures.replay(pk):
        messages.success(request, "It will be tried again now")
    else:
        messages.error(
            request, "This one cannot be tried again: it was already, or its message is unreadable"
        )
    return redirect("admin-state")
