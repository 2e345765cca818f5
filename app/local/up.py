"""`manage.py up`: everything Tocsin needs, on this machine, under one supervisor.

Standard library only: this process stays for as long as Tocsin runs, so it must stay small.
"""

from __future__ import annotations

import argparse
import errno
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from app.local import folder, port, words
from app.local.installation import Installation
from app.local.process import NotReady
from app.local.supervise import Supervisor

# Who is stopped together, in which order, and the seconds each group has: under 15 s in all.
STOP = ((5.0, ("web",)), (5.0, ("worker", "scheduler")), (2.0, ("valkey",)), (2.5, ("postgres",)))


def main(argv: Sequence[str]) -> int:
    """Exit code of `up`: 0 when it was stopped or did what `--once` promises; else 1, with one sentence."""
    options = arguments(argv)
    signals = Signals()
    supervisor = Supervisor(words.say)
    try:
        run(options, supervisor)
        failure = None
    except KeyboardInterrupt:
        failure = None
    except (NotReady, OSError) as reason:
        failure = sentence(reason, options.data)
    finally:
        signals.are_heeded = False
        words.say("Stopping …")
        supervisor.stop(STOP, lambda: signals.came)
    if failure:
        words.say(failure)
        return 1
    return 0


def run(options: argparse.Namespace, supervisor: Supervisor) -> None:
    """Start everything, say so, and mind it until somebody stops us."""
    began = time.monotonic()
    if options.port:
        port.check_free(options.port)
    data = folder.Folder(options.data)
    data.take()
    try:
        installation = Installation(data, options.port, supervisor)
        ready = installation.start()
        if options.once:
            installation.see_first_error(ready)
        if options.json:
            words.promise(json.dumps(ready.for_scripts()))
        else:
            words.promise(words.welcome(ready, time.monotonic() - began, stays=not options.once))
        while not options.once:
            supervisor.turn(1)
    finally:
        data.withdraw()


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("manage.py up", description="Run all of Tocsin here until Ctrl-C.")
    parser.add_argument("--port", type=int, default=8000, help="of the dashboard and of the DSN (8000)")
    parser.add_argument("--data", type=Path, default=folder.default(), help="the data folder (%(default)s)")
    parser.add_argument("--once", action="store_true", help="stop when a first error is on the dashboard")
    parser.add_argument("--json", action="store_true", help="when ready, one line of JSON on standard output")
    return parser.parse_args(argv)


def sentence(reason: NotReady | OSError, data: Path) -> str:
    if isinstance(reason, NotReady):
        return str(reason)
    if reason.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full: make room for Tocsin's data in {data}, or choose another place with --data."
        )
    return f"{reason.filename or data}: {reason.strerror}."


class Signals:
    """The first one asks everything to stop, which takes seconds; another one is for people in a hurry."""

    def __init__(self) -> None:
        self.are_heeded = True
        self.came = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.heed)

    def heed(self, _number: int, _frame: FrameType | None) -> None:
        if self.are_heeded:
            self.are_heeded = False
            raise KeyboardInterrupt
        self.came = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
