"""Running a coroutine up to where it waits, at once and without a task.

A task per request costs more than all else that is done for it: one turn of the event loop to begin, its own
context and bookkeeping. Python 3.12 has eager tasks for this; 3.11 has not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Steps:
    """One coroutine on its way. `done` gets its result; it must not raise and cannot be cancelled."""

    __slots__ = ("_done", "_send")

    def __init__(self, coroutine: Coroutine[Any, None, Any], done: Callable[[Any], None]) -> None:
        self._send = coroutine.send
        self._done = done

    def go_on(self, _: object = None) -> None:
        """To the next future that is waited for, or to the end."""
        try:
            future: Any = self._send(None)
        except StopIteration as end:
            self._done(end.value)
            return
        if future is None:  # asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(self.go_on)
            return
        # What a task does: the future asks whether somebody really awaits it.
        future._asyncio_future_blocking = False
        future.add_done_callback(self.go_on)
