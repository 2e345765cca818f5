"""Resolving, unresolving and archiving, each with its undo."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from app.models import Issue, User
from app.store import workflow
from app.store.workflow import Changed
from app.web.issues import listing
from app.web.issues import undo as undoing
from app.web.shell import Place, in_organization


@require_POST
@in_organization
def bulk(request: HttpRequest, place: Place) -> HttpResponse:
    """Moves the ticked issues, or all that match the list's address, and offers to undo what changed."""
    to = request.POST.get("to", "")
    changes = _move(to, _chosen(request, place), place.user)
    if changes:
        said = f"{len(changes)} issue{'' if len(changes) == 1 else 's'} {to}"
        messages.success(request, said, extra_tags=undoing.pack(place.user, changes))
    else:
        messages.info(request, "Nothing to change.")
    return back(request, place)


@require_POST
@in_organization
def undo(request: HttpRequest, place: Place) -> HttpResponse:
    try:
        changes = undoing.unpack(place.user, request.POST.get("back", ""))
    except BadSignature:
        messages.error(request, "This can no longer be undone.")
        return back(request, place)
    seen = set(_visible(place, [str(change.issue_id) for change in changes]))
    undone = workflow.undo(
        [change for change in changes if change.issue_id in seen], place.user.pk, _cause(place.user)
    )
    kept = len(changes) - len(undone)
    said = f"Undone for {len(undone)} issue{'' if len(undone) == 1 else 's'}"
    messages.info(request, f"{said}; {kept} changed meanwhile" if kept else said)
    return back(request, place)


def back(request: HttpRequest, place: Place) -> HttpResponseRedirect:
    """To the page the form stood on; never to another site."""
    to = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(to, allowed_hosts=None):
        to = reverse("issues", args=[place.organization.slug])
    return HttpResponseRedirect(to)


def _chosen(request: HttpRequest, place: Place) -> list[int]:
    if "matching" not in request.POST:
        return _visible(place, request.POST.getlist("id")[: listing.MOST])
    asked = listing.asked(QueryDict(urlsplit(request.POST.get("next", "")).query.encode("utf-8", "replace")))
    found = listing.matching(asked, place.projects).order_by(f"-{asked.sort}", "-pk")
    return list(found.values_list("pk", flat=True)[: listing.MOST])


def _visible(place: Place, ids: list[str]) -> list[int]:
    numbers = [int(each) for each in ids if each.isdecimal() and len(each) < 19]
    found = Issue.objects.filter(pk__in=numbers, project__in=place.projects)
    return list(found.values_list("pk", flat=True))


def _move(to: str, ids: list[int], user: User) -> list[Changed]:
    match to:
        case "resolved":
            return workflow.resolve(ids, user.pk, _cause(user))
        case "unresolved":
            return workflow.unresolve(ids, user.pk, _cause(user))
        case "archived":
            return workflow.archive(ids, user.pk, _cause(user))
    raise BadRequest("An issue can be resolved, unresolved or archived.")


def _cause(user: User) -> str:
    return f"user:{user.pk}:{uuid.uuid4().hex}"
