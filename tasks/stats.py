"""Counters that follow the events."""

from __future__ import annotations

from app.store import counters, durations, quotas
from tasks.base import task


@task("stats.fold")
def fold() -> None:
    """Counts what events moved since the last time; a second one at once finds nothing to do."""
    counters.fold()


@task("stats.fold_tags")
def fold_tags() -> None:
    """The same for tags."""
    counters.fold_tags()


@task("stats.fold_durations")
def fold_durations() -> None:
    """Counts how long transactions took."""
    durations.fold()


@task("stats.check_quotas_and_spikes")
def check_quotas_and_spikes() -> None:
    """Who sends too much is limited, and who no longer does is not."""
    quotas.check()
