"""What a public key may do: looked up in PostgreSQL and remembered for seconds, or while it is away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import psycopg

from app import options

logger = logging.getLogger(__name__)

#: Seconds after which a known key is looked up again while it stays in use, and after which it must be.
REFRESH, STALE = 3.0, 5.0
#: Seconds for which an unknown key stays unknown, and how many of them are remembered.
UNKNOWN_FOR, MOST_UNKNOWN = 3.0, 10_000
#: Keys per query; one query runs at a time, so that a flood of wrong keys costs one connection.
BATCH = 500
#: Seconds before a database that did not answer is asked again, and that a query may take.
PAUSE, TIMEOUT = 1.0, 2.0


class Limit(NamedTuple):
    """A category that a project sends too much of."""

    category: str
    until: float  # seconds since the epoch
    scope: str  # "organization" or "project"
    reason: str


class Key(NamedTuple):
    id: int
    project_id: int
    is_active: bool
    # At most so many events in so many seconds; None = no limit.
    rate_limit: int | None = None
    rate_window: int | None = None
    origins: tuple[str, ...] = ("*",)  # pages that may send, see app.wire.origins
    limits: tuple[Limit, ...] = ()  # nearly always none


class Unreachable(Exception):
    """The key is not known here and the database does not answer."""


Lookup = Callable[[list[str]], Awaitable[dict[str, Key]]]


class Keys:
    """The keys this process has met. `find` answers from memory but for the first time and after a pause."""

    def __init__(self, lookup: Lookup, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookup = lookup
        self._clock = clock
        self._known: dict[str, tuple[Key, float]] = {}
        self._unknown: dict[str, float] = {}
        self._asked: dict[str, asyncio.Future[Key | None]] = {}
        self._loading: asyncio.Task[None] | None = None
        self._away_until = 0.0

    async def find(self, public_key: str) -> Key | None:
        """The key, None when there is no such key. Raises Unreachable."""
        now = self._clock()
        if known := self._known.get(public_key):
            return await self._find_known(public_key, *known)
        if self._unknown.get(public_key, 0.0) > now:
            return None
        if now < self._away_until:
            raise Unreachable
        return await asyncio.shield(self._ask(public_key))

    async def _find_known(self, public_key: str, key: Key, at: float) -> Key | None:
        now = self._clock()
        if now - at < REFRESH or now < self._away_until:
            return key
        answer = self._ask(public_key)
        # A database that failed the last time is asked again, but nobody waits for it.
        if now - at < STALE or self._away_until:
            return key
        try:
            return await asyncio.shield(answer)
        except Unreachable:
            return key

    def _ask(self, public_key: str) -> asyncio.Future[Key | None]:
        """The answer that is on its way; whoever asks for the same key shares it."""
        if public_key not in self._asked:
            future = asyncio.get_running_loop().create_future()
            future.add_done_callback(_retrieved)
            self._asked[public_key] = future
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        return self._asked[public_key]

    async def _load(self) -> None:
        try:
            while self._asked:
                await self._load_batch(list(self._asked)[:BATCH])
        finally:
            self._loading = None

    async def _load_batch(self, asked: list[str]) -> None:
        try:
            found = await self._look_up_in_time(asked)
        except (psycopg.Error, OSError, TimeoutError) as error:
            self._mark_away(error)
            for future in self._take(self._asked.copy()).values():
                future.set_exception(Unreachable())
            return
        self._away_until = 0.0
        for public_key, future in self._take(asked).items():
            key = found.get(public_key)
            self._remember(public_key, key)
            future.set_result(key)

    async def _look_up_in_time(self, asked: list[str]) -> dict[str, Key]:
        """Raises TimeoutError in time. Nobody waits for the seconds that psycopg takes to give a query up."""
        lookup = asyncio.ensure_future(self._lookup(asked))
        lookup.add_done_callback(_retrieved)
        await asyncio.wait({lookup}, timeout=TIMEOUT)
        if not lookup.done():
            lookup.cancel()
            raise TimeoutError("the database does not answer")
        return lookup.result()

    def _take(self, asked: Iterable[str]) -> dict[str, asyncio.Future[Key | None]]:
        return {public_key: self._asked.pop(public_key) for public_key in asked}

    def _remember(self, public_key: str, key: Key | None) -> None:
        now = self._clock()
        if key:
            self._unknown.pop(public_key, None)
            self._known[public_key] = (key, now)
            return
        self._known.pop(public_key, None)
        self._unknown.pop(public_key, None)
        if len(self._unknown) >= MOST_UNKNOWN:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[public_key] = now + UNKNOWN_FOR

    def _mark_away(self, error: Exception) -> None:
        if not self._away_until:
            logger.warning(
                "keys cannot be looked up, known ones stay good: %s", error or type(error).__name__
            )
        self._away_until = self._clock() + PAUSE


def _retrieved(future: asyncio.Future[Any]) -> None:
    """What nobody waits for must not be reported as an exception nobody fetched."""
    if not future.cancelled():
        future.exception()


#: What stands in OPTIONS for Django and not for PostgreSQL.
DJANGO_OPTIONS = {"assume_role", "isolation_level", "pool", "server_side_binding"}


def _key(columns: list[Any], chosen: object, limits: list[Any] | None) -> Key:
    """The row of a key, with what its project has chosen and has too much of."""
    origins = options.of_project(chosen).origins
    return Key(*columns)._replace(origins=origins, limits=tuple(Limit(*one) for one in limits or ()))


class Database:
    """One connection for key lookups, opened when it is needed and again after it broke."""

    QUERY = (
        "SELECT public_key, k.id, k.project_id, is_active, rate_limit, rate_window, options,"
        " (SELECT json_agg(json_build_array(category, extract(epoch FROM until)::float8, scope, reason))"
        "  FROM app_ratelimit l WHERE l.project_id = p.id AND l.until > now())"
        " FROM app_dsnkey k JOIN app_project p ON p.id = project_id WHERE public_key = ANY(%s)"
    )

    def __init__(self, settings: dict[str, Any]) -> None:
        names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
        own = {theirs: settings[name] for name, theirs in names.items() if settings.get(name)}
        # A socket's folder and its user stand in OPTIONS, beside what only Django understands.
        options = {
            name: value for name, value in settings.get("OPTIONS", {}).items() if name not in DJANGO_OPTIONS
        }
        ours = {"connect_timeout": 2, "application_name": "tocsin-ingest"}
        self._parameters: dict[str, Any] = ours | options | own
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    async def lookup(self, public_keys: list[str]) -> dict[str, Key]:
        """Those of the keys that exist. Raises psycopg.Error or OSError."""
        connection, self._connection = self._connection, None
        connection = connection or await psycopg.AsyncConnection.connect(**self._parameters, autocommit=True)
        try:
            rows = await (await connection.execute(self.QUERY, [public_keys])).fetchall()
        except BaseException:
            # Cancelled by the time limit as well: a connection in mid-query is of no use any more.
            await connection.close()
            raise
        self._connection = connection
        return {public_key: _key(found, chosen, limits) for public_key, *found, chosen, limits in rows}

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()
