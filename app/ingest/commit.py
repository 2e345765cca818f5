"""Group commit: requests that arrive while the disk is busy share its next turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

#: Bytes of one turn, so that a few large bodies do not make all the small ones wait.
TURN = 4 * 1024 * 1024


class GroupCommit:
    """`write` returns when `append` has returned for a list with the frame, or raises what it raised."""

    def __init__(self, append: Callable[[list[bytes]], None]) -> None:
        self._append = append
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._thread: Executor = ThreadPoolExecutor(1, "journal")
        self._busy = False

    async def write(self, frame: bytes) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((frame, future))
        if not self._busy:
            self._begin()
        await future

    def _begin(self) -> None:
        turn = self._next_turn()
        self._busy = bool(turn)
        if turn:
            work = asyncio.get_running_loop().run_in_executor(
                self._thread, self._append, [frame for frame, _ in turn]
            )
            work.add_done_callback(lambda done: self._end(turn, done))

    def _next_turn(self) -> list[tuple[bytes, asyncio.Future[None]]]:
        size = count = 0
        for frame, _ in self._waiting:
            size += len(frame)
            if count and size > TURN:
                break
            count += 1
        turn, self._waiting = self._waiting[:count], self._waiting[count:]
        return turn

    def _end(self, turn: list[tuple[bytes, asyncio.Future[None]]], done: asyncio.Future[None]) -> None:
        error = done.exception()
        for _, future in turn:
            if future.done():  # its request was cancelled meanwhile
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
        self._begin()

    def close(self) -> None:
        """Waits for the turn that is under way."""
        self._thread.shutdown()
