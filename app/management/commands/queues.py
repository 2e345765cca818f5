"""`manage.py queues`: what waits in the broker, and making the queues."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "show: what waits in each queue and how many take it. apply: make the queues."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["show", "apply"], nargs="?", default="show")

    def handle(self, *, what: str, **_: Any) -> None:
        from tasks import queues  # noqa: PLC0415 - only this command needs the broker's library
        from tasks.catalogue import QUEUES  # noqa: PLC0415

        try:
            with queues.connect() as broker:
                if what == "apply":
                    queues.declare(broker)
                found = [(name, queues.depth(broker, name)) for name in [*(q.name for q in QUEUES), "dead"]]
        except queues.publish_errors() as error:
            raise CommandError(f"The broker does not answer: {error}") from error
        for name, depth in found:
            if depth is None:
                print(f"{name:<10} missing: run `manage.py queues apply` or a worker")
            else:
                taken = "" if depth.consumers is None else f"{depth.consumers:>4} consumers"
                print(f"{name:<10} {depth.messages:>8} waiting {taken}")
