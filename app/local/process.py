"""A child process that ends when we do, however we end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

PR_SET_PDEATHSIG = 1
#: Seconds between two looks at whether a program does its work, and after which it is given up if not.
LOOK_EVERY, STANDS_FOR = 2.0, 20.0
AUTOGROUP = Path("/proc/self/autogroup")
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotReady(Exception):
    """Something we started did not come up; the text says what and why, in one sentence."""


def end_with_parent(signum: signal.Signals, parent: int, nice: int = 0) -> Callable[[], None]:
    """What a child does before exec, so that `kill -9` of its parent ends it too (Linux).

    The signal comes when the *thread* that made the child ends: start children from the main thread.
    """

    def before_exec() -> None:
        give_way(nice)
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, signum)
            if os.getppid() != parent:  # it ended before we asked
                os._exit(1)

    return before_exec


def give_way(nice: int) -> None:
    """Let all others go first, by so much more than now.

    A session of its own is a group of its own to the scheduler (autogroup, sched(7)): its share does not
    depend on how nice the processes in it are, only on the group's own figure, where there is one.
    """
    if os.nice(nice) > 0:
        with contextlib.suppress(OSError):
            AUTOGROUP.write_text(str(os.nice(0)))


def end_session(child: subprocess.Popen[Any]) -> None:
    """`kill -9` a leader of a session and everybody in it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def converse(child: subprocess.Popen[str], says: str, meanwhile: Callable[[], None]) -> str:
    """Say something to a program and hear it out; it does not outlive a Ctrl-C that comes in between."""
    unsaid: str | None = says
    try:
        while True:
            try:
                return child.communicate(unsaid, timeout=0.25)[0]
            except subprocess.TimeoutExpired:
                unsaid = None
                meanwhile()
    except BaseException:
        end_session(child)
        raise


class Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def as_user(user: pwd.struct_passwd | None) -> Identity:
    """How subprocess is told to run a program as somebody else, with nothing of our own rights left."""
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Process:
    """One program: how it is started, and, while it runs, the child itself."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        user: pwd.struct_passwd | None = None,
        folder: Path | None = None,
        log: Path | None = None,
        stop_with: signal.Signals = signal.SIGTERM,
        keep_open: Sequence[int] = (),
        nice: int = 0,
        is_idle: Callable[[int], bool] | None = None,
    ) -> None:
        """`is_idle` looks at the process of that number: true while it runs but does nothing it is for."""
        self.name = name
        self.command = list(command)
        self.environment = dict(os.environ if environment is None else environment)
        self.user = user
        self.folder = folder
        self.log = log
        self.stop_with = stop_with
        self.keep_open = keep_open
        self.nice = nice
        self.is_idle = is_idle
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Its words go to the log, or, without one, into a pipe that somebody has to read (`child.stdout`).

        In a session of its own: a Ctrl-C in the terminal is for us, and we stop children in order.
        """
        self.looked = self.worked = time.monotonic()
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self.log.open("ab")) if self.log else None
            self.child = subprocess.Popen(
                self.command,
                env=self.environment,
                **as_user(self.user),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log or subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=self.keep_open,
                start_new_session=True,
                preexec_fn=end_with_parent(self.stop_with, os.getpid(), self.nice),  # noqa: PLW1509 - we have no threads
            )

    @property
    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def stands_still(self) -> bool:
        """Whether it has run for STANDS_FOR seconds without doing its work; asked often it looks seldom."""
        if self.is_idle is None or not self.is_running or self.child is None:
            return False
        now = time.monotonic()
        if now - self.looked >= LOOK_EVERY:
            self.looked = now
            if not self.is_idle(self.child.pid):
                self.worked = now
        return self.looked - self.worked >= STANDS_FOR

    def ask_to_stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(self.stop_with)

    def stop(self, seconds: float = 10) -> None:
        """Ask, wait, and insist; afterwards nothing of its session is left."""
        self.ask_to_stop()
        if self.child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(seconds)
            self.kill()

    def kill(self) -> None:
        """`kill -9` the program and every process it left in its session."""
        if self.child is not None:
            end_session(self.child)


def nothing() -> None:
    """What is done while waiting, unless somebody wants to be told."""


def until(
    check: Callable[[], bool],
    seconds: float,
    else_say: Callable[[], str],
    meanwhile: Callable[[], None] = nothing,
) -> None:
    """Wait for `check` to hold, or raise NotReady with what `else_say` answers."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise NotReady(else_say())
        meanwhile()
        time.sleep(0.03)
