"""The jobs that merges and splits leave: one after the other in each project, in small steps.

A step is one transaction that also notes how far it came, so a worker may die at any moment and two may work
on the same job: each row is moved and counted once. Before the first step all have ended who looked the
hashes up before they moved (`_quiet`), and everything they stored is counted, so nothing comes late.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from app.base import clock
from app.models import IssueMove
from app.store import carry, counters, holding, record, replay, split
from app.store.database import cursor, sqlstate

#: A job that did nothing for so long is looked after.
STILL = timedelta(seconds=60)
#: How long all recording may be held up to let those end who began before.
PATIENCE = "2s"
LOCK_NOT_AVAILABLE = "55P03"

_LEFT = """
select i.id, i.project_id, i.merged_into_id from app_issue i
where i.merged_into_id is not null and (i.events > 0 or i.users > 0
    or exists (select from app_issuehour where issue_id = i.id)
    or exists (select from app_issuetag where issue_id = i.id)
    or exists (select from app_issueuser where issue_id = i.id))
and not exists (select from app_issuemove m where m.project_id = i.project_id and m.state = 'open')
order by i.id limit 1000"""


def advance(move_id: int, seconds: float) -> IssueMove | None:
    """Works for about so long; the job to go on with: the same one, the next of its project, or None.

    A job waits until those before it are done; then the last of them leads to it.
    """
    move = IssueMove.objects.filter(pk=move_id).first()
    first = _first(move.project_id) if move else None
    if move is None or first is None or (first.pk != move.pk and move.state == IssueMove.State.OPEN):
        return None
    end = time.monotonic() + seconds
    while _step(first.pk):
        if time.monotonic() >= end:
            return first
    is_held = IssueMove.objects.filter(pk=first.pk, state=IssueMove.State.OPEN).exists()
    return None if is_held else _first(first.project_id)


def waiting() -> list[IssueMove]:
    """The first open job of each project where nobody has done anything for a while."""
    firsts = (
        IssueMove.objects.filter(state=IssueMove.State.OPEN).order_by("project", "pk").distinct("project")
    )
    return [move for move in firsts if move.touched < clock.now() - STILL]


def leftovers() -> list[IssueMove]:
    """Jobs for merged issues that have counts again, such as those of a tally that was mended by hand."""
    with cursor() as statements:
        found = statements.execute(_LEFT).fetchall()
    now = clock.now()
    moves = [
        IssueMove(
            project_id=project, kind=IssueMove.Kind.MERGE, survivor_id=survivor, others=[issue],
            cause=f"left:{issue}:{now:%Y%m%d%H%M}", created=now, touched=now, data={},
        )
        for issue, project, survivor in found
    ]  # fmt: skip
    IssueMove.objects.bulk_create(moves, ignore_conflicts=True)
    return list(IssueMove.objects.filter(cause__in=[move.cause for move in moves]).order_by("pk"))


def told(issue: str = "pk") -> QuerySet[IssueMove, Any]:
    """A subquery: kind, done and total of the oldest open job that concerns the outer query's issue."""
    about = Q(survivor=OuterRef(issue)) | Q(others__contains=[OuterRef(issue)])
    moves = IssueMove.objects.filter(about, project=OuterRef("project"), state=IssueMove.State.OPEN)
    return moves.order_by("pk").values(told=JSONObject(kind="kind", done="done", total="total"))[:1]


def _first(project_id: int) -> IssueMove | None:
    return IssueMove.objects.filter(project=project_id, state=IssueMove.State.OPEN).order_by("pk").first()


def _step(move_id: int) -> bool:
    """Whether there may be more to do, and nobody else is doing it."""
    move = IssueMove.objects.filter(pk=move_id, state=IssueMove.State.OPEN).first()
    if move is None:
        return False
    if not move.data.get("quiet"):
        return _given(move) and _quiet(move_id)
    with transaction.atomic():
        if (held := _held(move_id)) is None:
            return False
        is_done = replay.step(held) if held.kind == IssueMove.Kind.UNMERGE else carry.step(held)
        if is_done:
            held.state, held.finished = IssueMove.State.DONE, clock.now()
        held.touched = clock.now()
        held.save(update_fields=["state", "finished", "touched", "done", "data"])
    return not is_done


def _given(move: IssueMove) -> bool:
    """Whether the job's hashes lead where they shall; False when another worker is about it."""
    if move.kind == IssueMove.Kind.MERGE or move.data.get("given"):
        return True
    with transaction.atomic():
        holding.held([move.survivor_id, *move.others])
        if (mine := _held(move.pk)) is None:
            return False
        split.give(mine)
        mine.save(update_fields=["data", "total"])
    return True


def quiet() -> bool:
    """Lets all end that were recording before; whether that was possible.

    Whoever records holds `record.LOCK` with others, so having it alone once means that all who begin from
    then on see where the hashes lead. What the others stored is counted next.
    """
    try:
        with transaction.atomic(), cursor() as statements:
            statements.execute(f"set local lock_timeout = '{PATIENCE}'")
            statements.execute("select pg_advisory_xact_lock(%s)", [record.LOCK])
    except OperationalError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            return False
        raise
    counters.settle()
    return True


def _quiet(move_id: int) -> bool:
    if not quiet():
        return False
    with transaction.atomic():
        if (move := _held(move_id)) is None:
            return False
        move.data["quiet"], move.touched = True, clock.now()
        move.save(update_fields=["data", "touched"])
    return True


def _held(move_id: int) -> IssueMove | None:
    """The open job, ours to the end of the transaction; None while another worker has it."""
    open_ = IssueMove.objects.filter(pk=move_id, state=IssueMove.State.OPEN)
    return open_.select_for_update(skip_locked=True).first()
