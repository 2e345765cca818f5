"""Keys are found fast, forgotten soon, and never lost because the database is away."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator

import psycopg
import pytest
from django.db import connection

from app import models
from app.ingest import keys
from app.ingest.keys import Database, Key, Keys, Unreachable
from tests.ingest.proxy import Proxy, before_postgres
from tests.tasks.crews import database_url

pytestmark = pytest.mark.django_db


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """In front of the test's PostgreSQL."""
    with before_postgres() as proxy:
        yield proxy


def tell(proxy: Proxy, story: Callable[[Keys, Clock, list[list[str]]], Awaitable[None]]) -> None:
    """Runs a story with keys behind the proxy; the list holds every query that was made."""

    async def told() -> None:
        database = Database({**connection.settings_dict, "HOST": "127.0.0.1", "PORT": proxy.port})
        queries: list[list[str]] = []

        async def lookup(asked: list[str]) -> dict[str, Key]:
            queries.append(asked)
            return await database.lookup(asked)

        clock = Clock()
        try:
            await story(Keys(lookup, clock), clock, queries)
        finally:
            await database.close()

    asyncio.run(told())


def execute(statement: str, *arguments: object) -> None:
    """Committed at once, as by another process."""
    with psycopg.connect(database_url()) as database:
        database.execute(statement, arguments)


def test_a_known_key_costs_one_query_in_its_time(proxy: Proxy, key: models.DsnKey) -> None:
    async def story(known: Keys, clock: Clock, queries: list[list[str]]) -> None:
        found = await asyncio.gather(*(known.find(key.public_key) for _ in range(100)))
        assert set(found) == {Key(key.pk, key.project_id, is_active=True)}
        clock.now += keys.REFRESH - 0.1
        await known.find(key.public_key)
        assert len(queries) == 1

    tell(proxy, story)


def test_a_key_in_use_is_refreshed_behind_its_back(proxy: Proxy, key: models.DsnKey) -> None:
    async def story(known: Keys, clock: Clock, queries: list[list[str]]) -> None:
        await known.find(key.public_key)
        clock.now += keys.REFRESH
        proxy.stall()  # were it waited for, this would take long
        async with asyncio.timeout(0.2):
            assert await known.find(key.public_key)
        async with asyncio.timeout(5):
            while len(queries) < 2:
                await asyncio.sleep(0)
        proxy.down()

    tell(proxy, story)


def test_a_disabled_key_is_believed_no_longer_than_seconds(proxy: Proxy, key: models.DsnKey) -> None:
    async def story(known: Keys, clock: Clock, _: list[list[str]]) -> None:
        await known.find(key.public_key)
        execute("UPDATE app_dsnkey SET is_active = false WHERE id = %s", key.pk)
        clock.now += keys.STALE
        found = await known.find(key.public_key)
        assert found
        assert not found.is_active
        execute("UPDATE app_dsnkey SET is_active = true WHERE id = %s", key.pk)

    tell(proxy, story)


def test_an_unknown_key_is_asked_for_once_and_may_come_to_be(proxy: Proxy, key: models.DsnKey) -> None:
    async def story(known: Keys, clock: Clock, queries: list[list[str]]) -> None:
        late = secrets.token_hex(16)
        for _ in range(5):
            assert await known.find(late) is None
        assert len(queries) == 1
        execute(
            "INSERT INTO app_dsnkey (project_id, public_key, label, is_active, created)"
            " VALUES (%s, %s, '', true, now())",
            key.project_id,
            late,
        )
        clock.now += keys.UNKNOWN_FOR
        assert await known.find(late)

    tell(proxy, story)


def test_known_keys_stay_good_while_the_database_is_away(
    proxy: Proxy, key: models.DsnKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "TIMEOUT", 0.3)

    async def story(known: Keys, clock: Clock, queries: list[list[str]]) -> None:
        await known.find(key.public_key)
        for take_away in (proxy.down, proxy.stall):
            take_away()
            clock.now += 3600
            assert await known.find(key.public_key)
            for _ in range(20):
                clock.now += 3600
                async with asyncio.timeout(0.1):
                    assert await known.find(key.public_key)
            with pytest.raises(Unreachable):
                await known.find(secrets.token_hex(16))
            proxy.up()
            clock.now += 3600
            assert await known.find(secrets.token_hex(16)) is None
            assert await known.find(key.public_key)

    tell(proxy, story)


def test_a_database_that_is_away_is_not_asked_by_every_request(proxy: Proxy, key: models.DsnKey) -> None:
    async def story(known: Keys, clock: Clock, queries: list[list[str]]) -> None:
        await known.find(key.public_key)
        proxy.down()
        clock.now += keys.STALE
        for _ in range(50):
            assert await known.find(key.public_key)
        assert len(queries) == 2

    tell(proxy, story)


def test_a_flood_of_wrong_keys_makes_few_queries_and_takes_bounded_memory(
    proxy: Proxy, key: models.DsnKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_UNKNOWN", 700)

    async def story(known: Keys, _: Clock, queries: list[list[str]]) -> None:
        flood = [known.find(secrets.token_hex(16)) for _ in range(2000)]
        *wrong, right = await asyncio.gather(*flood, known.find(key.public_key))
        assert right
        assert not any(wrong)
        assert len(queries) <= 2000 / keys.BATCH + 1
        assert len(known._unknown) == 700

    tell(proxy, story)
