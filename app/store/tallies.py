"""What a group moves, appended where nobody waits for anybody: see app.models.tally."""

from __future__ import annotations

from app.event import LEVELS
from app.store.database import Cursor, array, json, numbers
from app.store.outcomes import Sums
from app.store.pending import Pending

_TALLY = """
insert into app_tally (issues, at, environments, releases, users, kinds, faces, outcomes, broken)
values (%s, %s, %s, %s, %s, %s, %s, %s, false)"""
_TAGS = """insert into app_tagtally (issues, at, tags, broken) values (%s, %s, %s, false)"""


def append(statements: Cursor, rows: list[Pending], outcomes: Sums) -> None:
    """Notes what these events and quantities move. Reads no answer."""
    if rows or outcomes:
        statements.execute(
            _TALLY, [*_columns(rows), _faces(rows), _safe([[*k, n] for k, n in outcomes.items()])]
        )
    tagged = [row for row in rows if row.tag_ids]
    if tagged:
        tags = '{"' + '","'.join([numbers(row.tag_ids) for row in tagged]) + '"}'
        issues = numbers([_issue(row) for row in tagged])
        statements.execute(_TAGS, [issues, numbers([row.event.timestamp for row in tagged]), tags])


def _columns(rows: list[Pending]) -> list[str]:
    return [
        numbers([_issue(row) for row in rows]),
        numbers([row.event.timestamp for row in rows]),
        numbers([row.environment_id for row in rows]),
        array([row.release_id for row in rows]),
        array([None if row.is_counted else row.user_hash for row in rows]),
        numbers([row.is_counted + (row.kind == "new") for row in rows]),
    ]


def _faces(rows: list[Pending]) -> str:
    """The newest event of each issue says what it looks like."""
    newest: dict[int, Pending] = {}
    for row in rows:
        issue = _issue(row)
        if issue not in newest or row.event.timestamp >= newest[issue].event.timestamp:
            newest[issue] = row
    return _safe(
        [
            {
                "issue": issue,
                "at": row.event.timestamp,
                "title": row.event.title[:300],
                "culprit": row.event.culprit[:200],
                "metadata": row.event.metadata,
                "level": LEVELS[row.event.level],
                "release": row.release_id,
            }
            for issue, row in newest.items()
        ]
    )


def _safe(value: object) -> str:
    """As JSON, without the one character that PostgreSQL has no room for: it would stop all counting."""
    return json(value).replace("\\u0000", "\\ufffd")


def _issue(row: Pending) -> int:
    if row.issue_id is None:
        raise ValueError(f"event {row.event.event_id} has no issue yet")
    return row.issue_id
