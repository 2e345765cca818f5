"""The psycopg connection under Django's, for statements Django cannot write: arrays, COPY, pipelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import msgspec
import psycopg
from django.db import connection

Row = tuple[Any, ...]
Cursor = psycopg.Cursor[Row]


@contextmanager
def cursor() -> Iterator[Cursor]:
    """A server-side-binding cursor whose statements are prepared from their second use on.

    Errors come out as django.db's, with psycopg's as their cause (`sqlstate` reads it).
    """
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Row]", connection.connection)
    raw.prepare_threshold = 1  # Django's own cursors bind on the client and never prepare
    with connection.wrap_database_errors, psycopg.Cursor(raw) as open_cursor:
        yield open_cursor


def ask(sql: str, values: dict[str, Any]) -> list[Row]:
    """The rows of one question of a page, its values by their names."""
    with connection.cursor() as open_cursor:
        open_cursor.execute(sql, values)
        return list(open_cursor.fetchall())


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five characters for an error, "" when it did not come from there."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return (cause.sqlstate or "") if isinstance(cause, psycopg.Error) else ""


def array(values: Iterable[object]) -> str:
    """Numbers, uuids or dates as an array's text: ten times cheaper than adapting a list; None is NULL."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def numbers(values: Iterable[int]) -> str:
    """The same for integers alone, the hot case."""
    return "{" + ",".join(map(str, values)) + "}"


def is_missing_day(error: BaseException) -> bool:
    """Whether a check failed because a row's day has no partition (every constraint of ours has a name)."""
    cause = error.__cause__
    return isinstance(cause, psycopg.Error) and cause.diag.constraint_name is None


def text(value: str, longest: int) -> str:
    """Words made into what PostgreSQL takes: no NUL, no lone surrogate, not too long."""
    return value[:longest].replace("\0", "").encode(errors="replace").decode()


def arrays(types: str) -> str:
    """Placeholders for one array of each type: "bigint text" is "%s::bigint[], %s::text[]"."""
    return ", ".join(f"%s::{one}[]" for one in types.split())


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[tuple[Any, ...]]:
    """Rows turned into `width` columns, also when there are none."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def json(value: object) -> str:
    """JSON text for a parameter that is cast to jsonb."""
    return _json(value).decode()


_json = msgspec.json.Encoder().encode
