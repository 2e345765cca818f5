"""`manage.py schedule`: starts what is due by the clock; safe to run twice."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Start periodic tasks until stopped. A second one waits until the first is gone."
    requires_system_checks: list[str] = []

    def handle(self, **_: Any) -> None:
        from tasks import scheduler  # noqa: PLC0415 - Celery is only for those who work

        scheduler.run()
