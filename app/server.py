"""gunicorn's configuration, for `up`, compose and tests alike:

    gunicorn --config python:app.server app.asgi:application --bind 127.0.0.1:8000

The number of processes is gunicorn's own WEB_CONCURRENCY (default 1).
"""

from __future__ import annotations

import signal
from typing import Any

from app.local.process import end_with_parent

# Measured per request over one connection pool: gunicorn's own asgi worker 63 µs, this one 31 µs.
worker_class = "app.ingest.worker.Worker"
# Longer than a proxy keeps its side open, so that it is never we who close a connection it is about to use.
keepalive = 15
# Requests that are under way when the process is told to stop.
graceful_timeout = 20
timeout = 60
# gunicorn would leave a socket in the home folder.
control_socket_disable = True
# The heartbeat between parent and workers, out of reach of a full or slow disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108 a folder of the kernel's, not a file of ours
accesslog = None
loglevel = "warning"


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 gunicorn's signature
    """A worker whose parent was killed would keep the port for ever; what it accepted is in its journal."""
    end_with_parent(signal.SIGKILL, server.pid)()
