"""Sessions, and the health of releases that is counted from them.

A session is a row until nobody can update it any more; what a later update changes is the difference of
two rows, so that updates may come in any order and more than once. Differences are appended where nobody
waits for anybody, and `fold` sums them up into the counters of hours (as in app.store.counters).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from app.base import clock
from app.item import ENDINGS, Item, Session, Sessions
from app.store import folding
from app.store.database import Cursor, array, arrays, numbers
from app.store.pending import user_hash

HOUR = 3_600_000_000  # µs
#: Whoever folds holds this lock (first eight bytes of "tocsinheal", as a number).
LOCK = 0x746F6373696E6865

#: project, release, environment, hour in µs: how many sessions there are, and how many of them ended badly.
Moved = Counter[tuple[int, str, str, int, int]]

_KEY = "day, project_id, sid"
_MEET = f"""
insert into app_session ({_KEY}, started, release, environment, is_counted, ending)
select d, p, s, to_timestamp(a / 1e6), r, e, false, 0
from unnest({arrays("date bigint uuid bigint text text")}) u (d, p, s, a, r, e) order by d, p, s
on conflict ({_KEY}) do nothing"""
_LOCK = f"""
select t.day, t.project_id, t.sid, t.started, t.release, t.environment, t.is_counted, t.ending
from unnest({arrays("date bigint uuid")}) u (d, p, s)
join app_session t on t.day = u.d and t.project_id = u.p and t.sid = u.s
order by t.day, t.project_id, t.sid for no key update of t"""
_CHANGE = f"""
update app_session t set is_counted = u.c, ending = u.e
from unnest({arrays("date bigint uuid boolean smallint")}) u (d, p, s, c, e)
where t.day = u.d and t.project_id = u.p and t.sid = u.s"""
_USERS = f"""
insert into app_sessionuser as t (day, project_id, release, environment, user_hash, ending)
select d, p, r, e, h, w from unnest({arrays("date bigint text text bigint smallint")}) u (d, p, r, e, h, w)
order by d, p, r, e, h
on conflict (day, project_id, release, environment, user_hash)
do update set ending = excluded.ending where excluded.ending > t.ending"""
_TALLY = "insert into app_sessiontally (moved, broken) values (%s, false)"


def write(statements: Cursor, found: list[Item]) -> None:
    """Keeps both kinds; a fixed number of statements."""
    moved = Moved()
    users: dict[tuple[Any, ...], int] = {}
    updates: dict[tuple[Any, ...], Session] = {}
    for one in found:
        if isinstance(one, Sessions):
            _add(moved, one, one.counts)
            worst = max((ending for ending, count in enumerate(one.counts) if count), default=0)
            _meet(users, one, worst)
        elif isinstance(one, Session):
            _meet(users, one, one.ending)
            if one.sid:
                key = (clock.day_of(one.started), one.project_id, one.sid)
                updates[key] = _merged(updates[key], one) if key in updates else one
            elif one.is_first:
                _add(moved, one, [int(ending == one.ending) for ending in range(len(ENDINGS))])
    if updates:
        _update(statements, dict(sorted(updates.items())), moved)
    if users:
        rows = sorted(users)
        statements.execute(_USERS, [*_columns(rows, (0, 1)), *_texts(rows, (2, 3)), *_columns(rows, (4,)),
                                    numbers(users[row] for row in rows)])  # fmt: skip
    if any(moved.values()):
        statements.execute(_TALLY, [json.dumps([[*key, count] for key, count in moved.items() if count])])


def _merged(one: Session, other: Session) -> Session:
    one.is_first = one.is_first or other.is_first
    one.ending = max(one.ending, other.ending)
    return one


def _meet(users: dict[tuple[Any, ...], int], one: Session | Sessions, ending: int) -> None:
    hashed = user_hash(one.user)
    if hashed is not None:
        key = (clock.day_of(one.started), one.project_id, one.release, one.environment, hashed)
        users[key] = max(users.get(key, 0), ending)


def _add(moved: Moved, one: Session | Sessions, counts: Iterable[int]) -> None:
    for ending, count in enumerate(counts):
        moved[one.project_id, one.release, one.environment, one.started // HOUR * HOUR, ending] += count


def _update(statements: Cursor, updates: dict[tuple[Any, ...], Session], moved: Moved) -> None:
    """Each session counts as the worst that was said of it, once its first update is there."""
    keys, told = list(updates), list(updates.values())
    statements.execute(
        _MEET,
        [
            *_columns(keys, (0, 1, 2)),
            numbers(one.started for one in told),
            [one.release for one in told],
            [one.environment for one in told],
        ],
    )
    changed = []
    for day, project, sid, started, release, environment, was_counted, before in statements.execute(
        _LOCK, _columns(keys, (0, 1, 2))
    ):
        one = updates[day, project, sid.hex]
        is_counted, after = was_counted or one.is_first, max(before, one.ending)
        if (is_counted, after) == (was_counted, before):
            continue
        changed.append((day, project, sid, is_counted, after))
        place = (project, release, environment, clock.to_micros(started) // HOUR * HOUR)
        if was_counted:
            moved[*place, before] -= 1
        if is_counted:
            moved[*place, after] += 1
    if changed:
        statements.execute(_CHANGE, _columns(changed, (0, 1, 2, 3, 4)))


def _columns(rows: list[Any], places: Iterable[int]) -> list[str]:
    return [array(row[place] for row in rows) for place in places]


def _texts(rows: list[Any], places: Iterable[int]) -> list[list[str]]:
    return [[row[place] for row in rows] for place in places]


# -- counters ----------------------------------------------------------------------------------------------

#: Sessions are counted by the hour: when one was seen is the hour's end, or now while the hour goes on.
_WHEN = "least(to_timestamp({}(h) / 1e6) + interval '1 hour', now())"
_RELEASES = f"""
insert into app_release (organization_id, version, created)
select organization_id, r, {_WHEN.format("min")}
from unnest({arrays("bigint text bigint")}) u (p, r, h) join app_project on app_project.id = p
group by 1, 2 order by 1, 2 on conflict do nothing"""
_SEEN = f"""
insert into app_releaseproject as t (release_id, project_id, first_seen, last_seen, events, new_issues)
select r.id, p, {_WHEN.format("min")}, {_WHEN.format("max")}, 0, 0
from unnest({arrays("bigint text bigint")}) u (p, v, h) join app_project on app_project.id = p
join app_release r on r.organization_id = app_project.organization_id and r.version = v
group by 1, 2 order by 1, 2
on conflict (release_id, project_id) do update set
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen)"""
_HEALTH = f"""
insert into app_releasehealth as t (project_id, release_id, environment, hour, {", ".join(ENDINGS)})
select p, r.id, e, to_timestamp(h / 1e6), {", ".join(f"n{place}" for place in range(len(ENDINGS)))}
from unnest({arrays("bigint text text bigint" + " bigint" * len(ENDINGS))})
    u (p, v, e, h, {", ".join(f"n{place}" for place in range(len(ENDINGS)))})
join app_project on app_project.id = p
join app_release r on r.organization_id = app_project.organization_id and r.version = v
order by p, r.id, e, h
on conflict (project_id, release_id, environment, hour)
do update set {", ".join(f"{name} = t.{name} + excluded.{name}" for name in ENDINGS)}"""


def fold() -> int:
    """Counts what waits, each difference once; how many tallies that were."""
    return folding.fold("app_sessiontally", LOCK, _fold)


def _fold(statements: Cursor, most: int) -> int:
    taken = folding.take(statements, "app_sessiontally", most)
    sums: dict[tuple[Any, ...], list[int]] = {}
    for project, release, environment, hour, ending, count in folding.rows(taken):
        counts = sums.setdefault((project, release, environment, hour), [0] * len(ENDINGS))
        counts[ending] += count
    if sums:
        _count(statements, sorted(sums.items()))
    return len(taken)


def _count(statements: Cursor, sums: list[tuple[tuple[Any, ...], list[int]]]) -> None:
    keys = [key for key, _ in sums]
    (projects, hours), (releases, environments) = _columns(keys, (0, 3)), _texts(keys, (1, 2))
    for sql in (_RELEASES, _SEEN):
        statements.execute(sql, [projects, releases, hours])
    counts = _columns([counts for _, counts in sums], range(len(ENDINGS)))
    statements.execute(_HEALTH, [projects, releases, environments, hours, *counts])
