"""The time and the environment that a page of numbers is about, as its address says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest

from app.base import clock
from app.web.shell import Place


class Period(NamedTuple):
    """How long, and the step of its bars."""

    label: str
    long: timedelta
    step: timedelta

    @property
    def since(self) -> datetime:
        """The beginning of the first step: the present hour is in the last one."""
        return clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) - self.long

    @property
    def steps(self) -> int:
        return int(self.long / self.step)


PERIODS = {
    "6h": Period("6 hours", timedelta(hours=6), timedelta(hours=1)),
    "24h": Period("24 hours", timedelta(hours=24), timedelta(hours=1)),
    "7d": Period("7 days", timedelta(days=7), timedelta(hours=6)),
    "14d": Period("14 days", timedelta(days=14), timedelta(hours=12)),
    "30d": Period("30 days", timedelta(days=30), timedelta(days=1)),
}
DEFAULT = "24h"


class Asked(NamedTuple):
    """What an address says; nonsense counts as not said."""

    name: str  # of the period
    environment: str | None  # "" is the one without a name, None is any

    @property
    def period(self) -> Period:
        return PERIODS[self.name]


def asked(request: HttpRequest, offered: tuple[str, ...]) -> Asked:
    """One of the periods that the page offers."""
    name, environment = request.GET.get("period", DEFAULT), request.GET.get("environment")
    environment = environment.replace("\0", "") if environment else environment
    return Asked(name if name in offered else DEFAULT, environment)


def choices(place: Place, now: Asked, offered: tuple[str, ...]) -> dict[str, Any]:
    """What the page needs to offer others."""
    return {
        "period": now.name,
        "periods": [(name, PERIODS[name].label) for name in offered],
        "environment": now.environment,
        "environments": place.environments(),
    }
