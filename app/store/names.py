"""Environments, releases and tag values by their numbers: inserted once, then known to the process.

Only what a committed transaction wrote is remembered: numbers of a rolled-back one may never come to exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any

from django.db import transaction

from app.store.database import Cursor, arrays, columns, numbers
from app.store.pending import Pending

Name = tuple[Any, ...]  # (project or organization, name …)
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
    environments = [(row.event.project_id, row.event.environment[:64]) for row in rows]
    releases = [(organizations[row.event.project_id], row.event.release[:250]) for row in rows]
    tags = [_tags(row) for row in rows]
    environment_ids = _numbers(statements, "environment", zip(environments, rows, strict=True))
    release_ids = _numbers(
        statements, "release", ((one, row) for one, row in zip(releases, rows, strict=True) if one[1])
    )
    tag_ids = _numbers(
        statements, "tag", ((one, row) for ones, row in zip(tags, rows, strict=True) for one in ones)
    )
    for row, environment, release, own in zip(rows, environments, releases, tags, strict=True):
        row.environment_id = environment_ids(environment)
        row.release_id = release_ids(release) if release[1] else None
        row.tag_ids = list(map(tag_ids, own))


def forget() -> None:
    """Asks the database again."""
    for names in _known.values():
        names.clear()


def _tags(row: Pending) -> list[Name]:
    project = row.event.project_id
    return [(project, key[:200], value[:200]) for key, value in row.event.tags.items()]


def _numbers(statements: Cursor, kind: str, wanted: Iterable[tuple[Name, Pending]]) -> Callable[[Name], int]:
    """The number of each name; those that are new are first seen when their event was received."""
    remembered = _known[kind]
    new = {name: row.event.received for name, row in wanted if name not in remembered}
    if not new:
        return remembered.__getitem__
    missing = sorted(new)
    fields = columns(missing, len(missing[0]))
    values: list[object] = [numbers(fields[0]), *(list(texts) for texts in fields[1:])]
    statements.execute(_INSERT[kind], [*values, numbers(new[name] for name in missing)])
    found = {missing[place - 1]: number for place, number in statements.execute(_SELECT[kind], values)}
    transaction.on_commit(partial(_remember, remembered, found))
    return lambda name: remembered.get(name) or found[name]


def _remember(names: dict[Name, int], found: dict[Name, int]) -> None:
    if len(names) + len(found) > REMEMBERED:
        for name in list(islice(names, REMEMBERED // 2)):
            del names[name]
    names.update(found)
