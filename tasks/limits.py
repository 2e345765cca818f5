"""Time limits for workers that run tasks in their own process, where Celery has none."""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from celery.exceptions import SoftTimeLimitExceeded


@contextmanager
def limited(soft: float) -> Iterator[None]:
    """After `soft` seconds SoftTimeLimitExceeded is raised in the block.

    Half as much again later the process prints where it hangs and ends at once; its message comes back and
    its parent starts another one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _over)
    faulthandler.dump_traceback_later(soft * 1.5, exit=True, file=sys.__stderr__ or sys.stderr)
    signal.setitimer(signal.ITIMER_REAL, soft)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


def _over(_signal: int, _frame: FrameType | None) -> None:
    raise SoftTimeLimitExceeded
