"""How long transactions took, counted in histograms of hours.

A bucket is a fifth wider than the one before it, so that a percentile is told to about a tenth. What a group
adds is appended as a tally and summed up by `fold`, as sessions are (app.store.sessions).
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.base import clock
from app.store import folding
from app.store.database import Cursor, array, arrays, ask

HOUR = 3_600_000_000  # µs
#: Whoever folds holds this lock (first eight bytes of "tocsinspan", as a number).
LOCK = 0x746F6373696E7370
#: How much wider each bucket of durations is than the one before, and the last of them (about a day).
GROWTH, LAST = math.log(1.2), 138
#: Endpoints of one project and hour; what is beyond counts as one.
MOST_NAMES, OTHERS = 1000, "<others>"
#: Endpoints that are shown: those that took the most time.
MOST_ENDPOINTS = 500

_TALLY = "insert into app_spantally (moved, broken) values (%s, false)"


class Took(msgspec.Struct, frozen=True):
    """One transaction as it is counted."""

    project_id: int
    name: str
    op: str
    environment: str
    started: int  # µs
    duration: int  # µs
    has_failed: bool


def append(statements: Cursor, ones: Sequence[Took]) -> None:
    """Notes what these add: project, name, op, environment, hour, failed?, bucket, how many, their µs."""
    counts: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for one in ones:
        place = (one.project_id, one.name, one.op, one.environment, one.started // HOUR * HOUR)
        sums = counts[*place, one.has_failed, bucket(one.duration)]
        sums[0] += 1
        sums[1] += one.duration
    statements.execute(_TALLY, [json.dumps([[*key, *sums] for key, sums in counts.items()])])


def bucket(duration: int) -> int:
    """Of a duration in µs."""
    return min(int(math.log(duration) / GROWTH), LAST) if duration > 1 else 0


def middle(number: int) -> int:
    """The duration in µs that a bucket stands for."""
    return round(math.exp((number + 0.5) * GROWTH))


# -- counters ----------------------------------------------------------------------------------------------

_PROJECTS = "select id from app_project where id = any (%s::bigint[]) for key share"
_PRESENT = f"""
select t.project_id, t.name, t.op, t.environment, t.hour, t.count, t.failed, t.total, t.buckets, t.counts
from unnest({arrays("bigint text text text timestamptz")}) u (p, n, o, e, h)
join app_transactionhour t
  on t.project_id = u.p and t.hour = u.h and t.name = u.n and t.op = u.o and t.environment = u.e"""
_NAMES = """
select project_id, hour, count(*) from app_transactionhour
where project_id = any (%s::bigint[]) and hour = any (%s::timestamptz[]) group by 1, 2"""
_PUT = f"""
insert into app_transactionhour
    (project_id, name, op, environment, hour, count, failed, total, buckets, counts)
select p, n, o, e, h, c, f, t, b::smallint[], x::bigint[]
from unnest({arrays("bigint text text text timestamptz bigint bigint bigint text text")})
    u (p, n, o, e, h, c, f, t, b, x) order by p, h, n, o, e
on conflict (project_id, hour, name, op, environment) do update set
    count = excluded.count, failed = excluded.failed, total = excluded.total,
    buckets = excluded.buckets, counts = excluded.counts"""


class _Sum:
    """What is counted of one endpoint in one hour."""

    def __init__(self) -> None:
        self.count = self.failed = self.total = 0
        self.buckets: Counter[int] = Counter()


def fold() -> int:
    """Counts what waits, each transaction once; how many tallies that were."""
    return folding.fold("app_spantally", LOCK, _fold)


def _fold(statements: Cursor, most: int) -> int:
    taken = folding.take(statements, "app_spantally", most)
    rows = folding.rows(taken)
    known = {number for (number,) in statements.execute(_PROJECTS, [array({row[0] for row in rows})])}
    sums = _summed(row for row in rows if row[0] in known)
    if sums:
        _add_present(statements, sums)
        _put(statements, _bounded(statements, sums))
    return len(taken)


Key = tuple[int, str, str, str, Any]  # project, name, op, environment, hour


def _summed(rows: Iterable[list[Any]]) -> dict[Key, _Sum]:
    sums: dict[Key, _Sum] = defaultdict(_Sum)
    for project, name, op, environment, hour, failed, number, count, total in rows:
        one = sums[project, name, op, environment, clock.from_micros(hour)]
        one.count += count
        one.failed += count if failed else 0
        one.total += total
        one.buckets[number] += count
    return sums


def _add_present(statements: Cursor, sums: dict[Key, _Sum]) -> None:
    """What was counted before; nobody else writes it."""
    for *key, count, failed, total, buckets, counts in statements.execute(_PRESENT, _keys(sums)):
        one = sums[tuple(key)]
        one.count += count
        one.failed += failed
        one.total += total
        one.buckets.update(dict(zip(buckets, counts, strict=True)))


def _bounded(statements: Cursor, sums: dict[Key, _Sum]) -> dict[Key, _Sum]:
    """Endpoints beyond the most of an hour count as one: names that vary would fill the table."""
    asked = [array({key[0] for key in sums}), list({key[4] for key in sums})]
    present = {(project, hour): count for project, hour, count in statements.execute(_NAMES, asked)}
    if max(present.values(), default=0) + len(sums) <= MOST_NAMES:
        return sums
    known = {tuple(row[:5]) for row in statements.execute(_PRESENT, _keys(sums))}
    bounded: dict[Key, _Sum] = {}
    beyond: dict[Key, _Sum] = defaultdict(_Sum)
    for key, one in sums.items():
        place = (key[0], key[4])
        if key in known or present.get(place, 0) < MOST_NAMES:
            present[place] = present.get(place, 0) + (key not in known)
            bounded[key] = one
        else:
            others = beyond[key[0], OTHERS, "", key[3], key[4]]
            others.count += one.count
            others.failed += one.failed
            others.total += one.total
            others.buckets.update(one.buckets)
    if beyond:
        _add_present(statements, beyond)
    return bounded | beyond


def _keys(sums: dict[Key, _Sum]) -> list[Any]:
    return [
        array(key[0] for key in sums),
        *([key[place] for key in sums] for place in (1, 2, 3)),
        [key[4] for key in sums],
    ]


def _put(statements: Cursor, sums: dict[Key, _Sum]) -> None:
    ones = list(sums.values())
    ordered = [sorted(one.buckets.items()) for one in ones]
    statements.execute(
        _PUT,
        [
            *_keys(sums),
            array(one.count for one in ones),
            array(one.failed for one in ones),
            array(one.total for one in ones),
            [array(number for number, _ in pairs) for pairs in ordered],
            [array(count for _, count in pairs) for pairs in ordered],
        ],
    )


# -- what the pages ask for --------------------------------------------------------------------------------

_CHOSEN = """
where t.project_id = any (%(projects)s) and t.hour >= %(since)s
  and (%(environment)s::text is null or t.environment = %(environment)s)
  and (%(name)s::text is null or t.name = %(name)s) and (%(op)s::text is null or t.op = %(op)s)
  and (%(words)s::text is null or t.name ilike %(words)s)"""
_ENDPOINTS = f"""
select t.project_id, t.name, t.op, sum(t.count)::bigint, sum(t.failed)::bigint, sum(t.total)::bigint
from app_transactionhour t {_CHOSEN} group by 1, 2, 3 order by 6 desc limit {MOST_ENDPOINTS}"""
_HISTOGRAMS = f"""
select t.project_id, t.name, t.op, b, sum(c)::bigint
from app_transactionhour t cross join lateral unnest(t.buckets, t.counts) as u (b, c) {_CHOSEN}
group by 1, 2, 3, 4"""
_STEPS = f"""
select date_bin(%(step)s, t.hour, %(since)s), b, sum(c)::bigint
from app_transactionhour t cross join lateral unnest(t.buckets, t.counts) as u (b, c) {_CHOSEN}
group by 1, 2"""


class Asked(msgspec.Struct, kw_only=True):
    """Which transactions, since when (the beginning of an hour). None is any."""

    projects: list[int]
    since: datetime
    environment: str | None = None
    name: str | None = None
    op: str | None = None
    words: str | None = None  # in the name


class Endpoint(msgspec.Struct):
    """Transactions of one name."""

    project_id: int
    name: str
    op: str
    count: int
    failed: int
    total: int  # µs
    histogram: dict[int, int] = {}

    def percentile(self, part: float) -> int | None:
        return percentile(self.histogram, part)


def percentile(histogram: dict[int, int], part: float) -> int | None:
    """The duration in µs below which this part of all lies; None of nothing."""
    rank = part * sum(histogram.values())
    seen = 0
    for number in sorted(histogram):
        seen += histogram[number]
        if seen >= rank:
            return middle(number)
    return None


def endpoints(asked: Asked) -> list[Endpoint]:
    """Those that took the most time in all, with their histograms; two statements."""
    found = {tuple(row[:3]): Endpoint(*row) for row in _rows(_ENDPOINTS, asked)}
    for *key, number, count in _rows(_HISTOGRAMS, asked) if found else ():
        if endpoint := found.get(tuple(key)):
            endpoint.histogram = {**endpoint.histogram, number: count}
    return list(found.values())


def steps(asked: Asked, step: timedelta, number: int) -> list[dict[int, int]]:
    """A histogram for each step of the time asked for, oldest first."""
    found: list[dict[int, int]] = [{} for _ in range(number)]
    for at, bucket_, count in _rows(_STEPS, asked, step=step):
        place = int((at - asked.since) / step)
        if 0 <= place < number:
            found[place][bucket_] = count
    return found


def _rows(sql: str, asked: Asked, **more: Any) -> list[tuple[Any, ...]]:
    return ask(sql, {**msgspec.structs.asdict(asked), **more})
