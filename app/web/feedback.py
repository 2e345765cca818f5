"""What people said, the newest first, with the issue it is about."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from app.base import clock
from app.models import LISTED, Feedback, Issue
from app.store import feedback as store
from app.web.shell import Place, in_organization, shown

PAGE = 25
TABS = {"open": "Open", "resolved": "Resolved", "all": "All"}


@in_organization
def feedback(request: HttpRequest, place: Place) -> HttpResponse:
    status = request.GET.get("status", "open")
    status = status if status in TABS else "open"
    found = Feedback.objects.filter(project__in=place.projects).order_by("-created", "-pk")
    chosen = place.chosen(request)
    if chosen:
        found = found.filter(project=chosen)
    if status != "all":
        found = found.filter(resolved__isnull=status == "open")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    issues = store.issues_of(rows)
    known = Issue.objects.filter(status__in=LISTED).select_related("project").in_bulk(set(issues.values()))
    context = shown(
        place,
        section="feedback",
        page=page,
        rows=[(row, known.get(issues.get(row.pk, 0))) for row in rows],
        names={project.pk: project for project in place.projects},
        tabs=TABS.items(),
        status=status,
        chosen=chosen,
    )
    return render(request, "kept/feedback.html", context)


@require_POST
@in_organization
def resolve(request: HttpRequest, place: Place, pk: int) -> HttpResponse:
    """Marks a message as dealt with, or not."""
    row = get_object_or_404(Feedback, pk=pk, project__in=place.projects)
    row.resolved = None if row.resolved else clock.now()
    row.save(update_fields=["resolved"])
    messages.success(request, "Resolved" if row.resolved else "Open again")
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else "feedback", *(() if is_ours else (place.organization.slug,)))
