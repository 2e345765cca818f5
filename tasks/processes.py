"""The worker processes of one machine under one parent, which starts again what dies.

Each worker is a process of its own that runs one task at a time (Celery's solo pool). They are forked from a
parent that has everything imported, so that they share its memory.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import connections

log = logging.getLogger(__name__)

#: A backlog must not slow down accepting.
NICE = 10
LONGEST_PAUSE = 10.0
#: A group of events is very many objects that all die with it: looking for cycles after every 700 new ones,
#: Python's default, finds nothing.
COLLECT_AFTER = (50_000, 10, 10)
_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    work: Callable[[], object]
    pid: int = 0
    started: float = 0.0
    pause: float = 0.5  # seconds before it is started again; doubles while it keeps dying at once
    due: float = 0.0


def keep_running(works: Mapping[str, Callable[[], object]], grace: float) -> None:
    """Runs each piece of work in a child of its own until SIGTERM or Ctrl-C, then stops them all.

    A child that ends is started again. On stopping each finishes its task; what takes longer than `grace`
    seconds is killed, and its message comes back.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    connections.close_all()
    gc.collect()
    gc.freeze()  # what is shared with the children stays shared
    gc.set_threshold(*COLLECT_AFTER)
    children = {name: Child(work) for name, work in works.items()}
    try:
        while True:
            _start_due(children)
            heard = signal.sigtimedwait(_WATCHED, 0.5)
            _bury(children)
            if heard and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
                return
    finally:
        _stop(children, grace)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_due(children: dict[str, Child]) -> None:
    now = time.monotonic()
    for name, child in children.items():
        if not child.pid and now >= child.due:
            child.pid, child.started = _fork(name, child.work), now


def _fork(name: str, work: Callable[[], object]) -> int:
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    if pid := os.fork():
        return pid
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:  # else it died before we asked to be told
            os.setpgid(0, 0)  # Ctrl-C goes to the parent alone
            os.nice(NICE)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
            work()
            code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # a child must never run on in the parent's code
        log.exception("%s ended", name)
    finally:
        logging.shutdown()
        os._exit(code)


def _bury(children: dict[str, Child]) -> None:
    """Takes note of every child that ended, and when it is to be started again."""
    for name, child in children.items():
        if not child.pid or os.waitpid(child.pid, os.WNOHANG)[0] == 0:
            continue
        now = time.monotonic()
        child.pause = 0.5 if now - child.started > LONGEST_PAUSE else min(child.pause * 2, LONGEST_PAUSE)
        child.pid, child.due = 0, now + child.pause
        log.warning("%s ended; starting it again in %.1f s", name, child.pause)


def _stop(children: dict[str, Child], grace: float) -> None:
    running = [child for child in children.values() if child.pid]
    for child in running:
        os.kill(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    for child in running:
        while os.waitpid(child.pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)
                break
            time.sleep(0.05)


def node_name(kind: str, number: int) -> str:
    return f"{kind}-{number}@{socket.gethostname()}"
