"""Another event of the same issue as the dictionary of a body, which then needs but what is different.

Events of an issue share their frames, lines and most of what surrounds them: 22 KB of JSON become 0.7 KB
this way, where a dictionary trained for their platform makes 2.2 KB of them. The base is a row of its own,
made when a process has met a grouping hash a few times. It is used for some days and then replaced by a newer
one, so that one which is older than that and the retention of events together is named by no event any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from app.base import clock
from app.base.zstandard import zstd
from app.event import Event
from app.models import BodyDictionary
from app.store.database import array, arrays, cursor, numbers

#: Events of a hash that a process meets before it makes a base.
ENOUGH = 3
#: Bytes of a body that is worth being one, and of all that a process remembers.
SMALLEST, LARGEST, REMEMBERED = 1024, 256 * 1024, 24 * 1024 * 1024
MOST_MET = 50_000
#: What two events have in common is long: not to look for less makes bodies a sixth smaller, no slower.
_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 1,
    zstd.CompressionParameter.min_match: 7,
}
#: How long new bodies use a base, and how much longer than the events it is kept.
USED, SLACK = timedelta(days=7), timedelta(days=3)

_LOOK = f"""
select distinct on (u.place) u.place, d.id, d.content, (extract(epoch from d.created) * 1000000)::bigint
from unnest({arrays("bigint uuid")}) with ordinality as u (project_id, hash, place)
join app_bodydictionary d on d.project_id = u.project_id and d.hash = u.hash
where d.created > %s order by u.place, d.version desc"""

_MAKE = f"""
insert into app_bodydictionary (family, project_id, hash, version, content, created)
select '', u.project_id, u.hash, 1 + coalesce((
        select max(version) from app_bodydictionary d where d.project_id = u.project_id and d.hash = u.hash
    ), 0), u.content, %s
from unnest({arrays("bigint uuid bytea")}) as u (project_id, hash, content)
join app_project p on p.id = u.project_id
where not exists (
    select from app_bodydictionary d where d.project_id = u.project_id and d.hash = u.hash and d.created > %s
)
order by u.project_id, u.hash on conflict do nothing"""

#: A trained one is in use until there is a newer one, however long that takes.
_EXPIRE = """
delete from app_bodydictionary d where case when d.project_id is not null then d.created < %s else exists (
    select from app_bodydictionary newer where newer.project_id is null and newer.family = d.family
    and newer.version > d.version and newer.created < %s
) end"""

Key = tuple[int, str]  # project, grouping hash


class Base(NamedTuple):
    number: int
    content: zstd.ZstdDict
    until: int  # µs; no body is compressed with it after that


_known: dict[Key, Base] = {}
_met: Counter[Key] = Counter()  # of hashes without a base, since they were looked up


def of(events: Sequence[Event], bodies: Sequence[bytes]) -> list[Base | None]:
    """The base of each event, if it has one; those that are due are made, of these very bodies."""
    keys = [key(event) for event in events]
    now = clock.micros()
    for one in set(keys) & _known.keys():
        if one and _known[one].until < now:
            del _known[one]
    unknown = {one for one in keys if one and one not in _known}
    if new := sorted(unknown - _met.keys()):
        _look_up(new)
    _met.update(one for one in keys if one in unknown)
    due = {
        one: body
        for one, body in zip(keys, bodies, strict=True)
        if one in unknown and one not in _known and _met[one] >= ENOUGH and SMALLEST <= len(body) <= LARGEST
    }
    if due:
        _make(due)
    return [_known.get(one) if one else None for one in keys]


def key(event: Event) -> Key | None:
    """What an issue's events have in common before it is known which issue that is."""
    return (event.project_id, event.grouping.hashes[0]) if event.grouping and event.grouping.hashes else None


def compress(body: bytes, base: Base) -> bytes:
    """With a compressor of its own: one kept for each base would be a third faster, and take 130 KB each."""
    return zstd.compress(body, options=_OPTIONS, zstd_dict=base.content.as_prefix)


def content(row: BodyDictionary) -> zstd.ZstdDict:
    """What a base consists of."""
    return zstd.ZstdDict(zstd.decompress(bytes(row.content)), is_raw=True)


def expire() -> int:
    """Deletes the bases and the dictionaries that no event can name any more; how many."""
    before = clock.now() - timedelta(days=settings.RETENTION_DAYS) - SLACK
    with cursor() as statements:
        return statements.execute(_EXPIRE, [before - USED, before]).rowcount


def forget() -> None:
    """Asks the database again."""
    _known.clear()
    _met.clear()


def _look_up(keys: Sequence[Key]) -> None:
    values = [numbers(project for project, _ in keys), array(one for _, one in keys)]
    with cursor() as statements:
        rows = statements.execute(_LOOK, [*values, clock.now() - USED]).fetchall()
    lasts = USED // timedelta(microseconds=1)
    found = {
        keys[place - 1]: Base(number, zstd.ZstdDict(zstd.decompress(packed), is_raw=True), created + lasts)
        for place, number, packed, created in rows
    }
    # In a transaction that may still be rolled back nobody uses what it made.
    transaction.on_commit(partial(_remember, found))


def _make(due: dict[Key, bytes]) -> None:
    """Another process may have been faster; then its base is ours."""
    keys = sorted(due)
    values = [numbers(project for project, _ in keys), array(one for _, one in keys)]
    packed = [zstd.compress(due[one], 3) for one in keys]
    with cursor() as statements:
        statements.execute(_MAKE, [clock.now(), *values, packed, clock.now() - USED])
    _look_up(keys)


def _remember(found: dict[Key, Base]) -> None:
    _known.update(found)
    for one in found:
        _met.pop(one, None)
    if len(_met) > MOST_MET:
        _met.clear()
    if sum(len(base.content.dict_content) for base in _known.values()) > REMEMBERED:
        for one in list(islice(_known, len(_known) // 2)):
            del _known[one]
