"""The usage page's numbers: how many of what came to which end, per hour, project and key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import blake2b

import msgspec

from app.base import clock
from app.event import Counted, Refused
from app.item import Once
from app.normalize.quantities import of_event
from app.store.database import Cursor, array, arrays, text
from app.store.pending import Pending

HOUR = 3_600_000_000  # µs
#: No single report counts for more.
LARGEST = 2**31

_APPLY = f"""
insert into app_applied (day, key)
select d, k from unnest({arrays("date uuid")}) u(d, k) order by d, k on conflict do nothing returning key"""

#: (project, key, hour, category, outcome, reason): quantity.
Sums = Counter[tuple[int, int, int, str, str, str]]


def accepted(rows: Iterable[Pending]) -> Sums:
    """Events that are rows now."""
    return Sums(
        (event.project_id, event.key_id, event.received // HOUR * HOUR, of_event(event), "accepted", "")
        for event in [row.event for row in rows]
    )


def quarantined(refused: Iterable[Refused]) -> list[Counted]:
    """Events that were filed as unreadable."""
    return [
        Counted(one.project_id, one.key_id, one.category, "invalid", "quarantined", one.received, 1)
        for one in refused
    ]


def unkeyed(counted: Sequence[Counted]) -> list[Once]:
    """Quantities without a key get one for each request, so that a redelivery does not add them again."""
    requests: dict[tuple[int, int, int], list[Counted]] = {}
    for one in counted:
        requests.setdefault((one.project_id, one.key_id, one.at), []).append(one)
    return [Once(_digest(ones), ones) for ones in requests.values()]


def ended(rows: Iterable[Pending], outcome: str, reason: str) -> list[Once]:
    """Events that left no row of their own, keyed by their receipt."""
    return [
        Once(_digest([row.event.event_id, one]), [one])
        for row in rows
        for one in [_counted(row, outcome, reason)]
    ]


def days(onces: Iterable[Once]) -> set[date]:
    """The partitions that the keys and items go to."""
    return {_day(one) for one in onces if one.counts or one.items}


def apply(statements: Cursor, onces: Iterable[Once]) -> list[Once]:
    """Those whose keys were never applied before, and are from here on."""
    wanted = {one.key: one for one in onces if one.counts or one.items}
    if not wanted:
        return []
    values = [array(map(_day, wanted.values())), array(wanted)]
    return [wanted[key.hex] for (key,) in statements.execute(_APPLY, values)]


def summed(counted: Iterable[Counted]) -> Sums:
    """Quantities folded to one per hour and end."""
    sums = Sums()
    for one in counted:
        category, outcome, reason = text(one.category, 24), text(one.outcome, 20), text(one.reason, 64)
        hour = one.at // HOUR * HOUR
        sums[one.project_id, one.key_id, hour, category, outcome, reason] += min(one.quantity, LARGEST)
    return sums


def _counted(row: Pending, outcome: str, reason: str) -> Counted:
    event = row.event
    return Counted(event.project_id, event.key_id, of_event(event), outcome, reason, event.received, 1)


def _digest(value: object) -> str:
    return blake2b(msgspec.json.encode(value), digest_size=16).hexdigest()


def _day(once: Once) -> date:
    return clock.day_of(min([*(one.at for one in once.counts), *(one.received for one in once.items)]))
