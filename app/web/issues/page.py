"""The page of one issue, showing one of its events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec

import msgspec
from django.conf import settings
from django.db.models import Q, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from app import grouping, options
from app.base import clock
from app.grouping import configs
from app.models import Activity, Issue
from app.normalize.logs import identifier
from app.options import Grouping
from app.store import attachments, feedback, moves, read
from app.store.read import EventRow
from app.web.issues import files as images
from app.web.issues import markdown as words
from app.web.issues import stack
from app.web.issues.crumbs import SHOWN, timeline
from app.web.issues.request import request_of
from app.web.issues.values import Pairs, pairs
from app.web.issues.why import grouping_of, why
from app.web.shell import Place, in_organization, shown

RELATED = ("assignee", "first_release", "last_release", "resolved_in", "merged_into", "tombstone")
ACTIVITIES = 30
GONE = "This event is not kept any more, or never belonged to this issue."

P = ParamSpec("P")


def of_issue(
    view: Callable[Concatenate[HttpRequest, Place, Issue, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """An address below an issue's; that of a merged one leads to the same below its survivor's."""

    @in_organization
    def inner(
        request: HttpRequest, place: Place, /, short_id: tuple[str, int], *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        found = find(place, short_id)
        if found.merged_into is None or request.resolver_match is None:
            return view(request, place, found, *args, **kwargs)
        found.merged_into.project = found.project
        parts = request.resolver_match.kwargs | {"short_id": found.merged_into.short_id}
        query = request.META.get("QUERY_STRING", "")
        there = reverse(request.resolver_match.view_name, kwargs=parts)
        return redirect(f"{there}?{query}" if query else there)

    return update_wrapper(inner, view)


@of_issue
def issue(
    request: HttpRequest, place: Place, found: Issue, event_id: uuid.UUID | None = None
) -> HttpResponse:
    event = read.event(found.project_id, event_id.hex) if event_id else read.latest(found)
    if event_id and (moved := elsewhere(found, event)):
        return redirect("event", place.organization.slug, moved.short_id, event_id)
    newer = older = None
    if event is not None:
        older, newer = read.neighbours(found, event)
    context = shown(
        place,
        issue=found,
        event=event,
        older=older,
        newer=newer,
        bars=read.sparklines([found.pk], hours=24, now=clock.now())[found.pk],
        tags=read.tag_distribution(found, values=5),
        activities=history(found),
        address=address(found, place),
        trace_id=trace_of(event) if event else "",
        **(of_event(event, request, rules_of(found)) if event else {}),
    )
    return render(request, "issues/issue.html", context)


def history(found: Issue) -> list[Activity]:
    """What happened to the issue and to those that were merged into it, the newest first."""
    everyone = Issue.objects.filter(Q(pk=found.pk) | Q(merged_into=found)).values("pk")
    own = Q(issue=found) | ~Q(kind="merged_into")  # which the survivor says of itself
    rows = Activity.objects.filter(own, issue__in=everyone).select_related("user", "issue")
    activities = list(rows.order_by("-at", "-pk")[:ACTIVITIES])
    for each in activities:
        each.issue.project = found.project
    return activities


def trace_of(event: EventRow) -> str:
    """The trace that it happened in, "" when it names none."""
    contexts = event.data.get("contexts")
    found = contexts.get("trace") if isinstance(contexts, dict) else None
    return identifier(found.get("trace_id"), 32) if isinstance(found, dict) else ""


def rules_of(issue: Issue) -> Grouping:
    return options.of_project(issue.project.options).grouping


def of_event(event: EventRow, request: HttpRequest, rules: Grouping) -> dict[str, Any]:
    """What the page says about the event itself."""
    data = event.data
    grouped = why(grouping_of(event, rules))  # before the rules show in the frames
    grouping.show(data, configs.chosen(rules, 0)[0])
    oldest_first = request.GET.get("frames") == "oldest"
    traces = stack.traces(data, event.body.platform, newest_first=not oldest_first)
    crumbs = timeline(data, event.title, data.get("level", "error"), event.timestamp.isoformat())
    return {
        "traces": traces,
        "oldest_first": oldest_first,
        "raw": words.raw_stack(traces) if request.GET.get("view") == "raw" else "",
        "message": (data.get("logentry") or {}).get("formatted", ""),
        "earlier": crumbs[:-SHOWN],
        "crumbs": crumbs[-SHOWN:],
        "request_made": request_of(data),
        "bags": bags(data),
        "why": grouped,
        "notes": event.body.notes,
        "files": [
            (file, images.is_image(file))
            for file in attachments.listed(event.project_id, event.event_id, event.received)
        ],
        "said": feedback.of_event(event.project_id, event.event_id),
    }


def bags(data: dict[str, Any]) -> list[tuple[str, Pairs, bool]]:
    """What else the client sent, as titled lists: title, pairs, whether it is open at first."""
    found = [("User", pairs(data.get("user")), True)]
    for name, context in sorted((data.get("contexts") or {}).items()):
        found.append((title_of(name), pairs(context, frozenset({"type"})), name not in ("trace", "sys.argv")))
    found += [
        ("Extra", pairs(data.get("extra")), True),
        ("SDK", pairs(data.get("sdk")), False),
        ("Modules", pairs(data.get("modules")), False),
    ]
    for name in ("csp", "hpkp", "expectct", "expectstaple"):
        found.append((f"{name.upper()} report", pairs(data.get(name)), True))
    return [each for each in found if each[1]]


def title_of(context: str) -> str:
    return {"os": "Operating system", "gpu": "GPU", "app": "App"}.get(
        context, context[:1].upper() + context[1:].replace("_", " ")
    )


@of_issue
def oldest(_request: HttpRequest, place: Place, found: Issue) -> HttpResponse:
    event = read.oldest(found)
    if event is None:
        return redirect("issue", place.organization.slug, found.short_id)
    return redirect("event", place.organization.slug, found.short_id, event.event_id)


@of_issue
def raw(_request: HttpRequest, _place: Place, found: Issue, event_id: uuid.UUID) -> HttpResponse:
    """The event as it is stored, as JSON to be read."""
    event = event_of(found, event_id)
    whole = {
        "event_id": event.event_id,
        "received": event.received,
        "title": event.title,
        "tags": event.tags,
        **event.data,
        "notes": event.body.notes,
        "grouping": grouping_of(event, rules_of(found)),
    }
    text = json.dumps(msgspec.to_builtins(whole), indent=2, ensure_ascii=False)
    return HttpResponse(text, content_type="application/json; charset=utf-8")


@of_issue
def markdown(_request: HttpRequest, place: Place, found: Issue) -> HttpResponse:
    """The issue with its latest event; the same text the copy button copies."""
    event = read.latest(found)
    if event is not None:
        grouping.show(event.data, configs.chosen(rules_of(found), 0)[0])
    text = words.document(found, event, address(found, place))
    return HttpResponse(text, content_type="text/markdown; charset=utf-8")


def find(place: Place, short_id: tuple[str, int]) -> Issue:
    """The issue, if this person sees its project; raises Http404 otherwise."""
    slug, number = short_id
    project = place.project(slug)
    issues = Issue.objects.filter(project=project, number=number).select_related(*RELATED)
    found = issues.annotate(moving=Subquery(moves.told())).first()
    if found is None:
        raise Http404("There is no such issue. It may have been deleted, or merged into another one.")
    found.project = project
    return found


def event_of(issue: Issue, event_id: uuid.UUID) -> EventRow:
    """The event, if it belongs to the issue; raises Http404 otherwise."""
    event = read.event(issue.project_id, event_id.hex)
    if event is None or (event.issue_id != issue.pk and not is_on_its_way(event, issue)):
        raise Http404(GONE)
    return event


def elsewhere(issue: Issue, event: EventRow | None) -> Issue | None:
    """The issue that an event of the project belongs to, if it is another one; raises Http404 without one."""
    if event is None:
        raise Http404(GONE)
    if event.issue_id == issue.pk or is_on_its_way(event, issue):
        return None
    found = Issue.objects.filter(pk=event.issue_id, project=issue.project_id).first()
    if found is None:
        raise Http404(GONE)
    found.project = issue.project
    return found


def is_on_its_way(event: EventRow, issue: Issue) -> bool:
    """Whether the event is still with an issue that was merged into this one."""
    return Issue.objects.filter(pk=event.issue_id, merged_into=issue).exists()


def address(issue: Issue, place: Place) -> str:
    return f"{settings.BASE_URL}/{place.organization.slug}/issues/{issue.short_id}/"
