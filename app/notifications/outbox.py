"""The outbox: every message that has to leave, from the row to the receiver's answer.

    pending ──claim──▶ queued (still pending, claimed for a while) ──begin──▶ sending ──settle──▶ sent
       ▲                                                                        │
       └──────────────────────── try again later ◀──────────────────────────────┴──▶ failed

Whoever holds a row holds it only until `claimed_until`: a sender that dies lets go by itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from app.base import clock
from app.base.text import storable
from app.models import Notification

State = Notification.State

#: Seconds a queued message may wait in its channel's queue before it is queued again.
QUEUED = 600
#: Seconds one attempt may take; beyond the hard limit of the tasks that send.
SENDING = 90
#: 1 minute, 2, 4 … 6 hours between the attempts: about a day in all.
FIRST_PAUSE, LONGEST_PAUSE, ATTEMPTS = 60, 6 * 3600, 12


@dataclass(frozen=True)
class Answer:
    """What came of an attempt, in the receiver's words."""

    words: str
    delivered: bool = False
    final: bool = False  # of a failure: trying again cannot help


def put(messages: Sequence[Notification]) -> int:
    """Stores the messages, each (cause, recipient, channel) once; how many were given."""
    Notification.objects.bulk_create(messages, ignore_conflicts=True)
    return len(messages)


def claim(limit: int, channels: Iterable[str] = ("email",)) -> list[Notification]:
    """The oldest messages of these channels that are due and nobody holds, claimed for a while.

    To be called in the transaction that queues them, so that one that fails has claimed nothing.
    """
    now = clock.now()
    rows = list(
        Notification.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(_waiting(now), channel__in=list(channels))
        .order_by("due", "pk")[:limit]
    )
    ids = [row.pk for row in rows]
    Notification.objects.filter(pk__in=ids).update(
        state=State.PENDING, claimed_until=now + timedelta(seconds=QUEUED)
    )
    return rows


def _waiting(now: datetime) -> Q:
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    return Q(state__in=[State.PENDING, State.SENDING], due__lte=now) & free


def begin(notification_id: int) -> Notification | None:
    """The message, now being sent by the caller alone; None when there is nothing to send."""
    now = clock.now()
    abandoned = Q(state=State.SENDING, claimed_until__lte=now)
    taken = Notification.objects.filter(Q(state=State.PENDING) | abandoned, pk=notification_id, due__lte=now)
    if not taken.update(
        state=State.SENDING, attempts=F("attempts") + 1, claimed_until=now + timedelta(seconds=SENDING)
    ):
        return None
    return (
        Notification.objects.select_related("issue__project__organization", "user")
        .filter(pk=notification_id)
        .first()
    )


def settle(row: Notification, answer: Answer) -> None:
    """Notes the receiver's answer: sent, failed for good, or due again later."""
    now = clock.now()
    ours = Notification.objects.filter(pk=row.pk, state=State.SENDING, attempts=row.attempts)
    words = storable(answer.words[:2000])
    if answer.delivered:
        ours.update(state=State.SENT, sent=now, answer=words, claimed_until=None)
    elif answer.final or row.attempts >= ATTEMPTS:
        ours.update(state=State.FAILED, answer=words, claimed_until=None)
    else:
        due = now + timedelta(seconds=pause(row.attempts))
        ours.update(state=State.PENDING, due=due, answer=words, claimed_until=None)


def pause(attempts: int) -> float:
    """Seconds until the next attempt after so many failed ones."""
    return float(min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)) * random.uniform(0.9, 1.1)  # noqa: S311
