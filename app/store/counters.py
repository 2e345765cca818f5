"""What is counted for issues and releases, folded per group: a flood of one issue is one row of each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from app.event import LEVELS
from app.store.database import Cursor, array, arrays, columns, json, numbers
from app.store.pending import Pending

HOUR = 3_600_000_000  # µs

_USERS = f"""
insert into app_issueuser (issue_id, user_hash, first_seen)
select i, u, to_timestamp(s / 1e6) from unnest({arrays("bigint bigint bigint")}) n(i, u, s)
on conflict do nothing returning issue_id"""

_TAGS = f"""
insert into app_issuetag as t (issue_id, tag_id, events, first_seen, last_seen)
select i, g, n, to_timestamp(f / 1e6), to_timestamp(l / 1e6)
from unnest({arrays("bigint bigint bigint bigint bigint")}) u(i, g, n, f, l)
on conflict (issue_id, tag_id) do update set events = t.events + excluded.events,
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen)"""

_HOURS = f"""
insert into app_issuehour as t (issue_id, hour, environment_id, events)
select i, to_timestamp(h / 1e6), e, n from unnest({arrays("bigint bigint bigint int")}) u(i, h, e, n)
on conflict (issue_id, hour, environment_id) do update set events = t.events + excluded.events"""

_RELEASES = f"""
insert into app_releaseproject as t (release_id, project_id, first_seen, last_seen, events, new_issues)
select r, p, to_timestamp(f / 1e6), to_timestamp(l / 1e6), n, m
from unnest({arrays("bigint bigint bigint bigint bigint int")}) u(r, p, f, l, n, m)
on conflict (release_id, project_id) do update set
    events = t.events + excluded.events, new_issues = t.new_issues + excluded.new_issues,
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen)"""

#: The newest event says what its issue looks like. Rows are locked in order before the update finds them.
_NEWEST = "when to_timestamp(u.last / 1e6) >= i.last_seen then"
_ISSUES = f"""
with locked as (select id from app_issue where id = any (%s::bigint[]) order by id for no key update)
update app_issue i set events = i.events + u.events, users = i.users + u.users,
    first_seen = least(i.first_seen, to_timestamp(u.first / 1e6)),
    last_seen = greatest(i.last_seen, to_timestamp(u.last / 1e6)),
    title = case {_NEWEST} u.title else i.title end,
    culprit = case {_NEWEST} u.culprit else i.culprit end,
    metadata = case {_NEWEST} u.metadata::jsonb else i.metadata end,
    level = case {_NEWEST} u.level else i.level end,
    last_release_id = case {_NEWEST} coalesce(u.release_id, i.last_release_id) else i.last_release_id end
from locked join unnest({arrays("bigint bigint bigint bigint bigint text text text smallint bigint")})
     u (id, events, users, first, last, title, culprit, metadata, level, release_id) using (id)
where i.id = locked.id"""

Met = dict[int, int]  # issue: users that had never met it


def meet_users(statements: Cursor, rows: list[Pending]) -> Met:
    """Writes down who met which issue; an issue's users are the rows that were really inserted."""
    first: dict[tuple[int, int], int] = {}
    for row in rows:
        if row.user_hash is not None:
            pair, at = (_issue(row), row.user_hash), row.event.timestamp
            first[pair] = min(at, first.get(pair, at))
    pairs = sorted(first)
    values = [*map(numbers, columns(pairs, 2)), numbers(first[pair] for pair in pairs)]
    return Counter(issue_id for (issue_id,) in statements.execute(_USERS, values))


def count(statements: Cursor, rows: list[Pending], met: Met) -> None:
    """Moves the counters shared with other groups, the most contended last. Reads no answer."""
    if not rows:
        return
    statements.execute(_TAGS, _tags(rows))
    statements.execute(_HOURS, _hours(rows))
    statements.execute(_RELEASES, _releases(rows))
    statements.execute(_ISSUES, _issues(rows, met))


class Span:
    """How many, the first and the last of them."""

    __slots__ = ("count", "first", "last")

    def __init__(self, at: int) -> None:
        self.count, self.first, self.last = 0, at, at

    def add(self, at: int) -> None:
        self.count += 1
        if at < self.first:
            self.first = at
        elif at > self.last:
            self.last = at


def _tags(rows: list[Pending]) -> list[str]:
    spans: dict[tuple[int, int], Span] = {}
    for row in rows:
        at, issue_id = row.event.timestamp, _issue(row)
        for tag in row.tag_ids:
            pair = issue_id, tag
            if (span := spans.get(pair)) is None:
                span = spans[pair] = Span(at)
            span.add(at)
    pairs = sorted(spans)
    return [*map(numbers, columns(pairs, 2)), *_spans([spans[pair] for pair in pairs])]


def _hours(rows: list[Pending]) -> list[str]:
    counts = Counter((_issue(row), row.event.timestamp // HOUR * HOUR, row.environment_id) for row in rows)
    keys = sorted(counts)
    return [*map(numbers, columns(keys, 3)), numbers(counts[key] for key in keys)]


def _releases(rows: list[Pending]) -> list[str]:
    spans: dict[tuple[int, int], Span] = {}
    new: Counter[tuple[int, int]] = Counter()
    for row in rows:
        if row.release_id is not None:
            pair = row.release_id, row.event.project_id
            spans.setdefault(pair, Span(row.event.timestamp)).add(row.event.timestamp)
            new[pair] += row.kind == "new"
    pairs = sorted(spans)
    counts, firsts, lasts = _spans([spans[pair] for pair in pairs])
    return [*map(numbers, columns(pairs, 2)), firsts, lasts, counts, numbers(new[pair] for pair in pairs)]


def _issues(rows: list[Pending], met: Met) -> list[Any]:
    spans: dict[int, Span] = {}
    newest: dict[int, Pending] = {}
    for row in rows:
        issue_id, at = _issue(row), row.event.timestamp
        spans.setdefault(issue_id, Span(at)).add(at)
        if issue_id not in newest or at >= newest[issue_id].event.timestamp:
            newest[issue_id] = row
    ids = sorted(spans)
    counts, firsts, lasts = _spans([spans[one] for one in ids])
    faces = [newest[one] for one in ids]
    return [
        numbers(ids),
        numbers(ids),
        counts,
        numbers(met.get(one, 0) for one in ids),
        firsts,
        lasts,
        [face.event.title[:300] for face in faces],
        [face.event.culprit[:200] for face in faces],
        [json(face.event.metadata) for face in faces],
        numbers(LEVELS[face.event.level] for face in faces),
        array(face.release_id for face in faces),
    ]


def _spans(spans: list[Span]) -> tuple[str, str, str]:
    """Counts, firsts and lasts as arrays."""
    return (
        numbers(span.count for span in spans),
        numbers(span.first for span in spans),
        numbers(span.last for span in spans),
    )


def _issue(row: Pending) -> int:
    if row.issue_id is None:
        raise ValueError(f"event {row.event.event_id} has no issue yet")
    return row.issue_id
