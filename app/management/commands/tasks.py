"""`manage.py tasks`: every task, its queue, its retries and what makes it harmless to run twice."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "list: the catalogue of tasks. replay N: queue the failed task number N once more."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["list", "replay"], nargs="?", default="list")
        parser.add_argument("number", type=int, nargs="?", help="of the failed task, as Admin shows it")

    def handle(self, *, what: str, number: int | None, **_: Any) -> None:
        if what == "list":
            self.list()
        else:
            self.replay(number)

    def list(self) -> None:
        from tasks.catalogue import QUEUES, TASKS  # noqa: PLC0415 - only this command needs it

        federated = {queue.name: "F" if queue.federated else "L" for queue in QUEUES}
        for spec in TASKS:
            every = f"every {spec.every:g} s" if spec.every else spec.trigger
            print(
                f"{spec.name:<32} {spec.queue:<9}{federated[spec.queue]}  {spec.retries} retries  "
                f"{spec.soft_limit:>4} s  once by {spec.idempotent_by}; {every}"
            )

    def replay(self, number: int | None) -> None:
        from tasks import failures  # noqa: PLC0415

        if number is None:
            raise CommandError("Which one? manage.py tasks replay NUMBER")
        if not failures.replay(number):
            raise CommandError(f"{number} is no failed task that can be replayed")
        print(f"{number} is queued again")
