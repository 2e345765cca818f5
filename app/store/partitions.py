"""The days events live in: made ahead of time, made on demand for a late receipt, dropped whole."""

from __future__ import annotations

import re
from datetime import date, timedelta

import msgspec
from django.conf import settings
from django.db import OperationalError, connection, transaction

from app.store.database import sqlstate

TABLES = (
    "app_event", "app_applied", "app_attachment", "app_log", "app_session", "app_sessionuser",
    "app_transaction", "app_span",
)  # fmt: skip
#: Days after which a table's are dropped where that is sooner than RETENTION_DAYS: nobody updates them then.
SOONER = {"app_session": 7}
#: Columns that are compressed already, or shall not be.
EXTERNAL = {"app_event": "body", "app_attachment": "content", "app_transaction": "body"}
AHEAD = 7  # days
#: Serialises everyone who makes or drops days (first eight bytes of "tocsinday", as a number).
LOCK = 0x746F6373696E6461
#: A body stays in its row up to this size; it is compressed already, so PostgreSQL shall not try again.
INLINE = 8160
LOCK_NOT_AVAILABLE = "55P03"
_NAME = re.compile(rf"^({'|'.join(TABLES)})_(\d{{4}})(\d\d)(\d\d)$")


class Rotated(msgspec.Struct, frozen=True):
    """Names of the partitions one rotation made, dropped, and could not drop yet because they were in use."""

    created: list[str]
    dropped: list[str]
    busy: list[str]


def rotate(today: date) -> Rotated:
    """Makes the days from yesterday to a week ahead, drops those older than RETENTION_DAYS."""
    created = create([today + timedelta(days=ahead) for ahead in range(-1, AHEAD + 1)])
    expired = [name for name, day in _existing().items() if day < today - timedelta(days=_kept_days(name))]
    busy = [name for name in sorted(expired) if not _drop(name)]
    return Rotated(created, [name for name in sorted(expired) if name not in busy], busy)


def _kept_days(name: str) -> int:
    chosen: int = settings.RETENTION_DAYS
    return min(chosen, SOONER.get(name.rpartition("_")[0], chosen))


def create(days: list[date]) -> list[str]:
    """Makes sure that these days exist; the names of the partitions that did not."""
    wanted = {_name(table, day): (table, day) for day in days for table in TABLES}
    if not wanted.keys() - _existing().keys():
        return []
    with transaction.atomic():
        _lock()
        missing = sorted(wanted.keys() - _existing().keys())
        for name in missing:
            _create(name, *wanted[name])
    return missing


def _create(name: str, table: str, day: date) -> None:
    """Attached rather than created in place: that would lock out every writer of the parent."""
    options = f"with (toast_tuple_target = {INLINE})" if EXTERNAL.get(table) == "body" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"create table {name} (like {table} including defaults including constraints) {options}"
        )
        if column := EXTERNAL.get(table):
            cursor.execute(f"alter table {name} alter column {column} set storage external")
        cursor.execute(
            f"alter table {table} attach partition {name} for values from ('{day}') to ('{day + _DAY}')"
        )


def _drop(name: str) -> bool:
    """Whether the day is gone. Waiting for its lock stops all writers, so it waits two seconds at most."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _lock()
            cursor.execute("set local lock_timeout = '2s'")
            cursor.execute(f"drop table if exists {name}")
    except OperationalError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            return False
        raise
    return True


def _existing() -> dict[str, date]:
    """Every partition there is, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
            " where i.inhparent = any (%s::regclass[])",
            [list(TABLES)],
        )
        matches = [_NAME.match(name) for (name,) in cursor.fetchall()]
    return {m[0]: date(int(m[2]), int(m[3]), int(m[4])) for m in matches if m}


def _lock() -> None:
    """Held to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


_DAY = timedelta(days=1)
