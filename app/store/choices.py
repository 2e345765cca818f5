"""What projects' people chose, as the workers know it: seconds old at most, read for all at once."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from django.db import connection

from app import options
from app.options import DEFAULT, Choices, Options

#: Seconds after which everything is read again.
FRESH = 5.0


class Chosen:
    """Options by project. Those of all projects that chose anything are read with one statement."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read = float("-inf")
        self._of: dict[int, Options] = {}

    def now(self) -> Choices:
        """What holds for one group. Raises django.db.Error when PostgreSQL has to be asked and is away."""
        if self._clock() - self._read >= FRESH:
            self._of = _all()
            self._read = self._clock()
        found = self._of
        return lambda project_id: found.get(project_id, DEFAULT)

    def forget(self) -> None:
        self._read = float("-inf")


def _all() -> dict[int, Options]:
    with connection.cursor() as cursor:
        cursor.execute("select id, options::text from app_project where options <> '{}'")
        return {number: options.of_project(msgspec.json.decode(chosen)) for number, chosen in cursor}


chosen = Chosen()
