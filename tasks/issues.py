"""What is worked out about issues beside their events."""

from __future__ import annotations

from app.store import similar
from tasks.base import task

#: Issues compared in one transaction, and how often in a row: an upgrade must not take the queue for itself.
AT_ONCE, TIMES = 100, 20


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
