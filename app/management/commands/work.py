"""`manage.py work`: the worker processes of this machine."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Run workers until stopped: some for the event groups, some for everything else."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--events", type=int, default=1, help="processes for accepted events (1)")
        parser.add_argument("--rest", type=int, default=1, help="processes for every other queue (1)")
        parser.add_argument("--with-scheduler", action="store_true", help="run the scheduler beside them")
        parser.add_argument(
            "--grace", type=float, default=10, help="seconds to finish a task on stopping (10)"
        )

    def handle(self, *, events: int, rest: int, with_scheduler: bool, grace: float, **_: Any) -> None:
        from tasks.crew import crew  # noqa: PLC0415 - Celery is only for those who work
        from tasks.processes import keep_running  # noqa: PLC0415

        keep_running(crew(events, rest, with_scheduler=with_scheduler), grace)
