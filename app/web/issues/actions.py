"""Resolving, unresolving, archiving and merging, each with its undo."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from app.models import Issue, IssueMove, Tombstone, User
from app.store import discard, merge, split, workflow
from app.store.holding import Impossible
from app.store.workflow import Changed
from app.web.issues import listing
from app.web.issues import undo as undoing
from app.web.shell import Place, in_organization
from tasks import issues as tasks


@require_POST
@in_organization
def bulk(request: HttpRequest, place: Place) -> HttpResponse:
    """Moves the ticked issues, or all that match the list's address, and offers to undo what changed."""
    to = request.POST.get("to", "")
    if to == "merged":
        return _merged(request, place)
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
        taken = undoing.unpack(place.user, request.POST.get("back", ""))
    except BadSignature:
        messages.error(request, "This can no longer be undone.")
        return back(request, place)
    if taken.move_id or taken.tombstones:
        try:
            messages.info(request, _brought_back(taken, place))
        except Impossible as error:
            messages.error(request, f"This can no longer be undone. {error}")
        return back(request, place)
    changes = taken.changes
    seen = set(_visible(place, [str(change.issue_id) for change in changes]))
    undone = workflow.undo(
        [change for change in changes if change.issue_id in seen], place.user.pk, cause(place.user)
    )
    kept = len(changes) - len(undone)
    said = f"Undone for {len(undone)} issue{'' if len(undone) == 1 else 's'}"
    messages.info(request, f"{said}; {kept} changed meanwhile" if kept else said)
    return back(request, place)


def _merged(request: HttpRequest, place: Place) -> HttpResponse:
    """The ticked issues become one, that with the most events."""
    try:
        move = merge.merge(_chosen(request, place), None, place.user.pk, cause(place.user))
    except Impossible as error:
        messages.error(request, str(error))
        return back(request, place)
    tasks.go_on(move)
    said = f"{len(move.others) + 1} issues merged into {move.survivor.short_id}"
    messages.success(request, said, extra_tags=undoing.pack_move(place.user, move.pk))
    return back(request, place)


def _brought_back(taken: undoing.Taken, place: Place) -> str:
    """Takes a merge, a split or a discard back; what is said then. Raises Impossible."""
    if taken.move_id:
        move = get_object_or_404(IssueMove, pk=taken.move_id, project__in=place.projects)
        if move.kind == IssueMove.Kind.MERGE:
            tasks.go_on(split.undo_merge(move.pk, place.user.pk, cause(place.user)))
        else:
            tasks.go_on(merge.merge(move.others, move.survivor_id, place.user.pk, cause(place.user)))
        return "Undone. The events are on their way back."
    stones = Tombstone.objects.filter(pk__in=taken.tombstones, project__in=place.projects)
    if not stones:
        raise Impossible("Somebody brought it back already.")
    for stone in stones:
        if discard.restore(stone.pk, place.user.pk, cause(place.user)) is None:
            return "Its events are taken again, but those from before were deleted."
    return "Undone"


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
            return workflow.resolve(ids, user.pk, cause(user))
        case "unresolved":
            return workflow.unresolve(ids, user.pk, cause(user))
        case "archived":
            return workflow.archive(ids, user.pk, cause(user))
    raise BadRequest("An issue can be resolved, unresolved, archived or merged.")


def cause(user: User) -> str:
    return f"user:{user.pk}:{uuid.uuid4().hex}"
