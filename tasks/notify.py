"""Messages leave: from the outbox to their channel's queue, and from there to people."""

from __future__ import annotations

from django.db import transaction

from app.notifications import email, outbox
from tasks.base import Task, task

#: Rows queued in one transaction.
AT_ONCE = 100


@task("notify.relay_outbox")
def relay_outbox() -> None:
    """Queues every message that is due. Killed between claim and commit, it has claimed nothing."""
    claimed = AT_ONCE
    while claimed == AT_ONCE:
        with transaction.atomic():
            rows = outbox.claim(AT_ONCE, SENDERS)
            for row in rows:
                SENDERS[row.channel].publish((row.pk,))
        claimed = len(rows)


@task("notify.send_email")
def send_email(notification_id: int) -> None:
    """Sends one e-mail; a message that is gone, sent or in another worker's hands is done."""
    row = outbox.begin(notification_id)
    if row is not None:
        outbox.settle(row, email.send(row))


SENDERS: dict[str, Task] = {"email": send_email}
