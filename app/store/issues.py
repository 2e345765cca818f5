"""From grouping hashes to issues, so that two workers with the same new hash agree on one issue.

A hash belongs to at most one issue. An event goes to the issue of its first hash that has one, and its other
hashes are attached to the same issue. Whatever makes an issue or attaches a hash holds the project's row, and
looks again once it holds it; ordinary events only read.
"""

from __future__ import annotations

import msgspec
from django.db import transaction

from app.base import clock
from app.event import LEVELS
from app.store.database import Cursor, array, arrays, columns, cursor, json, numbers
from app.store.pending import Pending

Hash = tuple[int, str]  # project, 32 hexadecimal digits

_LOOK = f"""
select u.place, h.issue_id, h.state = 'discarded', i.status = 'resolved'
from unnest({arrays("bigint uuid")}) with ordinality as u (project_id, hash, place)
join app_issuehash h on h.project_id = u.project_id and h.hash = u.hash
left join app_issue i on i.id = h.issue_id"""

_LOCK = """
select id, next_issue from app_project where id = any (%s::bigint[]) order by id for no key update"""

_CREATE = f"""
insert into app_issue (project_id, number, kind, level, platform, title, culprit, metadata, status, substatus,
                       created, first_seen, last_seen, events, users, first_release_id,
                       last_release_id)
select u.project_id, u.number, u.kind, u.level, u.platform, u.title, u.culprit, u.metadata::jsonb,
       'unresolved', 'new', %s, to_timestamp(u.first / 1e6), to_timestamp(u.last / 1e6), u.events, u.users,
       u.release_id, u.release_id
from unnest({arrays("bigint int text smallint text text text text bigint bigint bigint bigint bigint")})
     u (project_id, number, kind, level, platform, title, culprit, metadata, release_id,
        first, last, events, users)
order by u.project_id, u.number
returning project_id, number, id"""

_USERS = f"""
insert into app_issueuser (issue_id, user_hash, first_seen)
select i, u, to_timestamp(s / 1e6) from unnest({arrays("bigint bigint bigint")}) n(i, u, s)"""

_MOVE = f"""
update app_project p set next_issue = u.next_issue,
       first_event = coalesce(p.first_event, to_timestamp(u.seen / 1e6))
from unnest({arrays("bigint int bigint")}) u (id, next_issue, seen) where p.id = u.id"""

_ATTACH = f"""
insert into app_issuehash (project_id, hash, issue_id, config, variant, created, state)
select u.project_id, u.hash, u.issue_id, u.config, u.variant, %s, 'active'
from unnest({arrays("bigint uuid bigint text text")})
     u (project_id, hash, issue_id, config, variant)
order by u.project_id, u.hash
on conflict (project_id, hash) do update set issue_id = excluded.issue_id
where app_issuehash.issue_id is null and app_issuehash.state = 'active'"""


class Target(msgspec.Struct):
    """Where a hash leads: to an issue, to nowhere, or to the event that an issue is about to be made of."""

    issue_id: int | None = None
    discarded: bool = False
    resolved: bool = False
    draft: Pending | None = None


Known = dict[Hash, Target]  # an older hash among them is only looked up
Attached = list[tuple[Hash, Target, Pending]]  # a hash that was loose, where it leads now, and who says so


def assign(statements: Cursor, rows: list[Pending], waiting: set[int]) -> None:
    """Gives every row its issue: one that makes it becomes "new", one with a discarded hash "discarded".

    `waiting` are the projects that have had no event so far.
    """
    if not rows:
        return
    known = _look(statements, rows)
    if any(row.event.project_id in waiting or _is_unplaced(row, known) for row in rows):
        numbering = _lock(statements, {row.event.project_id for row in rows})
        known = _look(statements, rows)
        attached = _place(rows, known)
        drafts = list({id(target): target for _, target, _ in attached if target.draft}.values())
        _create(statements, drafts, numbering, _counted(rows, known))
        _attach(statements, attached)
        _move(statements, numbering, [row for row in rows if not _target(row, known).discarded])
    for row in rows:
        target = _target(row, known)
        row.issue_id = target.issue_id
        row.may_reopen = target.resolved
        row.is_counted = target.draft is not None
        if target.discarded:
            row.kind = "discarded"
        elif target.draft is row:
            row.kind = "new"


_CARRY = f"""
insert into app_issuehash (project_id, hash, issue_id, config, variant, created, state)
select i.project_id, u.hash, i.id, %s, '', %s, 'active'
from unnest({arrays("uuid bigint")}) u (hash, issue_id) join app_issue i on i.id = u.issue_id
where i.project_id = %s order by u.hash
on conflict (project_id, hash) do update set issue_id = excluded.issue_id
where app_issuehash.issue_id is null and app_issuehash.state = 'active'"""


def attach(project_id: int, carried: dict[str, int], config: str) -> None:
    """Gives issues of a project more hashes; one that leads somewhere by now stays as it is."""
    if not carried:
        return
    with transaction.atomic(), cursor() as statements:
        _lock(statements, {project_id})
        pairs = [array(carried), numbers(carried.values())]
        statements.execute(_CARRY, [config, clock.now(), *pairs, project_id])


def _look(statements: Cursor, rows: list[Pending]) -> Known:
    """The hashes that lead somewhere; one without a row, or whose issue was deleted, does not."""
    for row in rows:
        project = row.event.project_id
        row.keys = [(project, one) for one in row.hashes]
        row.older_keys = [(project, one) for one in row.event.older if one not in row.hashes]
    hashes = list({one: None for row in rows for one in (*row.keys, *row.older_keys)})
    values = [numbers([project for project, _ in hashes]), array([one for _, one in hashes])]
    found = statements.execute(_LOOK, values)
    return {
        hashes[place - 1]: Target(issue_id, discarded, bool(resolved))
        for place, issue_id, discarded, resolved in found
        if issue_id or discarded
    }


def _find(row: Pending, known: Known) -> Target | None:
    """What the first of an event's hashes that leads somewhere leads to; those of the configuration before
    only where no other does."""
    for one in (*row.keys, *row.older_keys):
        if (target := known.get(one)) is not None:
            return target
    return None


def _target(row: Pending, known: Known) -> Target:
    return _find(row, known) or Target()


def _is_unplaced(row: Pending, known: Known) -> bool:
    """Whether the event makes an issue or has a hash to attach."""
    for one in row.keys:
        if one not in known:
            return not _target(row, known).discarded
    return False


def _lock(statements: Cursor, projects: set[int]) -> dict[int, int]:
    """The number of each project's next issue; the projects are ours from here to the end."""
    return dict(statements.execute(_LOCK, [numbers(sorted(projects))]).fetchall())


def _place(rows: list[Pending], known: Known) -> Attached:
    """Leads every loose hash somewhere, drafting issues for events that have no other; what was loose."""
    attached: Attached = []
    for row in rows:
        target = _find(row, known) or Target(draft=row)
        for one in row.keys:
            if not target.discarded and one not in known:
                known[one] = target
                attached.append((one, target, row))
    return attached


def _counted(rows: list[Pending], known: Known) -> dict[int, list[Pending]]:
    """The events of each issue that is about to be made, by its target's identity."""
    events: dict[int, list[Pending]] = {}
    for row in rows:
        target = _target(row, known)
        if target.draft:
            events.setdefault(id(target), []).append(row)
    return events


def _create(
    statements: Cursor, drafts: list[Target], numbering: dict[int, int], events: dict[int, list[Pending]]
) -> None:
    """Makes the issues, with what is counted of them so far, and moves the numbering on."""
    numbered: dict[tuple[int, int], Target] = {}
    issues = []
    for target in drafts:
        if target.draft:
            place = target.draft.event.project_id, numbering[target.draft.event.project_id]
            numbering[place[0]] += 1
            numbered[place] = target
            issues.append(_issue(place, target.draft, events[id(target)]))
    if not issues:
        return
    values = columns(issues, 13)
    found = statements.execute(_CREATE, [clock.now(), *map(list, values)])
    for project, number, issue_id in found:
        numbered[project, number].issue_id = issue_id
    _meet(statements, drafts, events)


def _meet(statements: Cursor, drafts: list[Target], events: dict[int, list[Pending]]) -> None:
    """Writes down who met the new issues."""
    first: dict[tuple[int, int], int] = {}
    for target in drafts:
        for row in events[id(target)]:
            if row.user_hash is not None and target.issue_id:
                pair, at = (target.issue_id, row.user_hash), row.event.timestamp
                first[pair] = min(at, first.get(pair, at))
    if first:
        pairs = columns(list(first), 2)
        statements.execute(_USERS, [*map(numbers, pairs), numbers(first.values())])


def _issue(place: tuple[int, int], row: Pending, events: list[Pending]) -> tuple[object, ...]:
    event, times = row.event, [one.event.timestamp for one in events]
    return (
        *place,
        event.kind,
        LEVELS[event.level],
        event.platform[:32],
        event.title[:300],
        event.culprit[:200],
        json(event.metadata),
        row.release_id,
        min(times),
        max(times),
        len(events),
        len({one.user_hash for one in events if one.user_hash is not None}),
    )


def _attach(statements: Cursor, attached: Attached) -> None:
    if attached:
        values = columns([(*one, target.issue_id, *_origin(one[1], row)) for one, target, row in attached], 5)
        statements.execute(_ATTACH, [clock.now(), *map(list, values)])


def _origin(digest: str, row: Pending) -> tuple[str, str]:
    """The configuration and the variant that made a hash."""
    grouping = row.event.grouping
    if grouping is None:
        return "", ""
    variant = next((one.name for one in grouping.variants if one.hash == digest), "")
    return grouping.config[:32], variant[:32]


def _move(statements: Cursor, numbering: dict[int, int], rows: list[Pending]) -> None:
    first: dict[int, int] = {}
    for row in rows:
        project, received = row.event.project_id, row.event.received
        first[project] = min(received, first.get(project, received))
    projects = sorted(first)
    moved = [
        numbers(projects),
        numbers(numbering[one] for one in projects),
        numbers(first[one] for one in projects),
    ]
    statements.execute(_MOVE, moved)
