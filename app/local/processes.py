"""How our own processes are started: the same words here, in the compose file and in the tests."""

from __future__ import annotations

import os
import sys

from app.local.install import ROOT

MANAGE = [sys.executable, str(ROOT / "manage.py")]


def web(port: int) -> list[str]:
    """Dashboard and ingest in one process, configured in app/server.py; its last requests get 4 s."""
    return [
        sys.executable, "-m", "gunicorn", "--config", "python:app.server", "app.asgi:application",
        "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "4",
    ]  # fmt: skip


def worker() -> list[str]:
    """One process for events on a single core, two on more: a third would take memory and add little."""
    return [*MANAGE, "work", "--events", str(min(2, os.cpu_count() or 1)), "--grace", "4"]


def scheduler() -> list[str]:
    return [*MANAGE, "schedule"]


def prepare() -> list[str]:
    """Migrations, partitions and the first rows, in one short process that answers with one line of JSON."""
    return [*MANAGE, "prepare", "--json"]
