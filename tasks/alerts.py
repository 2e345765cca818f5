"""From what is notable to messages in the outbox."""

from __future__ import annotations

from django.db import transaction

from app.alerts import issues
from app.notifications import outbox
from tasks.base import task
from tasks.notify import relay_outbox


@task("alerts.announce")
def announce(ids: list[int]) -> None:
    """Puts a message for everyone concerned by these Notable rows into the outbox, once."""
    with transaction.atomic():
        if outbox.put(issues.announce(ids)):
            relay_outbox.later()


@task("alerts.sweep")
def sweep() -> None:
    """Announces what a killed worker or an absent broker left behind."""
    found = issues.AT_ONCE
    while found == issues.AT_ONCE:
        ids = issues.overdue()
        announce(ids)
        found = len(ids)
