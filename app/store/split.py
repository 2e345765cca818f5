"""An issue gives some of its hashes away: to a new issue, or back to the one that was merged into it.

Like a merge it decides in a short transaction and leaves a job: which of the stored events follow is found by
reading them again (app.store.replay).
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from app.base import clock
from app.models import Issue, IssueHash, IssueMove, Project, Status
from app.store.holding import Impossible, held, is_splitting, note


def split(issue_id: int, hashes: Iterable[UUID], user_id: int | None, cause: str) -> IssueMove:
    """Splits these hashes off. Where all that came from one merged issue are among them, it is back.

    The same cause splits once. Raises Impossible.
    """
    with transaction.atomic():
        if before := IssueMove.objects.filter(cause=cause).select_related("survivor__project").first():
            return before
        found = held([issue_id])
        issue, wanted = found[issue_id], set(hashes)
        rows = list(IssueHash.objects.filter(issue=issue).order_by("pk"))
        chosen = [row for row in rows if row.hash in wanted]
        if not issue.is_listed:
            raise Impossible("This issue was merged or discarded meanwhile.")
        if is_splitting(issue):
            raise Impossible("Something is being split off already. Try again when that is done.")
        if not chosen:
            raise Impossible("Tick what is to be split off.")
        if len(chosen) == len(rows):
            raise Impossible("Something has to stay: an issue keeps at least one of its hashes.")
        targets: dict[int, int] = {}  # of hashes, by their rows
        for source_id in {row.origin_id for row in chosen if row.origin_id} & found.keys():
            of_it = [row for row in rows if row.origin_id == source_id]
            if found[source_id].merged_into_id == issue.pk and all(row in chosen for row in of_it):
                _back(found[source_id], [], issue, user_id, cause)
                targets |= dict.fromkeys((row.pk for row in of_it), source_id)
        if rest := [row.pk for row in chosen if row.pk not in targets]:
            (new,) = born([issue])
            note(new, "split_from", user_id, cause, [issue])
            targets |= dict.fromkeys(rest, new.pk)
        return _leave(issue, rows, targets, user_id, cause)


def undo_merge(move_id: int, user_id: int | None, cause: str) -> IssueMove:
    """Brings the sources of a merge back, as far as they are still merged. Raises Impossible."""
    with transaction.atomic():
        if before := IssueMove.objects.filter(cause=cause).select_related("survivor__project").first():
            return before
        move = IssueMove.objects.get(pk=move_id, kind=IssueMove.Kind.MERGE)
        found = held([move.survivor_id])
        issue = found[move.survivor_id]
        if not issue.is_listed:
            raise Impossible(f"{issue.short_id} was merged or discarded meanwhile.")
        rows = list(IssueHash.objects.filter(issue=issue).order_by("pk"))
        targets: dict[int, int] = {}
        for number, was in move.data["sources"].items():
            source, children = found.get(int(number)), [found[one] for one in was["children"] if one in found]
            if source is None:
                continue
            origins = {source.pk, *(child.pk for child in children)}
            if of_it := [row.pk for row in rows if row.origin_id in origins]:
                _back(source, children, issue, user_id, cause)
                targets |= dict.fromkeys(of_it, source.pk)
        if not targets:
            raise Impossible("Nothing of this merge is left to be undone.")
        return _leave(issue, rows, targets, user_id, cause)


def _back(source: Issue, children: list[Issue], survivor: Issue, user_id: int | None, cause: str) -> None:
    """The issue is what it was before it was merged, and so are those that had been merged into it."""
    moves = IssueMove.objects.filter(
        kind=IssueMove.Kind.MERGE, project=source.project, data__sources__has_key=str(source.pk)
    )
    last = moves.order_by("-pk").first()
    status = last.data["sources"][str(source.pk)]["status"] if last else Status.UNRESOLVED
    Issue.objects.filter(pk=source.pk).update(status=status, merged_into=None)
    Issue.objects.filter(pk__in=[child.pk for child in children]).update(merged_into=source)
    note(source, "split_from", user_id, cause, [survivor])


def born(issues: list[Issue]) -> list[Issue]:
    """A new issue for each of these, of one project that is held, that looks like it until its own events are
    found. Its first and last moment are the wrong way round, so that any event is earlier and later."""
    if not issues:
        return []
    project = issues[0].project
    (number,) = Project.objects.filter(pk=project.pk).values_list("next_issue", flat=True)
    Project.objects.filter(pk=project.pk).update(next_issue=number + len(issues))
    return Issue.objects.bulk_create(
        Issue(
            project=project, number=number + place, kind=issue.kind, level=issue.level,
            platform=issue.platform, title=issue.title, culprit=issue.culprit, metadata=issue.metadata,
            substatus="ongoing", first_seen=issue.last_seen, last_seen=issue.first_seen,
        )
        for place, issue in enumerate(issues)
    )  # fmt: skip


def _leave(
    issue: Issue, rows: list[IssueHash], targets: dict[int, int], user_id: int | None, cause: str
) -> IssueMove:
    """Leaves the job, and gives the hashes to their issues unless a merge is still carrying (see `give`)."""
    others = sorted(set(targets.values()))
    note(issue, "split_off", user_id, cause, Issue.objects.filter(pk__in=others).select_related("project"))
    now = clock.now()
    is_free = not IssueMove.objects.filter(project=issue.project, state=IssueMove.State.OPEN).exists()
    move = IssueMove(
        project=issue.project, kind=IssueMove.Kind.UNMERGE, survivor=issue, others=others, user_id=user_id,
        cause=cause, total=issue.events, created=now, touched=now,
        data={
            "hashes": {row.hash.hex: targets.get(row.pk, issue.pk) for row in rows}
        },
    )  # fmt: skip
    if is_free:
        give(move)
    move.save()
    return move


def give(move: IssueMove) -> None:
    """Gives the hashes to their issues; for one who holds the project.

    A source whose merge is still being carried must not get new events before that is through: they would be
    carried away as well, some of them before they are counted. So then the job does this when it is its turn.
    """
    hashes: dict[str, int] = move.data["hashes"]
    for target in move.others:
        given = IssueHash.objects.filter(
            project=move.project_id, hash__in=[one for one, to in hashes.items() if to == target]
        )
        given.filter(origin=target).update(origin=None)
        given.update(issue=target)
    issue = Issue.objects.get(pk=move.survivor_id)
    for one in IssueHash.objects.filter(issue=issue).values_list("hash", flat=True):
        hashes.setdefault(one.hex, issue.pk)  # those that came since then stay
    move.total = issue.events
    move.data |= {
        "given": True, "first_seen": issue.first_seen.isoformat(), "last_seen": issue.last_seen.isoformat()
    }  # fmt: skip
