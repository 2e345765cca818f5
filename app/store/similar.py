"""Issues that resemble one another, found by what their signatures share (app.grouping.similarity).

An issue is listed under its bands, and looked for under the same. What very many issues share (the bands of
a flood of near twins, or of a framework's frames) tells none of them from the others, and would make every
question read all of them: so a band that LISTED issues stand under takes no more. A question then reads at
most so many rows for each band, however many issues there are; those that came too late are found by their
other bands, and still find those that came first.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

import msgspec
from django.db import transaction

from app.base import clock
from app.base.zstandard import zstd
from app.grouping import similarity
from app.models import BodyDictionary, Issue, IssueSignature
from app.store import read
from app.store.database import Cursor, arrays, ask, columns, cursor, numbers

log = logging.getLogger(__name__)

#: Issues that a band lists; candidates whose signatures are compared; answers.
LISTED, COMPARED, BEST = 200, 500, 10
#: From here on two issues are called similar: unrelated ones that share half of their frames stay below 0.35.
LEAST = 0.5
#: How old an issue without a signature must be to be looked for: a task was queued for it when it was made.
OVERDUE = timedelta(minutes=1)
#: What one damaged event, or one of another time's form, raises: it must not stop the others.
UNREADABLE = (
    *(BodyDictionary.DoesNotExist, zstd.ZstdError, msgspec.MsgspecError),
    *(LookupError, TypeError, ValueError, AttributeError),
)

_FULL = f"""
select u.place from unnest({arrays("bigint bigint")}) with ordinality as u (issue_id, band, place)
where (select count(*) from (
    select from app_issuesignature s
    where s.bands @> array[u.band] and s.issue_id <> u.issue_id limit {LISTED}
) listed) = {LISTED}"""

#: An issue that is being deleted is waited for, and then not there. A newer version's signature stays.
_WRITE = f"""
with locked as materialized (
    select id, project_id from app_issue where id = any (%s::bigint[]) order by id for key share
)
insert into app_issuesignature (issue_id, project_id, version, signature, bands, updated)
select l.id, l.project_id, %s, u.signature, u.bands::bigint[], %s
from unnest({arrays("bigint bytea text")}) u (issue_id, signature, bands) join locked l on l.id = u.issue_id
order by l.id
on conflict (issue_id) do update set version = excluded.version, signature = excluded.signature,
    bands = excluded.bands, updated = excluded.updated
where app_issuesignature.version <= excluded.version"""

_MISSING = """
select i.id from app_issue i where i.created < %s and not exists (
    select from app_issuesignature s where s.issue_id = i.id and s.version >= %s
) order by i.id desc limit %s"""

_CANDIDATES = f"""
select s.issue_id, s.signature from (
    select f.issue_id from unnest(%(bands)s::bigint[]) u (band) cross join lateral (
        select issue_id from app_issuesignature where bands @> array[u.band] limit {LISTED * 2}
    ) f where f.issue_id <> %(issue)s
    group by f.issue_id order by count(*) desc, f.issue_id desc limit {COMPARED}
) shared join app_issuesignature s on s.issue_id = shared.issue_id
where s.version = %(version)s and s.project_id = %(project)s"""


def update(issue_ids: Sequence[int]) -> int:
    """Writes the signatures of these issues anew; how many are there now. What was deleted is passed over."""
    issues = Issue.objects.filter(pk__in=issue_ids).order_by("pk")
    return write([(issue, _signature(issue)) for issue in issues])


def write(signed: Sequence[tuple[Issue, bytes]]) -> int:
    """Keeps a signature for each issue, in place of the one before; how many were kept."""
    if not signed:
        return 0
    with transaction.atomic(), cursor() as statements:
        listed = _listed(
            statements, [(one.pk, similarity.bands(each, one.project_id)) for one, each in signed]
        )
        rows = [(one.pk, each, numbers(listed[one.pk])) for one, each in signed]
        values = [numbers(listed), similarity.VERSION, clock.now(), *map(list, columns(rows, 3))]
        return statements.execute(_WRITE, values).rowcount


def missing(most: int) -> list[int]:
    """Issues that have no signature of this version though they should, the newest first."""
    with cursor() as statements:
        found = statements.execute(_MISSING, [clock.now() - OVERDUE, similarity.VERSION, most])
        return [issue_id for (issue_id,) in found]


def similar(issue: Issue, projects: Iterable[int]) -> list[tuple[int, float]] | None:
    """The issues of its project that are most like it and how much (LEAST to 1), the most alike first.

    `projects` are those that may be seen; None as long as the issue has not been compared.
    """
    own = IssueSignature.objects.filter(issue=issue, project__in=projects, version=similarity.VERSION).first()
    if own is None:
        return None
    values = {
        "issue": issue.pk,
        "project": own.project_id,
        "version": similarity.VERSION,
        "bands": similarity.bands(bytes(own.signature), own.project_id),
    }
    found = [
        (issue_id, similarity.similarity(bytes(own.signature), bytes(signature)))
        for issue_id, signature in ask(_CANDIDATES, values)
    ]
    return sorted((one for one in found if one[1] >= LEAST), key=lambda one: (-one[1], -one[0]))[:BEST]


def _listed(statements: Cursor, wanted: list[tuple[int, list[int]]]) -> dict[int, list[int]]:
    """The bands that each issue is to stand under: those with room. Side by side, a few more get in."""
    pairs = [(issue_id, band) for issue_id, bands in wanted for band in bands]
    full = {place - 1 for (place,) in statements.execute(_FULL, [*map(numbers, columns(pairs, 2))])}
    listed: dict[int, list[int]] = {issue_id: [] for issue_id, _ in wanted}
    taken: Counter[int] = Counter()
    for place, (issue_id, band) in enumerate(pairs):
        taken[band] += 1
        if place not in full and taken[band] <= LISTED:
            listed[issue_id].append(band)
    return listed


def _signature(issue: Issue) -> bytes:
    """Of its latest event; of what the issue itself says, where none is kept or can be read."""
    try:
        event = read.latest(issue)
        if event is not None:
            return similarity.signature(event.data)
    except UNREADABLE:
        log.exception("The latest event of issue %s cannot be read; it is compared by its title", issue.pk)
    kind, value = issue.metadata.get("type"), issue.metadata.get("value")
    if kind:
        return similarity.signature({"exception": {"values": [{"type": kind, "value": value}]}})
    return similarity.signature({"logentry": {"formatted": issue.title}})
