"""Refused quantities, added up in memory and written to the journal every few seconds, for the usage page."""

from __future__ import annotations

import logging
import uuid
from collections import Counter

import msgspec

from app.base import clock
from app.ingest.keys import Key
from app.wire.record import Accepted

logger = logging.getLogger(__name__)


class Refusals:
    """What was refused since the last `take`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int, str, str, str]] = Counter()
        self._strangers = 0

    def count(self, key: Key, outcome: str, reason: str, category: str = "error") -> None:
        self._counts[key.project_id, key.id, category, outcome, reason] += 1

    def count_stranger(self) -> None:
        """A request with a key that nobody has: it belongs to no project's page."""
        self._strangers += 1

    def take(self) -> Accepted | None:
        """The counts as a record, None when there are none. Its id makes folding them twice harmless."""
        if self._strangers:
            logger.warning("%d requests came with keys that do not exist or are disabled", self._strangers)
            self._strangers = 0
        if not self._counts:
            return None
        now = clock.micros()
        rows = [(*counted, now, quantity) for counted, quantity in self._counts.items()]
        self._counts.clear()
        return Accepted(
            received=now,
            project_id=0,
            key_id=0,
            kind="counts",
            encoding="",
            client="",
            address="",
            agent="",
            event_id=uuid.uuid4().hex,
            body=msgspec.json.encode(rows),
        )

    def give_back(self, record: Accepted) -> None:
        """The record could not be written: its counts go into the next one."""
        for project, key, category, outcome, reason, _, quantity in msgspec.json.decode(record.body):
            self._counts[project, key, category, outcome, reason] += quantity
