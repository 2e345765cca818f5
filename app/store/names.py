"""Environments, releases and tag values by their numbers: inserted once, then known to the process.

Only what a committed transaction wrote is remembered: numbers of a rolled-back one may never come to exist.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import Any

from django.db import transaction

from app.store.database import Cursor, arrays, columns, numbers
from app.store.pending import Pending

Name = tuple[Any, ...]  # (project or organization, name …)
Seen = dict[Name, int]  # when, in microseconds
#: Insert what is missing, in the order of the key so that nobody waits in a circle; µs when first seen.
_INSERT = {
    "environment": f"""
        insert into app_environment (project_id, name, first_seen, is_hidden)
        select p, n, to_timestamp(s / 1e6), false from unnest({arrays("bigint text bigint")}) u(p, n, s)
        on conflict do nothing""",
    "release": f"""
        insert into app_release (organization_id, version, created)
        select p, n, to_timestamp(s / 1e6) from unnest({arrays("bigint text bigint")}) u(p, n, s)
        on conflict do nothing""",
    "tag": f"""
        insert into app_tagvalue (project_id, key, value, first_seen)
        select p, k, v, to_timestamp(s / 1e6)
        from unnest({arrays("bigint text text bigint")}) u(p, k, v, s)
        on conflict do nothing""",
}
_SELECT = {
    "environment": f"""
        select u.place, t.id from unnest({arrays("bigint text")}) with ordinality as u (p, n, place)
        join app_environment t on t.project_id = u.p and t.name = u.n""",
    "release": f"""
        select u.place, t.id from unnest({arrays("bigint text")}) with ordinality as u (p, n, place)
        join app_release t on t.organization_id = u.p and t.version = u.n""",
    "tag": f"""
        select u.place, t.id from unnest({arrays("bigint text text")}) with ordinality as u (p, k, v, place)
        join app_tagvalue t on t.project_id = u.p and t.key = u.k and t.value = u.v""",
}
#: How many names of a kind a process remembers (a tag's is about 250 bytes).
REMEMBERED = 100_000
_known: dict[str, dict[Name, int]] = {kind: {} for kind in _INSERT}


def number(statements: Cursor, rows: list[Pending], organizations: dict[int, int]) -> None:
    """Gives every row the numbers of its environment, release and tags."""
    environments, releases, tags = Seen(), Seen(), Seen()
    for row in rows:
        at, project = row.event.received, row.event.project_id
        environments[project, row.event.environment[:64]] = at
        if row.event.release:
            releases[organizations[project], row.event.release[:250]] = at
        tags.update(dict.fromkeys(_tags(row), at))
    environment_ids = _numbers(statements, "environment", environments)
    release_ids = _numbers(statements, "release", releases)
    tag_ids = _numbers(statements, "tag", tags)
    for row in rows:
        project = row.event.project_id
        row.environment_id = environment_ids[project, row.event.environment[:64]]
        row.release_id = release_ids.get((organizations[project], row.event.release[:250]))
        row.tag_ids = [tag_ids[tag] for tag in _tags(row)]


def forget() -> None:
    """Asks the database again."""
    for names in _known.values():
        names.clear()


def _tags(row: Pending) -> list[Name]:
    project = row.event.project_id
    return [(project, key[:200], value[:200]) for key, value in row.event.tags.items()]


def _numbers(statements: Cursor, kind: str, wanted: Seen) -> dict[Name, int]:
    """The number of each name; `wanted` says when it was seen, for those that are new."""
    remembered = _known[kind]
    missing = sorted(wanted.keys() - remembered.keys())
    if not missing:
        return remembered
    fields = columns(missing, len(missing[0]))
    values: list[object] = [numbers(fields[0]), *(list(texts) for texts in fields[1:])]
    statements.execute(_INSERT[kind], [*values, numbers(wanted[name] for name in missing)])
    found = {missing[place - 1]: number for place, number in statements.execute(_SELECT[kind], values)}
    transaction.on_commit(partial(_remember, remembered, found))
    return {name: found.get(name) or remembered[name] for name in wanted}


def _remember(names: dict[Name, int], found: dict[Name, int]) -> None:
    if len(names) + len(found) > REMEMBERED:
        for name in list(islice(names, REMEMBERED // 2)):
            del names[name]
    names.update(found)
