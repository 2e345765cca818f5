"""Merging an issue with others, splitting hashes off it, and discarding it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from app.base.shortid import split_short_id
from app.models import LISTED, Issue, IssueHash
from app.store import discard as discarding
from app.store import merge as merging
from app.store import similar
from app.store import split as splitting
from app.store.holding import Impossible
from app.web.issues import undo as undoing
from app.web.issues.actions import cause
from app.web.issues.page import of_issue
from app.web.shell import Place, shown
from tasks import issues as tasks

#: Issues offered for merging, hashes listed.
SIMILAR, HASHES = 10, 500


@dataclass
class Group:
    """Hashes that came to the issue together: its own, or those of an issue that was merged into it."""

    source: Issue | None
    hashes: list[IssueHash] = field(default_factory=list)


@of_issue
def merge(request: HttpRequest, place: Place, found: Issue) -> HttpResponse:
    """What this issue consists of and what is like it; with POST, the ticked or named ones are merged."""
    if request.method == "POST":
        return _merge(request, place, found)
    groups = _groups(found)
    context = shown(
        place,
        issue=found,
        groups=groups,
        can_split=sum(len(group.hashes) for group in groups) > 1,
        similar=_similar(found) if found.is_listed else [],
    )
    return render(request, "issues/merge.html", context)


@require_POST
@of_issue
def split(request: HttpRequest, place: Place, found: Issue) -> HttpResponse:
    """The ticked hashes go to a new issue, or back where they came from."""
    hashes = [uuid.UUID(each) for each in request.POST.getlist("hash")[:HASHES] if _is_hash(each)]
    try:
        move = splitting.split(found.pk, hashes, place.user.pk, cause(place.user))
    except Impossible as error:
        messages.error(request, str(error))
        return redirect("merge", place.organization.slug, found.short_id)
    tasks.go_on(move)
    others = Issue.objects.filter(pk__in=move.others).select_related("project").order_by("pk")
    said = f"Split off into {', '.join(other.short_id for other in others)}"
    messages.success(request, said, extra_tags=undoing.pack_move(place.user, move.pk))
    return redirect("issue", place.organization.slug, found.short_id)


@require_POST
@of_issue
def discard(request: HttpRequest, place: Place, found: Issue) -> HttpResponse:
    """Its events are dropped from now on; what is there is deleted when a day is over."""
    try:
        stones = discarding.discard([found.pk], place.user.pk, cause(place.user))
    except Impossible as error:
        messages.error(request, str(error))
        return redirect("issue", place.organization.slug, found.short_id)
    if stones:
        undo = undoing.pack_discarded(place.user, [stone.pk for stone in stones])
        messages.success(request, f"{found.short_id} discarded", extra_tags=undo)
    return redirect("issue", place.organization.slug, found.short_id)


def _merge(request: HttpRequest, place: Place, found: Issue) -> HttpResponse:
    try:
        named = _named(request.POST.get("other", ""), found)
        ticked = [int(each) for each in request.POST.getlist("id") if each.isdecimal() and len(each) < 19]
        others = Issue.objects.filter(pk__in=ticked, project=found.project).values_list("pk", flat=True)
        survivor = named if named and request.POST.get("keep") == "other" else found.pk
        everyone = [found.pk, *others, *([named] if named else [])]
        move = merging.merge(everyone, survivor, place.user.pk, cause(place.user))
    except Impossible as error:
        messages.error(request, str(error))
        return redirect("merge", place.organization.slug, found.short_id)
    tasks.go_on(move)
    said = f"{len(move.others) + 1} issues merged into {move.survivor.short_id}"
    messages.success(request, said, extra_tags=undoing.pack_move(place.user, move.pk))
    return redirect("issue", place.organization.slug, move.survivor.short_id)


def _named(text: str, found: Issue) -> int | None:
    """The issue of the same project that a person named; None when they named none. Raises Impossible."""
    if not text.strip():
        return None
    try:
        slug, number = split_short_id(text.strip())
    except ValueError as error:
        raise Impossible(f"“{text.strip()[:40]}” is no issue's number, like {found.short_id}.") from error
    if slug != found.project.slug:
        raise Impossible("Issues of different projects stay apart.")
    named = Issue.objects.filter(project=found.project, number=min(number, 2**31 - 1)).first()
    if named is None:
        raise Impossible(f"There is no issue {text.strip().upper()[:40]}.")
    return named.merged_into_id or named.pk


def _groups(issue: Issue) -> list[Group]:
    """The issue's own hashes first, then those of each that was merged into it."""
    rows = list(IssueHash.objects.filter(issue=issue).order_by("created", "pk")[:HASHES])
    sources = Issue.objects.in_bulk({row.origin_id for row in rows if row.origin_id})
    groups = {None: Group(None)} | {pk: Group(source) for pk, source in sorted(sources.items())}
    for row in rows:
        groups[row.origin_id if row.origin_id in sources else None].hashes.append(row)
    for source in sources.values():
        source.project = issue.project
    return [group for group in groups.values() if group.hashes]


def _similar(issue: Issue) -> list[Issue]:
    """Others of the project that are like it, the most alike first."""
    alike = [pk for pk, _ in similar.similar(issue, [issue.project_id]) or ()]
    found = Issue.objects.filter(pk__in=alike, status__in=LISTED)
    rows = sorted(found, key=lambda row: alike.index(row.pk))[:SIMILAR]
    for row in rows:
        row.project = issue.project
    return rows


def _is_hash(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
