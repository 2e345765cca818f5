"""Whether an address is free, and who has it when it is not."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from app.local.process import NotReady


def check_free(port: int) -> None:
    """Raises NotReady with the name of who listens there."""
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind(("127.0.0.1", port))
        except PermissionError:
            raise NotReady(f"Port {port} is for root only: choose one above 1023 with --port.") from None
        except OSError:
            holder = who_listens(port)
            raise NotReady(
                f"Port {port} is taken{f' by {holder}' if holder else ''}: "
                f"stop that, or choose another one with --port."
            ) from None


def who_listens(port: int) -> str:
    """`name (process 123)` out of /proc; empty where it is not to be seen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for fields in (line.split() for line in lines_of(table)[1:]):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(open_file) in sockets for open_file in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:  # somebody else's process, or it is gone
            continue
    return ""


def lines_of(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []
