"""What `up` says: what goes on to standard error, what it promises to standard output."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from app.local.installation import Ready


def say(line: str) -> None:
    """For people who watch."""
    write(sys.stderr, line)


def promise(line: str) -> None:
    """For whoever asked, a script perhaps: nothing else goes to standard output."""
    write(sys.stdout, line)


def write(stream: TextIO, line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more: no reason to stop working
        stream.write(f"{line}\n")
        stream.flush()


def welcome(ready: Ready, seconds: float, *, stays: bool) -> str:
    """The last words of a start: where to look, how to sign in, and how to send a first error."""
    password = ready.login["password"] or "the one you chose"
    lines = [
        "",
        f"  Tocsin is ready in {seconds:.1f} s",
        "",
        f"  Dashboard   {ready.url}/",
        f"  Sign in     {ready.login['email'] or 'as you are used to'}, password: {password}",
        f"  DSN         {ready.dsn or 'make a project on the dashboard to get one'}",
        f"  Data        {ready.data}",
    ]
    if stays and ready.dsn:
        python = os.path.relpath(sys.executable)
        snippet = f"import sentry_sdk; sentry_sdk.init('{ready.dsn}'); 1 / 0"
        lines += ["", "  Send a first error:", f'    {python} -c "{snippet}"']
    if stays:
        lines += ["", "  Ctrl-C stops everything; nothing is lost."]
    return "\n".join([*lines, ""])
