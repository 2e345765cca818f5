"""What follows the merging, splitting and discarding of issues, in slices with other work between them."""

from __future__ import annotations

from app.models import IssueMove
from app.store import discard, moves
from tasks.base import task

#: Seconds of one task: alerts and counters wait in the same process for no longer.
SLICE = 1.0


@task("issues.merge")
def merge(move_id: int) -> None:
    """Carries events and counters of merged issues to their survivor, and queues what is left of the work."""
    go_on(moves.advance(move_id, SLICE))


@task("issues.unmerge")
def unmerge(move_id: int) -> None:
    """Moves the events of split hashes and what they count, and queues what is left of the work."""
    go_on(moves.advance(move_id, SLICE))


@task("issues.sweep_merged")
def sweep_merged() -> None:
    """Goes on with what a killed worker left, and moves what merged issues have again."""
    for move in [*moves.leftovers(), *moves.waiting()]:
        go_on(move)


@task("issues.purge_discarded")
def purge_discarded() -> None:
    """Deletes what was discarded a day ago."""
    if discard.purge(SLICE):
        purge_discarded.later()


def go_on(move: IssueMove | None) -> None:
    """Queues the job, when the transaction commits."""
    if move is not None:
        (merge if move.kind == IssueMove.Kind.MERGE else unmerge).later(move.pk)
