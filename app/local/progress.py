"""One line that says what is going on, for whatever takes more than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TextIO

QUIET = 1.0  # seconds a step may take before anybody is told
EVERY = 5.0  # seconds between lines where a line cannot be rewritten


class Progress:
    """`with Progress("Installing") as progress: … progress.show("3 of 58")`, called as often as one likes."""

    def __init__(self, what: str, out: TextIO | None = None) -> None:
        self.what = what
        self.out = out or sys.stderr
        self.began = time.monotonic()
        self.shown = self.began + QUIET - EVERY  # the first line comes after QUIET

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        took = self.seconds
        start = "\r\x1b[2K" if self.out.isatty() else ""
        if kind is None and took > QUIET:
            self.write(f"{start}{self.what}: done ({took:.0f} s)\n")
        elif took > QUIET:
            self.write(f"{start}{self.what}: not done ({took:.0f} s)\n")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def show(self, detail: str = "") -> None:
        now, tty = time.monotonic(), self.out.isatty()
        if now - self.shown < (QUIET / 4 if tty and self.seconds > QUIET else EVERY):
            return
        self.shown = now
        line = f"{self.what} … {self.seconds:.0f} s" + (f", {detail}" if detail else "")
        self.write(f"\r\x1b[2K{line}" if tty else f"{line}\n")

    def write(self, text: str) -> None:
        try:
            self.out.write(text)
            self.out.flush()
        except OSError:  # nobody reads any more: no reason to stop working
            return
