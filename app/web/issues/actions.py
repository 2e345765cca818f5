"""Resolving, unresolving and archiving, each with its undo."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from app.models import Issue, User
from app.store import workflow
from app.store.workflow import Changed
from app.web.issues import undo as undoing
from app.web.shell import Place, in_organization

#: More than a page can select is no click of a person.
MOST = 1000


@require_POST
@in_organization
def bulk(request: HttpRequest, place: Place) -> HttpResponse:
    """Moves the ticked issues, as far as the person sees them, and offers to undo what really changed."""
    ids = _visible(place, request.POST.getlist("id")[:MOST])
    to = request.POST.get("to", "")
    changes = _move(to, ids, place.user)
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
