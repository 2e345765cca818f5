"""Rate limits of keys, kept without a question per request.

A key may send so many events in each window of the clock. Every process counts in memory; about once a second
it adds what it counted to the shared number in Redis and learns what the others did. While Redis is away each
process goes by its own count. Processes together may so exceed a limit by what they take in one second.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.ingest.keys import Key
from app.wire import windows

logger = logging.getLogger(__name__)

#: Seconds between two exchanges with the shared numbers.
EVERY = 1.0


@dataclass(slots=True)
class Window:
    """What a key has sent in one window."""

    number: int  # how many windows the clock has seen before
    seconds: int
    shared: int = 0  # of all processes, when it was last asked
    untold: int = 0  # accepted here since


#: Adds to shared numbers, which live as long as given in seconds, and returns what they are then.
Share = Callable[[list[tuple[str, int, int]]], list[int]]


class Quotas:
    """The windows of the keys that have a limit."""

    def __init__(self, share: Share, clock: Callable[[], float] = time.time) -> None:
        self._share = share
        self._clock = clock
        self._windows: dict[int, Window] = {}
        self._works = True

    def wait(self, key: Key) -> int:
        """0 when the key may send, otherwise the seconds until it may again."""
        if key.rate_limit is None or not key.rate_window:
            return 0
        now = self._clock()
        window = self._window(key.id, key.rate_window, now)
        if window.shared + window.untold < key.rate_limit:
            return 0
        return max(1, math.ceil((window.number + 1) * window.seconds - now))

    def count(self, key: Key) -> None:
        """An event of the key was accepted."""
        if key.rate_limit is not None and key.rate_window:
            self._window(key.id, key.rate_window, self._clock()).untold += 1

    def _window(self, key_id: int, seconds: int, now: float) -> Window:
        window, number = self._windows.get(key_id), int(now // seconds)
        if window is None or window.number != number or window.seconds != seconds:
            window = self._windows[key_id] = Window(number, seconds)
        return window

    async def exchange(self) -> None:
        """Tells what was counted here, learns what was counted elsewhere. Never raises."""
        now = self._clock()
        self._windows = {
            key: window for key, window in self._windows.items() if window.number == now // window.seconds
        }
        told = [(key, window, window.untold) for key, window in self._windows.items()]
        if not told:
            return
        rows = [
            (windows.name(key, window.seconds, window.number * window.seconds), count, 2 * window.seconds)
            for key, window, count in told
        ]
        try:
            totals = await asyncio.to_thread(self._share, rows)
        except Exception as error:  # noqa: BLE001 whatever Redis does, accepting goes on
            self._report(error)
            return
        self._report(None)
        for (_, window, count), total in zip(told, totals, strict=True):
            window.shared = total
            window.untold -= count

    def _report(self, error: Exception | None) -> None:
        """One line when the sharing ends and one when it goes on."""
        if self._works != (error is None):
            self._works = error is None
            if error:
                logger.warning("rate limits are counted by each process alone: %s", error)
            else:
                logger.warning("rate limits are shared again")


class Shared:
    """The numbers in Redis. The client is loaded with the first key that has a limit."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url = url
        self._prefix = prefix

    def add(self, rows: list[tuple[str, int, int]]) -> list[int]:
        """Raises redis.RedisError or OSError."""
        import redis  # noqa: PLC0415 most processes need none, and it takes memory

        with (
            redis.Redis.from_url(self._url, socket_timeout=2, socket_connect_timeout=2) as client,
            client.pipeline(transaction=False) as pipeline,
        ):
            for name, count, seconds in rows:
                pipeline.incrby(f"{self._prefix}:{name}", count)
                pipeline.expire(f"{self._prefix}:{name}", seconds)
            return [int(total) for total in pipeline.execute()[::2]]
