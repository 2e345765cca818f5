"""How releases fare: sessions and users, how many met no crash, and who uses what; a statement each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.item import ENDINGS
from app.store.database import ask

#: Project and release, by their numbers.
Where = tuple[int, int]


class Health(msgspec.Struct, frozen=True):
    """Of a release in a project, or of several together."""

    healthy: int = 0
    errored: int = 0
    unhandled: int = 0
    abnormal: int = 0
    crashed: int = 0
    users: int = 0
    crashed_users: int = 0

    @property
    def sessions(self) -> int:
        return self.healthy + self.errored + self.unhandled + self.abnormal + self.crashed

    @property
    def crash_free_sessions(self) -> float | None:
        """1 is all of them; None when there were none."""
        return 1 - self.crashed / self.sessions if self.sessions else None

    @property
    def crash_free_users(self) -> float | None:
        return 1 - self.crashed_users / self.users if self.users else None


_SUMS = ", ".join(f"sum(h.{name})::bigint" for name in ENDINGS)
_TOTAL = " + ".join(ENDINGS)
_SESSIONS = f"""
select h.project_id, h.release_id, {_SUMS} from app_releasehealth h
where h.project_id = any (%(projects)s) and h.release_id = any (%(releases)s) and h.hour >= %(since)s
  and (%(environment)s::text is null or h.environment = %(environment)s)
group by 1, 2"""
_USERS = """
select met.project_id, met.id, count(*), count(*) filter (where met.worst = 4)
from (
    select u.project_id, r.id, u.user_hash, max(u.ending) as worst
    from app_release r join app_project p on p.organization_id = r.organization_id
    join app_sessionuser u on u.project_id = p.id and u.release = r.version
    where r.id = any (%(releases)s) and p.id = any (%(projects)s) and u.day >= %(first)s
      and (%(environment)s::text is null or u.environment = %(environment)s)
    group by 1, 2, 3
) met group by 1, 2"""
_ALL = f"""
select h.project_id, sum({_TOTAL})::bigint from app_releasehealth h
where h.project_id = any (%(projects)s) and h.hour >= %(since)s
  and (%(environment)s::text is null or h.environment = %(environment)s)
group by 1"""
_LINES = f"""
select h.project_id, h.release_id, date_bin(%(step)s, h.hour, %(since)s),
       sum({_TOTAL})::bigint, sum(h.crashed)::bigint
from app_releasehealth h
where h.project_id = any (%(projects)s) and h.release_id = any (%(releases)s) and h.hour >= %(since)s
  and (%(environment)s::text is null or h.environment = %(environment)s)
group by 1, 2, 3"""


class Asked(msgspec.Struct, kw_only=True):
    """Which releases, since when (the beginning of an hour), in which environment (None: in all)."""

    projects: list[int]
    releases: list[int]
    since: datetime
    environment: str | None = None


def of(asked: Asked) -> dict[Where, Health]:
    """By project and release; two statements. Users are counted by whole days."""
    sessions = {(row[0], row[1]): row[2:] for row in _rows(_SESSIONS, asked)}
    users = {(row[0], row[1]): row[2:] for row in _rows(_USERS, asked)}
    none = (0,) * len(ENDINGS)
    return {
        where: Health(*sessions.get(where, none), *users.get(where, (0, 0)))
        for where in sessions.keys() | users.keys()
    }


def sessions_of(asked: Asked) -> dict[int, int]:
    """All sessions of each project, whatever their release: what adoption is a share of."""
    return dict(_rows(_ALL, asked))


def lines(asked: Asked, step: timedelta, number: int) -> dict[Where, list[tuple[int, int]]]:
    """Sessions and crashed ones in each step of the time asked for, oldest first."""
    found: dict[Where, list[tuple[int, int]]] = {}
    for project, release, at, sessions, crashed in _rows(_LINES, asked, step=step):
        place = int((at - asked.since) / step)
        if 0 <= place < number:
            found.setdefault((project, release), [(0, 0)] * number)[place] = (sessions, crashed)
    return found


def _rows(sql: str, asked: Asked, **more: Any) -> list[tuple[Any, ...]]:
    return ask(sql, {**msgspec.structs.asdict(asked), "first": asked.since.date(), **more})
