"""The health of releases, which follows their sessions."""

from __future__ import annotations

from app.store import sessions
from tasks.base import task


@task("releases.roll_up_health")
def roll_up_health() -> None:
    """Counts what sessions moved since the last time; a second one at once finds nothing to do."""
    sessions.fold()
