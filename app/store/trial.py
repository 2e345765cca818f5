"""Other rules, tried on the events that a project has: see app.grouping.trial."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from app import options
from app.base import clock
from app.grouping import grouped
from app.grouping.configs import Config, config
from app.grouping.trial import Row, Trial, compare
from app.models import BodyDictionary
from app.store import bodies
from app.store.database import Cursor, array, cursor, numbers
from app.store.issues import attach
from app.store.read import kept_days

Tag = tuple[str, str]

#: Events that are looked at: of a try, and before rules are saved.
MOST, BEFORE_SAVING = 10_000, 2_000

_NEWEST = """
select e.event_id, e.received, e.issue_id, e.dictionary, e.body, e.tags from app_event e
where e.project_id = %s and e.day between %s and %s order by e.received desc limit %s"""
_TAGS = "select id, key, value from app_tagvalue where id = any (%s::bigint[])"
_KNOWN = """
select u.hash::text, h.issue_id from unnest(%s::uuid[]) u (hash)
join app_issuehash h on h.project_id = %s and h.hash = u.hash and h.state = 'active'
where h.issue_id is not null"""


class Chosen(NamedTuple):
    """What decides."""

    config: str
    stack_rules: str
    fingerprint_rules: str

    @classmethod
    def of(cls, found: options.Grouping) -> Chosen:
        return cls(found.config, found.stack_rules, found.fingerprint_rules)


def attempt(project_id: int, chosen: Chosen, most: int = MOST) -> Trial:
    """What would become of the project's newest events. Reads only."""
    with cursor() as statements:
        rows = list(_rows(statements, project_id, chosen, most))
        known = _known(statements, project_id, {one for _, hashes in rows for one in hashes})
    return compare(rows, known)


class Kept(NamedTuple):
    """A stored event as far as it is needed to group it again."""

    event_id: UUID
    received: datetime
    issue_id: int
    dictionary: int | None
    body: bytes
    tags: list[int]


def _rows(statements: Cursor, project_id: int, chosen: Chosen, most: int) -> Iterator[Row]:
    decides = config(*chosen)
    newest, oldest = kept_days()
    found = [Kept(*row) for row in statements.execute(_NEWEST, [project_id, oldest, newest, most])]
    named = tags_of(statements, {tag for kept in found for tag in kept.tags})
    for kept in found:
        if hashes := hashes_by(decides, kept, named):
            yield kept.issue_id, tuple(hashes)


def hashes_by(decides: Config, kept: Kept, named: dict[int, Tag]) -> list[str]:
    """The hashes of a stored event by another configuration; none of one that cannot be read any more."""
    received = clock.to_micros(kept.received)
    try:
        event, _ = bodies.to_group(kept.dictionary, kept.body, kept.event_id.hex, received)
    except (BodyDictionary.DoesNotExist, ValueError):
        return []
    event.tags = {**dict(named[one] for one in kept.tags if one in named), **event.tags}
    return grouped(event, decides).grouping.hashes


def tags_of(statements: Cursor, ids: set[int]) -> dict[int, Tag]:
    """Keys and values of tags, by their numbers."""
    found = statements.execute(_TAGS, [numbers(sorted(ids))]).fetchall()
    return {number: (key, value) for number, key, value in found}


def _known(statements: Cursor, project_id: int, hashes: set[str]) -> dict[str, int]:
    found = statements.execute(_KNOWN, [array(hashes), project_id]).fetchall()
    return {one.replace("-", ""): issue_id for one, issue_id in found}


def carry_over(project_id: int, chosen: Chosen, most: int = BEFORE_SAVING) -> Trial:
    """Before other rules hold: issues get the hashes they go on under, so that none begins again."""
    trial = attempt(project_id, chosen, most)
    attach(project_id, trial.carried, config(*chosen).name)
    return trial
