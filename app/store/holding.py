"""The locks of whoever gives hashes of issues to others: the project's row, then its issues by number.

Whoever makes an issue or attaches a hash holds the project's row as well (app.store.issues), so nobody
attaches one to an issue that is being merged or discarded.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from app.base import clock
from app.models import Activity, Issue, IssueMove, Project
from app.store.database import Cursor, numbers


class Impossible(Exception):
    """Why something cannot be done, in a sentence for the person who asked."""


def held(issue_ids: Iterable[int]) -> dict[int, Issue]:
    """These issues of one project and all that were merged into them, ours to the end of the transaction."""
    wanted = sorted(set(issue_ids))
    projects = set(Issue.objects.filter(pk__in=wanted).values_list("project", flat=True))
    if len(projects) != 1:
        raise Impossible(
            "Issues of different projects stay apart." if projects else "This issue was deleted."
        )
    project = Project.objects.select_for_update(no_key=True).get(pk=projects.pop())
    rows = Issue.objects.select_for_update(no_key=True).order_by("pk")
    found = {issue.pk: issue for issue in rows.filter(Q(pk__in=wanted) | Q(merged_into__in=wanted))}
    for issue in found.values():
        issue.project = project
    return found


def stop_counting(statements: Cursor, issue_ids: list[int]) -> None:
    """Lets nobody else count for these issues until the transaction ends; tags have a lock of their own."""
    sql = "select id from app_issue where id = any (%s::bigint[]) order by id for no key update"
    statements.execute(sql, [numbers(issue_ids)])


def note(issue: Issue, kind: str, user_id: int | None, cause: str, others: Iterable[Issue] = ()) -> None:
    """What happened to an issue, once per cause, with the other issues it happened with."""
    data = {"issues": [other.short_id for other in others][:20]}
    one = Activity(issue=issue, kind=kind, cause=cause, user_id=user_id, at=clock.now(), data=data)
    Activity.objects.bulk_create([one], ignore_conflicts=True)


def is_splitting(issue: Issue) -> bool:
    """Whether a split of the issue is not through yet."""
    open_ = IssueMove.objects.filter(project=issue.project, state=IssueMove.State.OPEN)
    return open_.filter(kind=IssueMove.Kind.UNMERGE, survivor=issue).exists()
