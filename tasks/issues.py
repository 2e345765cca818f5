"""What is worked out about issues beside their events; what follows when they are merged or split."""

from __future__ import annotations

from app.models import IssueMove
from app.store import discard, moves, similar
from app.store import regroup as regrouping
from tasks.base import task

#: Issues compared in one transaction, and how often in a row: an upgrade must not take the queue for itself.
AT_ONCE, TIMES = 100, 20
#: Seconds of one task: alerts and counters wait in the same process for no longer.
SLICE = 1.0


@task("issues.update_similar")
def update_similar(ids: list[int]) -> None:
    """Makes these issues known to those that resemble them, and the other way round."""
    similar.update(ids)


@task("issues.sweep_similar")
def sweep_similar() -> None:
    """The same for issues that a killed worker, an absent broker or an older version left out."""
    for _ in range(TIMES):
        ids = similar.missing(AT_ONCE)
        similar.update(ids)
        if len(ids) < AT_ONCE:
            return


@task("issues.merge")
def merge(move_id: int) -> None:
    """Carries events and counters of merged issues to their survivor, and queues what is left of the work."""
    go_on(moves.advance(move_id, SLICE))


@task("issues.unmerge")
def unmerge(move_id: int) -> None:
    """Moves the events of split hashes and what they count, and queues what is left of the work."""
    go_on(moves.advance(move_id, SLICE))


@task("issues.regroup")
def regroup(job_id: int) -> None:
    """Applies a project's rules to its next events, and queues what is left of the work."""
    going = regrouping.advance(job_id, SLICE)
    if going.is_open:
        regroup.later(job_id, after_seconds=going.wait)


@task("issues.sweep_merged")
def sweep_merged() -> None:
    """Goes on with what a killed worker left, and moves what merged issues have again."""
    for move in [*moves.leftovers(), *moves.waiting()]:
        go_on(move)
    for job in regrouping.waiting():
        regroup.later(job.pk)


@task("issues.purge_discarded")
def purge_discarded() -> None:
    """Deletes what was discarded a day ago."""
    if discard.purge(SLICE):
        purge_discarded.later()


def go_on(move: IssueMove | None) -> None:
    """Queues the job, when the transaction commits."""
    if move is not None:
        (merge if move.kind == IssueMove.Kind.MERGE else unmerge).later(move.pk)
