"""Several issues become one. Their hashes go to the survivor at once, what is there already follows.

The short transaction here decides; from then on new events of these hashes belong to the survivor. The job it
leaves (app.store.moves) carries events and counters. The sources stay as rows that lead to the survivor, so
that old links work and the merge can be undone (app.store.split).
"""

from __future__ import annotations

from django.db import transaction

from app.base import clock
from app.models import Issue, IssueMove, Status
from app.store.database import cursor
from app.store.holding import Impossible, held, note

#: So many issues are merged at once.
MOST = 200

_HASHES = """
update app_issuehash set origin_id = coalesce(origin_id, issue_id), issue_id = %s
where issue_id = any (%s::bigint[])"""


def merge(issue_ids: list[int], survivor_id: int | None, user_id: int | None, cause: str) -> IssueMove:
    """Merges issues of one project into the survivor, or into the one with the most events.

    The same cause merges once. Raises Impossible.
    """
    with transaction.atomic():
        if before := IssueMove.objects.filter(cause=cause).select_related("survivor__project").first():
            return before
        wanted = {*issue_ids, *([survivor_id] if survivor_id else [])}
        if len(wanted) > MOST:
            raise Impossible(f"At most {MOST} issues are merged at once.")
        found = held(wanted)
        chosen = [found[number] for number in sorted(wanted & found.keys())]
        if len(chosen) < 2:
            raise Impossible("Merging takes two issues or more.")
        if not all(issue.is_listed for issue in chosen):
            raise Impossible("One of them was merged or discarded meanwhile.")
        survivor = found[survivor_id] if survivor_id else largest(chosen)
        sources = [issue for issue in chosen if issue is not survivor]
        return _merge(survivor, sources, found, user_id, cause)


def largest(issues: list[Issue]) -> Issue:
    """The one with the most events; of several the oldest."""
    return max(issues, key=lambda issue: (issue.events, -issue.number))


def _merge(
    survivor: Issue, sources: list[Issue], found: dict[int, Issue], user_id: int | None, cause: str
) -> IssueMove:
    inward = {
        source.pk: [one.pk for one in found.values() if one.merged_into_id == source.pk] for source in sources
    }
    with cursor() as statements:
        statements.execute(_HASHES, [survivor.pk, list(inward)])
    gone = [number for source, children in inward.items() for number in (source, *children)]
    Issue.objects.filter(pk__in=gone).update(status=Status.MERGED, merged_into=survivor)
    note(survivor, "merged", user_id, cause, sources)
    for source in sources:
        note(source, "merged_into", user_id, cause, [survivor])
    now = clock.now()
    return IssueMove.objects.create(
        project=survivor.project, kind=IssueMove.Kind.MERGE, survivor=survivor, others=list(inward),
        user_id=user_id, cause=cause, total=sum(source.events for source in sources),
        created=now, touched=now,
        data={"sources": {
            str(source.pk): {"status": source.status, "children": inward[source.pk]} for source in sources
        }},
    )  # fmt: skip
