"""Group commit: requests that arrive while the disk is busy share its next turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue

#: Bytes of one turn, so that a few large bodies do not make all the small ones wait.
TURN = 4 * 1024 * 1024
#: Seconds from the beginning of one turn to that of the next: a turn costs about 100 µs of CPU,
#: whatever it carries. A request that comes after a pause waits for nothing.
EVERY = 0.002


Turn = list[tuple[bytes, asyncio.Future[None]]]


class GroupCommit:
    """`write` returns when `append` has returned for a list with the frame, or raises what it raised.

    A thread of its own and one callback per turn: an executor's futures cost several times as much.
    """

    def __init__(self, append: Callable[[list[bytes]], None]) -> None:
        self._append = append
        self._waiting: Turn = []
        self._turns: SimpleQueue[tuple[asyncio.AbstractEventLoop, Turn] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._busy = False  # a turn is under way or about to begin
        self._begun = float("-inf")

    async def write(self, frame: bytes) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((frame, future))
        if not self._busy:
            self._go_on()
        await future

    def _go_on(self) -> None:
        """The next turn, when something waits for it, at its time."""
        self._busy = bool(self._waiting)
        if self._busy:
            loop = asyncio.get_running_loop()
            if (pause := self._begun + EVERY - loop.time()) > 0:
                loop.call_later(pause, self._begin)
            else:
                self._begin()

    def _begin(self) -> None:
        turn, loop = self._next_turn(), asyncio.get_running_loop()
        self._begun = loop.time()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
            self._thread.start()
        self._turns.put((loop, turn))

    def _next_turn(self) -> Turn:
        size = count = 0
        for frame, _ in self._waiting:
            size += len(frame)
            if count and size > TURN:
                break
            count += 1
        turn, self._waiting = self._waiting[:count], self._waiting[count:]
        return turn

    def _run(self) -> None:
        while given := self._turns.get():
            loop, turn = given
            try:
                self._append([frame for frame, _ in turn])
            except Exception as error:  # noqa: BLE001 each request of the turn gets it
                loop.call_soon_threadsafe(self._end, turn, error)
            else:
                loop.call_soon_threadsafe(self._end, turn, None)

    def _end(self, turn: Turn, error: Exception | None) -> None:
        self._go_on()  # first: the disk works while the answers are written
        for _, future in turn:
            if future.done():  # its request was cancelled meanwhile
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def close(self) -> None:
        """Waits for the turn that is under way."""
        if self._thread:
            self._turns.put(None)
            self._thread.join()
