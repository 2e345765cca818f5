"""A request's body as it arrives: never more than one may have, never more than this process can hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.ingest.answers import RETRY_AFTER, Refusal

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
    """One body and the room it takes; the room is given back by `release`, which must be called.

    The connection puts in what arrives (`add`, `end`, `fail`), the request's story takes it out (`read`).
    `want` is called when the story waits for more than is there.
    """

    __slots__ = ("_arrival", "_error", "_is_whole", "_limit", "_pieces", "_room", "_taken", "_want", "size")

    def __init__(self, limit: int, room: Room, want: Callable[[], None], declared: int | None = None) -> None:
        self.size = 0
        self._limit = limit
        self._room = room
        self._want = want
        self._taken = 0
        self._pieces: list[bytes] = []
        self._is_whole = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        if declared is not None:
            self._grow(declared)

    def add(self, piece: bytes) -> None:
        """The next bytes; beyond a bound they are dropped and `read` raises."""
        if self._error is None:
            self.size += len(piece)
            self._pieces.append(piece)
            if self.size > self._taken:
                self._grow(self.size)

    def end(self) -> None:
        """Nothing more comes."""
        self._is_whole = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """What is missing will not come; a body that is whole stays so."""
        if not self._is_whole and self._error is None:
            self._error = error
            self._pieces.clear()
            self._wake()

    async def read(self) -> bytes:
        """All of it. Raises Refusal 413, 408 or 503, or Disconnected."""
        if not self._is_whole and self._error is None:
            await self._wait()
        if self._error:
            raise self._error
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._arrival = loop.create_future()
        late = Refusal(408, "the body did not arrive in time", reason="slow_body")
        timer = loop.call_later(DEADLINE, self.fail, late)
        self._want()
        try:
            await self._arrival
        finally:
            timer.cancel()

    def _grow(self, size: int) -> None:
        try:
            if size > self._limit:
                raise Refusal(413, f"the body is larger than {self._limit} bytes", reason="too_large")
            self._room.take(size - self._taken)
            self._taken = size
        except Refusal as refusal:
            self.fail(refusal)

    def _wake(self) -> None:
        if self._arrival and not self._arrival.done():
            self._arrival.set_result(None)

    def release(self) -> None:
        """Gives the room back; what still arrives is dropped."""
        self._room.free += self._taken
        self._taken = 0
        self._is_whole = False
        self.fail(Disconnected())
