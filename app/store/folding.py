"""Tallies become counters: many of them at once, each exactly once, by one process at a time.

What is counted is deleted in the transaction that counts it, so a kill at any moment loses and doubles
nothing. One that cannot be counted is put aside, and the others are counted without it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from django.db import DataError, IntegrityError, transaction

from app.store.database import Cursor, cursor, sqlstate

log = logging.getLogger(__name__)

#: Tallies of one transaction: as much as is summed up in the memory a session has.
AT_ONCE = 400
FOREIGN_KEY = "23503"

#: Counts and deletes at most so many tallies; how many that were.
Count = Callable[[Cursor, int], int]


def fold(table: str, lock: int, count: Count, *, patiently: bool = False) -> int:
    """Counts what waits in a table; how many tallies that were. Whoever counts holds the lock.

    Patiently: waits for another process that counts, so that afterwards everything is counted that was there
    before.
    """
    total = 0
    while done := _once(table, lock, count, AT_ONCE, patiently):
        total += done
        if done < AT_ONCE:
            break
    return total


def take(statements: Cursor, table: str, most: int) -> list[Any]:
    """What the oldest tallies moved, as text; they are gone when the transaction is through."""
    oldest = f"select id from {table} where not broken order by id limit %s"
    return statements.execute(
        f"delete from {table} where id in ({oldest}) returning moved", [most]
    ).fetchall()


def rows(taken: list[Any]) -> list[Any]:
    """What they moved, all together."""
    return [row for (moved,) in taken for row in json.loads(moved)]


def _once(table: str, lock: int, count: Count, most: int, patiently: bool) -> int:
    """One transaction; 0 when nothing waits or another process counts."""
    try:
        with transaction.atomic(), cursor() as statements:
            return count(statements, most) if _alone(statements, lock, patiently) else 0
    except (DataError, IntegrityError) as error:
        if sqlstate(error) == FOREIGN_KEY:  # something was deleted at this very moment
            raise
        if most > 1:
            return sum(_once(table, lock, count, 1, patiently) for _ in range(most))
        log.exception("A tally cannot be counted and stays in %s", table)
        return _put_aside(table)


def _alone(statements: Cursor, lock: int, patiently: bool) -> bool:
    if patiently:
        statements.execute("select pg_advisory_xact_lock(%s)", [lock])
        return True
    (alone,) = statements.execute("select pg_try_advisory_xact_lock(%s)", [lock]).fetchone() or (False,)
    return bool(alone)


def _put_aside(table: str) -> int:
    """The oldest one is what failed; the others are counted without it."""
    with cursor() as statements:
        oldest = f"select min(id) from {table} where not broken"
        return statements.execute(f"update {table} set broken = true where id = ({oldest})").rowcount
