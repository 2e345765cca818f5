"""Make the database ready for this version; on an empty one also the first user and project."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from app.accounts.first_run import FirstRun, first_run
from app.base import clock
from app.store import partitions


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one line of JSON instead of words")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, skip_checks=True)
        partitions.rotate(clock.day_of(clock.micros()))
        result = first_run()
        self.stdout.write(json.dumps(asdict(result)) if options["json"] else words(result))


def words(result: FirstRun) -> str:
    """What a person needs who has never been here; one line for one who has."""
    if not result.is_new:
        return "The database is ready."
    return "\n".join(
        [
            "The database is ready. This is shown once:",
            f"  E-mail     {result.email}",
            f"  Password   {result.password}",
            f"  DSN        {result.dsn}",
            f"  API token  {result.token}",
        ]
    )
