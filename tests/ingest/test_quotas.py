"""Limits of keys: by the clock's windows, over processes, and without Redis."""

from __future__ import annotations

import asyncio
import logging
import uuid

import pytest
import redis
from django.conf import settings

from app.ingest.keys import Key
from app.ingest.quotas import Quotas, Shared

URL = settings.CACHES["default"]["LOCATION"]
NOWHERE = "redis://127.0.0.1:1/0"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0  # a multiple of ten

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key() -> Key:
    return Key(uuid.uuid4().int >> 96, 1, is_active=True, rate_limit=3, rate_window=10)


def process(clock: Clock, url: str = URL) -> Quotas:
    return Quotas(Shared(url, "test-quotas").add, clock)


def send(quotas: Quotas, key: Key, times: int) -> int:
    """How many of them were allowed."""
    allowed = 0
    for _ in range(times):
        if quotas.wait(key) == 0:
            quotas.count(key)
            allowed += 1
    return allowed


def test_a_window_holds_as_many_as_it_may_and_the_next_one_begins_anew(key: Key) -> None:
    clock = Clock()
    quotas = process(clock)
    assert send(quotas, key, 10) == 3
    clock.now += 4.5
    assert quotas.wait(key) == 6
    clock.now += 5.4
    assert quotas.wait(key) == 1
    clock.now += 0.1
    assert send(quotas, key, 10) == 3


def test_what_was_not_accepted_is_not_counted(key: Key) -> None:
    quotas = process(Clock())
    assert [quotas.wait(key) for _ in range(10)] == [0] * 10


def test_a_key_without_a_limit_is_never_told_to_wait(key: Key) -> None:
    quotas = process(Clock())
    assert send(quotas, key._replace(rate_limit=None), 100) == 100
    assert send(quotas, key._replace(rate_window=None), 100) == 100
    assert send(quotas, key._replace(rate_limit=0), 100) == 0


def test_processes_learn_what_the_others_took(key: Key) -> None:
    clock = Clock()
    one, other = process(clock), process(clock)
    assert (send(one, key, 2), send(other, key, 1)) == (2, 1)
    for each in (one, other, one):
        asyncio.run(each.exchange())
    assert (send(one, key, 9), send(other, key, 9)) == (0, 0)
    with redis.Redis.from_url(URL) as client:
        [name] = client.keys(f"test-quotas:quota:{key.id}:*")
        assert client.get(name) == b"3"
        assert 0 < client.ttl(name) <= 20


def test_each_process_goes_by_its_own_count_while_redis_is_away(
    key: Key, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever configures logging in this process may have switched off the loggers that were there.
    monkeypatch.setattr(logging.getLogger("app.ingest.quotas"), "disabled", False)
    quotas = process(Clock(), NOWHERE)
    assert send(quotas, key, 2) == 2
    for _ in range(3):
        asyncio.run(quotas.exchange())
    assert send(quotas, key, 9) == 1
    said = [record.message for record in caplog.records if record.name == "app.ingest.quotas"]
    assert len(said) == 1
    assert said[0].startswith("rate limits are counted by each process alone")
