"""Resolving, archiving and bringing back: guarded updates that say what they really changed.

Each function is one transaction: the issues that were in another state are moved and each gets an Activity
with its state before, so that `undo` restores exactly what was changed and nothing that others did since.
"""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import transaction

from app.base import clock
from app.models import Activity, Issue, Status, Substatus


class Changed(msgspec.Struct, frozen=True):
    """One issue's state before and after, as column values; what `undo` takes back."""

    issue_id: int
    before: dict[str, Any]
    after: dict[str, Any]


_STATE = ("status", "substatus", "resolved_at", "resolved_in_id")


def resolve(
    issue_ids: list[int], user_id: int | None, cause: str, release_id: int | None = None
) -> list[Changed]:
    """An event that happens from now on (in `release_id` or a later one, if given) reopens them.

    `cause` makes it happen once: "user:<id>:<uuid of the request>".
    """
    after = {
        "status": Status.RESOLVED,
        "substatus": Substatus.ONGOING,
        "resolved_at": clock.now(),
        "resolved_in_id": release_id,
    }
    return _move(issue_ids, user_id, cause, "resolved", after)


def unresolve(issue_ids: list[int], user_id: int | None, cause: str) -> list[Changed]:
    """Back among the open ones."""
    return _move(issue_ids, user_id, cause, "unresolved", _open(Status.UNRESOLVED))


def archive(issue_ids: list[int], user_id: int | None, cause: str) -> list[Changed]:
    """Out of sight, still counting."""
    return _move(issue_ids, user_id, cause, "archived", _open(Status.ARCHIVED))


def undo(changes: list[Changed], user_id: int | None, cause: str) -> list[Changed]:
    """Takes changes back where nobody changed the state since; the ones that were."""
    undone = []
    with transaction.atomic():
        now = _locked([change.issue_id for change in changes])
        for change in sorted(changes, key=lambda change: change.issue_id):
            issue = now.get(change.issue_id)
            if issue is not None and _state(issue) == change.after:
                undone.append(Changed(issue.pk, change.after, change.before))
                Issue.objects.filter(pk=issue.pk).update(**change.before)
        _note(undone, user_id, cause, "undone")
    return undone


def _move(
    issue_ids: list[int], user_id: int | None, cause: str, kind: str, after: dict[str, Any]
) -> list[Changed]:
    with transaction.atomic():
        now = _locked(issue_ids).values()
        moved = [issue for issue in now if issue.is_listed and issue.status != after["status"]]
        changes = [Changed(issue.pk, _state(issue), after) for issue in moved]
        Issue.objects.filter(pk__in=[issue.pk for issue in moved]).update(**after)
        _note(changes, user_id, cause, kind)
    return changes


def _locked(issue_ids: list[int]) -> dict[int, Issue]:
    """In the order in which everyone locks issues, so that nobody waits for one another."""
    rows = Issue.objects.select_for_update(no_key=True).filter(pk__in=issue_ids).order_by("pk")
    return {issue.pk: issue for issue in rows}


def _note(changes: list[Changed], user_id: int | None, cause: str, kind: str) -> None:
    at = clock.now()
    Activity.objects.bulk_create(
        [
            Activity(
                issue_id=change.issue_id,
                kind=kind,
                cause=cause,
                user_id=user_id,
                at=at,
                data={"before": str(change.before["status"])},
            )
            for change in changes
        ],
        ignore_conflicts=True,
    )


def _state(issue: Issue) -> dict[str, Any]:
    return {name: getattr(issue, name) for name in _STATE}


def _open(status: Status) -> dict[str, Any]:
    return {"status": status, "substatus": Substatus.ONGOING, "resolved_at": None, "resolved_in_id": None}
