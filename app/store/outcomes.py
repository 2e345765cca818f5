"""The usage page's numbers: how many of what came to which end, per hour, project and key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from hashlib import blake2b

import msgspec

from app.base import clock
from app.event import Counted, Refused
from app.store.database import Cursor, array, arrays, columns, numbers, text
from app.store.pending import Pending

HOUR = 3_600_000_000  # µs
#: Quantities that are counted once per key, however often they are delivered.
Keyed = Sequence[tuple[str, list[Counted]]]
#: No single report counts for more.
LARGEST = 2**31
SECURITY = {"csp", "hpkp", "expectct", "expectstaple"}

_APPLY = f"""
insert into app_applied (day, key)
select d, k from unnest({arrays("date uuid")}) u(d, k) order by d, k on conflict do nothing returning key"""

_WRITE = f"""
insert into app_outcome as t (project_id, key_id, hour, category, outcome, reason, quantity)
select p, k, to_timestamp(h / 1e6), c, o, r, n
from unnest({arrays("bigint bigint bigint text text text bigint")})
     u(p, k, h, c, o, r, n)
on conflict (project_id, hour, category, outcome, reason, key_id)
do update set quantity = t.quantity + excluded.quantity"""


def accepted(rows: Iterable[Pending]) -> list[Counted]:
    """Events that are rows now."""
    return [_counted(row, "accepted", "") for row in rows]


def quarantined(refused: Iterable[Refused]) -> list[Counted]:
    """Events that were filed as unreadable."""
    return [
        Counted(one.project_id, one.key_id, one.category, "invalid", "quarantined", one.received, 1)
        for one in refused
    ]


def unkeyed(counted: Sequence[Counted]) -> list[tuple[str, list[Counted]]]:
    """Quantities without a key get one for each request, so that a redelivery does not add them again."""
    requests: dict[tuple[int, int, int], list[Counted]] = {}
    for one in counted:
        requests.setdefault((one.project_id, one.key_id, one.at), []).append(one)
    return [(_digest(ones), ones) for ones in requests.values()]


def ended(rows: Iterable[Pending], outcome: str, reason: str) -> list[tuple[str, list[Counted]]]:
    """Events that left no row of their own, keyed by their receipt."""
    return [
        (_digest([row.event.event_id, one]), [one])
        for row in rows
        for one in [_counted(row, outcome, reason)]
    ]


def days(keyed: Keyed) -> set[date]:
    """The partitions that the keys go to."""
    return {_day(ones) for _, ones in keyed if ones}


def apply(statements: Cursor, keyed: Keyed, projects: Collection[int]) -> list[Counted]:
    """The quantities of those keys that were never applied before, of projects that exist."""
    wanted = {key: ones for key, ones in keyed if ones}
    if not wanted:
        return []
    values = [array(_day(ones) for ones in wanted.values()), array(wanted)]
    fresh = [key.hex for (key,) in statements.execute(_APPLY, values)]
    return [one for key in fresh for one in wanted[key] if one.project_id in projects]


def write(statements: Cursor, counted: Iterable[Counted]) -> None:
    """Adds quantities, folded to one row per hour and end; the last thing a transaction does."""
    sums: Counter[tuple[int, int, str, str, str, int]] = Counter()
    for one in counted:
        category, outcome, reason = text(one.category, 24), text(one.outcome, 20), text(one.reason, 64)
        hour = one.at // HOUR * HOUR
        sums[one.project_id, hour, category, outcome, reason, one.key_id] += min(one.quantity, LARGEST)
    if not sums:
        return
    keys = sorted(sums)
    project, hours, *words, dsn_key = columns(keys, 6)
    values = [
        numbers(project),
        numbers(dsn_key),
        numbers(hours),
        *map(list, words),
        numbers(sums[key] for key in keys),
    ]
    statements.execute(_WRITE, values)


def _counted(row: Pending, outcome: str, reason: str) -> Counted:
    event = row.event
    category = "security" if event.kind in SECURITY else "error"
    return Counted(event.project_id, event.key_id, category, outcome, reason, event.received, 1)


def _digest(value: object) -> str:
    return blake2b(msgspec.json.encode(value), digest_size=16).hexdigest()


def _day(ones: list[Counted]) -> date:
    return clock.day_of(min(one.at for one in ones))
