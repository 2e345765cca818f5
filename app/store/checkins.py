"""What jobs say of their runs."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec
from django.db import connection

from app.base import clock
from app.item import CheckIn
from app.models import CheckIn as Run
from app.store.database import Cursor, array, arrays, numbers

#: Monitors of one project; check-ins for more are dropped: a job that names itself anew at every run.
MOST = 1000
_MONITORS = f"""
insert into app_monitor as t (project_id, slug, name, schedule, created)
select p, s, s, c::jsonb, now() from unnest({arrays("bigint text text")}) u (p, s, c)
where exists (select from app_monitor m where m.project_id = p and m.slug = s)
   or (select count(*) from app_monitor m where m.project_id = p) < {MOST}
order by p, s
on conflict (project_id, slug) do update set schedule = excluded.schedule
where excluded.schedule is not null and t.schedule is distinct from excluded.schedule"""
_IDS = f"""
select m.project_id, m.slug, m.id from unnest({arrays("bigint text")}) u (p, s)
join app_monitor m on m.project_id = u.p and m.slug = u.s"""
_OPEN = f"""
select u.place, c.check_in_id from unnest({arrays("bigint text")}) with ordinality as u (m, e, place)
cross join lateral (
    select check_in_id from app_checkin
    where monitor_id = u.m and environment = u.e and status = 'in_progress' order by started desc limit 1
) c"""
_CHECK_INS = f"""
insert into app_checkin as t
    (monitor_id, check_in_id, environment, status, started, finished, duration, release, trace_id)
select * from unnest({arrays("bigint uuid text text timestamptz timestamptz bigint text uuid")})
    u (m, i, e, s, b, f, d, r, x) order by m, i
on conflict (monitor_id, check_in_id) do update set
    status = excluded.status, finished = excluded.finished,
    duration = coalesce(excluded.duration, extract(epoch from excluded.finished - t.started) * 1000)
where t.status = 'in_progress' and excluded.status <> 'in_progress'"""


def write(statements: Cursor, found: list[CheckIn]) -> None:
    """Four statements for all check-ins of a group, in the order they came."""
    found = sorted(found, key=attrgetter("received"))
    schedules: dict[tuple[int, str], str | None] = {}
    for one in found:
        told = msgspec.json.encode(one.schedule).decode() if one.schedule else None
        schedules[one.project_id, one.slug] = told or schedules.get((one.project_id, one.slug))
    keys = sorted(schedules)
    columns = [numbers(project for project, _ in keys), [slug for _, slug in keys]]
    statements.execute(_MONITORS, [*columns, [schedules[key] for key in keys]])
    monitors = {(project, slug): number for project, slug, number in statements.execute(_IDS, columns)}
    kept = [one for one in found if (one.project_id, one.slug) in monitors]
    runs = _runs(statements, kept, [monitors[one.project_id, one.slug] for one in kept])
    if runs:
        statements.execute(_CHECK_INS, _columns(runs))


class _Run:
    """What a group says of one run."""

    def __init__(self, monitor: int, check_in_id: str, one: CheckIn) -> None:
        self.monitor, self.check_in_id, self.first = monitor, check_in_id, one
        self.status, self.duration = one.status, one.duration
        self.started = clock.from_micros(one.received)
        self.finished: datetime | None = None
        if one.status != "in_progress":
            self.finish(one)
            self.started -= timedelta(milliseconds=one.duration or 0)

    def finish(self, one: CheckIn) -> None:
        """What is finished does not change."""
        if self.finished is None and one.status != "in_progress":
            self.finished = clock.from_micros(one.received)
            self.status, self.duration = one.status, one.duration
            if self.duration is None and self.first is not one:
                self.duration = round((self.finished - self.started).total_seconds() * 1000)


def _runs(statements: Cursor, found: list[CheckIn], monitors: list[int]) -> list[_Run]:
    """Each run once; who names none means the newest of its monitor that is in progress, or a new one."""
    nameless = [place for place, one in enumerate(found) if not one.check_in_id]
    asked = [numbers(monitors[place] for place in nameless), [found[place].environment for place in nameless]]
    rows = statements.execute(_OPEN, asked).fetchall() if nameless else []
    stored = {nameless[number - 1]: check_in_id.hex for number, check_in_id in rows}
    runs: dict[tuple[int, str], _Run] = {}
    unfinished: dict[tuple[int, str], str] = {}
    for place, (one, monitor) in enumerate(zip(found, monitors, strict=True)):
        where = (monitor, one.environment)
        named = one.check_in_id or unfinished.get(where) or stored.get(place) or uuid.uuid4().hex
        if one.status == "in_progress":
            unfinished[where] = named
        elif unfinished.get(where) == named:
            del unfinished[where]
        if (run := runs.get((monitor, named))) is None:
            runs[monitor, named] = _Run(monitor, named, one)
        else:
            run.finish(one)
    return list(runs.values())


def _columns(runs: list[_Run]) -> list[Any]:
    return [
        numbers(run.monitor for run in runs),
        array(run.check_in_id for run in runs),
        [run.first.environment for run in runs],
        [run.status for run in runs],
        [run.started for run in runs],
        [run.finished for run in runs],
        array(run.duration for run in runs),
        [run.first.release for run in runs],
        array(run.first.trace_id or None for run in runs),
    ]


#: The environments of a monitor are found from one to the next, however many runs each of them has.
_NEWEST = """
with recursive met as (
    select m, (select min(environment) from app_checkin where monitor_id = m) as e from unnest(%s::bigint[]) m
    union all
    select m, (select min(environment) from app_checkin where monitor_id = m and environment > e)
    from met where e is not null
)
select c.id from met cross join lateral (
    select id from app_checkin where monitor_id = m and environment = e order by started desc limit %s
) c"""


def newest(monitors: list[int], limit: int) -> list[Run]:
    """The latest runs of each of these in each environment, oldest first; two statements."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [monitors, limit])
        ids = [number for (number,) in cursor.fetchall()]
    return list(Run.objects.filter(pk__in=ids).order_by("started", "pk"))


def expire(before: datetime) -> int:
    """Forgets what began before that; how many check-ins that were."""
    with connection.cursor() as cursor:
        cursor.execute("delete from app_checkin where started < %s", [before])
        return int(cursor.rowcount)
