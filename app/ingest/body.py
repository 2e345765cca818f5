"""Reading a request's body: never more than a request may have, never more than this process can hold."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.ingest.answers import RETRY_AFTER, Refusal

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: Seconds a client may take to send its body.
DEADLINE = 60.0


class Disconnected(Exception):
    """The client went away in mid-body: nobody waits for an answer, and nothing is kept."""


class Room:
    """How many bytes of bodies this process holds at once, so that many large ones cannot become its end."""

    def __init__(self, size: int) -> None:
        self.free = size

    def take(self, size: int) -> None:
        if size > self.free:
            raise Refusal(
                503,
                "too many large requests at once, try again later",
                reason="busy",
                outcome="rate_limited",
                retry_after=RETRY_AFTER,
            )
        self.free -= size


class Body:
    """One body and the room it takes; the room is given back by `release`, which must be called."""

    def __init__(self, receive: Receive, limit: int, room: Room) -> None:
        self._receive = receive
        self._limit = limit
        self._room = room
        self._taken = 0

    async def read(self, declared: int | None) -> bytes:
        """All of it. Raises Refusal 413, 408 or 503, or Disconnected."""
        if declared is not None:
            self._grow(declared)
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._read_pieces()
        except TimeoutError:
            raise Refusal(408, "the body did not arrive in time", reason="slow_body") from None

    async def _read_pieces(self) -> bytes:
        whole = bytearray()
        while (message := await self._receive())["type"] == "http.request":
            whole += message.get("body", b"")
            self._grow(len(whole))
            if not message.get("more_body", False):
                return bytes(whole)
        raise Disconnected

    def _grow(self, size: int) -> None:
        if size > self._limit:
            raise Refusal(413, f"the body is larger than {self._limit} bytes", reason="too_large")
        if size > self._taken:
            self._room.take(size - self._taken)
            self._taken = size

    def release(self) -> None:
        self._room.free += self._taken
        self._taken = 0
