"""Which issues resemble one, and why two of them are not the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from app.grouping import compare as grouping
from app.grouping import similarity
from app.models import LISTED, Issue
from app.store import read
from app.store import similar as store
from app.store.read import EventRow
from app.web.issues.page import find, rules_of
from app.web.issues.why import Why, grouping_of, why
from app.web.shell import Place, in_organization, shown

WORDS = ((0.9, "nearly the same"), (0.7, "very similar"), (store.LEAST, "similar"), (0.2, "a little alike"))


@dataclass(frozen=True)
class Likeness:
    """How much something is like something else: 0 to 1."""

    share: float

    @property
    def words(self) -> str:
        return next((words for least, words in WORDS if self.share >= least), "not alike")

    @property
    def percent(self) -> str:
        return f"{self.share:.0%}"


@dataclass(frozen=True)
class Side:
    """One of two issues, with its latest event and why that is in it."""

    ordinal: str
    issue: Issue
    event: EventRow | None
    why: Why | None


@dataclass(frozen=True)
class Block:
    """Rows below each other of which all count, or none does; the latter are folded."""

    counts: bool
    rows: list[grouping.Row]


@in_organization
def similar(request: HttpRequest, place: Place, short_id: tuple[str, int]) -> HttpResponse:
    """A page of its own, whose list the issue's page fetches as well."""
    issue = find(place, short_id)
    found = store.similar(issue, [project.pk for project in place.projects])
    listed = Issue.objects.filter(project__in=place.projects, status__in=LISTED)
    issues = listed.in_bulk([pk for pk, _ in found or ()])
    rows = []
    for pk, share in found or ():
        if pk in issues:
            issues[pk].project = issue.project
            rows.append((issues[pk], Likeness(share)))
    return render(request, "issues/similar.html", shown(place, issue=issue, found=found, rows=rows))


@in_organization
def compare(
    request: HttpRequest, place: Place, short_id: tuple[str, int], other: tuple[str, int]
) -> HttpResponse:
    """Two issues of the organization side by side, by their latest events."""
    issues = [find(place, each) for each in (short_id, other)]
    if issues[0] == issues[1]:
        return redirect("issue", place.organization.slug, issues[0].short_id)
    events = [read.latest(issue) for issue in issues]
    told = [
        grouping_of(event, rules_of(issue)) if event else None
        for issue, event in zip(issues, events, strict=True)
    ]
    sides = [Side(*each) for each in zip(("first", "second"), issues, events, map(why, told), strict=True)]
    compared = grouping.compare(told[0], told[1]) if told[0] and told[1] else None
    context = shown(
        place,
        sides=sides,
        first=issues[0],
        second=issues[1],
        lost=[side for side in sides if side.why is None],
        likeness=_likeness(events),
        said=compared.said if compared else [],
        blocks=list(_blocks(compared.rows)) if compared else [],
    )
    return render(request, "issues/compare.html", context)


def _likeness(events: list[EventRow | None]) -> Likeness | None:
    made = [similarity.signature(event.data) for event in events if event]
    return Likeness(similarity.similarity(*made)) if len(made) == 2 else None


def _blocks(rows: list[grouping.Row]) -> Iterator[Block]:
    for counts, together in groupby(rows, key=lambda row: row.mark != "out"):
        yield Block(counts, list(together))
