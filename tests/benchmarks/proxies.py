"""The ways to the ingest service: directly, through nginx as shipped, and through HAProxy before that."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from app.local.process import Process, until
from app.local.server import free_port
from tests.benchmarks.floors import answers

HAPROXY = """
global
  maxconn 4000
  nbthread 2
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 2s
  timeout client 30s
  timeout server 60s
frontend door
  bind 127.0.0.1:{port}
  default_backend nginx
backend nginx
  option forwardfor
  server one {behind}
"""


def haproxy_program() -> str | None:
    return shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextlib.contextmanager
def haproxy(behind: str) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Its address and its processes; `behind` is host:port."""
    program = haproxy_program()
    assert program
    with tempfile.TemporaryDirectory(prefix="tocsin-haproxy-") as name:
        folder, port = Path(name), free_port()
        (folder / "conf").write_text(HAPROXY.format(port=port, behind=behind))
        server = Process("haproxy", [program, "-db", "-f", str(folder / "conf")], log=folder / "said")
        server.start()
        try:
            until(lambda: answers(port), 10, (folder / "said").read_text)
            assert server.child
            yield f"http://127.0.0.1:{port}", [psutil.Process(server.child.pid)]
        finally:
            server.stop()
