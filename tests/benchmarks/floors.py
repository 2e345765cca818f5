"""What the machine can do at best, measured in the same run: our figures are told as ratios to these.

accept      nginx that answers 200 to the same requests of the same generator
process     one process that unpacks, decodes, compresses and COPYs the same bodies, and nothing else
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import psutil
import psycopg
from isal import isal_zlib

from app.base.zstandard import zstd
from app.local.process import Process, until
from app.local.server import free_port
from tests.benchmarks.bodies import bodies

NGINX = """
daemon off;
pid {folder}/pid;
error_log {folder}/log;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  client_max_body_size 20m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{{"id":"{id}"}}'; }}
  }}
}}
"""
GROUP = 200
GZIP = 31


@contextlib.contextmanager
def nginx() -> Iterator[tuple[str, list[psutil.Process]]]:
    """The address of an nginx that answers 200 to everything, and its processes."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "nginx is not installed (apt-get install -y nginx)"
    with tempfile.TemporaryDirectory(prefix="tocsin-floor-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "conf").write_text(NGINX.format(folder=folder, port=port, id="0" * 32))
        server = Process("nginx", [program, "-c", str(folder / "conf")], log=folder / "said")
        server.start()
        try:
            until(lambda: answers(port), 10, (folder / "said").read_text)
            assert server.child
            parent = psutil.Process(server.child.pid)
            yield f"http://127.0.0.1:{port}", [parent, *parent.children()]
        finally:
            server.stop()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def process(database: str, events: int = 6000, corpus: str = "python", issues: int = 200) -> dict[str, Any]:
    """CPU per event of one process and of its session, and events per second alone on the machine."""
    supply = list(islice(bodies(issues, corpus=corpus), min(events, 3000)))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table if not exists bench_floor (id uuid primary key, body bytea)")
        session = psutil.Process(connection.info.backend_pid)
        here, there, wall = time.process_time(), sum(session.cpu_times()[:2]), time.perf_counter()
        for start in range(0, events, GROUP):
            store(connection, (supply[at % len(supply)] for at in range(start, start + GROUP)))
        wall = time.perf_counter() - wall
        spent = time.process_time() - here, sum(session.cpu_times()[:2]) - there
        connection.execute("drop table bench_floor")
    return {
        "us_per_event": round(sum(spent) / events * 1e6, 1),
        "us_python": round(spent[0] / events * 1e6, 1),
        "us_postgresql": round(spent[1] / events * 1e6, 1),
        "events_per_s": round(events / wall, 1),
    }


def store(connection: psycopg.Connection[Any], group: Iterator[bytes]) -> None:
    sql = "copy bench_floor (id, body) from stdin (format binary)"
    with connection.transaction(), connection.cursor().copy(sql) as copy:
        copy.set_types(["uuid", "bytea"])
        for body in group:
            _, _, payload = isal_zlib.decompress(body, GZIP).split(b"\n", 2)
            event = msgspec.json.decode(payload)
            copy.write_row((uuid.uuid4(), zstd.compress(msgspec.json.encode(event), 1)))
