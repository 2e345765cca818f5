"""Issues nobody wants: their events are dropped from now on, and what is there is deleted a day later.

Until then everything can be taken back. What stays is a tombstone with the issue's hashes, by which the store
knows the events to drop (app.store.issues).
"""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from app.base import clock
from app.models import Issue, IssueHash, IssueMove, Outcome, Status, Tombstone
from app.store import attachments, read, walk
from app.store.database import array, cursor
from app.store.holding import Impossible, held, is_splitting, note

#: How long a discarded issue can be brought back whole.
GRACE = timedelta(days=1)
#: Rows of one step.
EVENTS, ROWS = 1000, 5000

_EVENTS = "delete from app_event where day = '{day}' and project_id = %s and event_id = any (%s::uuid[])"
_FILES = """
delete from app_attachment
where project_id = %s and event_id = any (%s::uuid[]) and day between %s and %s"""
_ROWS = (
    """delete from app_issuehour where issue_id = %s and (hour, environment_id) in (
        select hour, environment_id from app_issuehour where issue_id = %s limit %s)""",
    """delete from app_issuetag where issue_id = %s and tag_id in (
        select tag_id from app_issuetag where issue_id = %s limit %s)""",
    """delete from app_issueuser where issue_id = %s and user_hash in (
        select user_hash from app_issueuser where issue_id = %s limit %s)""",
)


def discard(issue_ids: list[int], user_id: int | None, cause: str) -> list[Tombstone]:
    """Drops the events of these issues of one project from now on; those that were not dropped before.

    Raises Impossible.
    """
    with transaction.atomic():
        found = held(issue_ids)
        if any(is_splitting(found[number]) for number in issue_ids):
            raise Impossible("Something is being split off. Try again when that is done.")
        made = []
        for issue in [found[number] for number in sorted(set(issue_ids)) if found[number].is_listed]:
            stone = Tombstone.objects.create(
                project=issue.project, issue=issue, number=issue.number, title=issue.title,
                before=issue.status, user_id=user_id, created=clock.now(),
            )  # fmt: skip
            IssueHash.objects.filter(issue=issue).update(state="discarded", tombstone=stone)
            Issue.objects.filter(pk=issue.pk).update(status=Status.DISCARDED)
            note(issue, "discarded", user_id, cause)
            made.append(stone)
    return made


def restore(tombstone_id: int, user_id: int | None, cause: str) -> Issue | None:
    """Events are taken again. The issue, whole, if its day is not over; otherwise a new one comes with them.

    Raises Impossible when somebody else was faster.
    """
    with transaction.atomic():
        stone = Tombstone.objects.select_for_update().filter(pk=tombstone_id).first()
        if stone is None:
            raise Impossible("This was taken back already.")
        issue = held([stone.issue_id])[stone.issue_id] if stone.issue_id else None
        IssueHash.objects.filter(tombstone=stone).update(state="active", tombstone=None)
        is_whole = issue is not None and stone.purged is None
        if issue is not None and is_whole:
            Issue.objects.filter(pk=issue.pk).update(status=stone.before)
            note(issue, "restored", user_id, cause)
            stone.delete()
        elif issue is None:
            stone.delete()
    return issue if is_whole else None


def dropped(project_id: int) -> int:
    """How many events of a project were dropped because their issue is discarded, as far as that is kept."""
    rows = Outcome.objects.filter(project=project_id, outcome="filtered", reason="discarded-hash")
    return sum(rows.values_list("quantity", flat=True))


def purge(seconds: float) -> bool:
    """Deletes for about so long what was discarded a day ago; whether there is more."""
    end = time.monotonic() + seconds
    for stone in Tombstone.objects.filter(issue__isnull=False, created__lt=clock.now() - GRACE).order_by(
        "pk"
    ):
        while not _step(stone.pk):
            if time.monotonic() >= end:
                return True
    return False


def _step(tombstone_id: int) -> bool:
    """Deletes some of it; True when nothing is left, or it has to wait."""
    with transaction.atomic():
        stones = Tombstone.objects.select_for_update(skip_locked=True, of=("self",)).select_related("issue")
        stone = stones.filter(pk=tombstone_id, issue__isnull=False).first()
        if stone is None or stone.issue is None or _is_carried(stone.project_id):
            return True
        if stone.purged is None:
            IssueHash.objects.filter(tombstone=stone).update(issue=None, origin=None)
            Tombstone.objects.filter(pk=stone.pk).update(purged=clock.now())
            return False
        for issue in [stone.issue, *Issue.objects.filter(merged_into=stone.issue)]:
            if _delete_some(issue):
                return False
        stone.issue.delete()
    return True


def _is_carried(project_id: int) -> bool:
    """Whether events are on their way from one issue to another."""
    return IssueMove.objects.filter(project=project_id, state=IssueMove.State.OPEN).exists()


def _delete_some(issue: Issue) -> bool:
    """Deletes events, then what was counted of them, some at a time; whether there was any."""
    days = read.days(issue)
    with cursor() as statements:
        rows, _ = walk.batch(statements, issue.pk, "1", walk.start(days), days[0], EVENTS)
        by_day: defaultdict[date, list[UUID]] = defaultdict(list)
        for day, event_id, *_ in rows:
            by_day[day].append(event_id)
        for day, ids in sorted(by_day.items()):
            values: list[Any] = [issue.project_id, array(sorted(ids))]
            statements.execute(_EVENTS.format(day=day), values)
            statements.execute(_FILES, [*values, day - attachments.BEFORE, day + attachments.AFTER])
        if rows:
            return True
        return any(statements.execute(sql, [issue.pk, issue.pk, ROWS]).rowcount for sql in _ROWS)
