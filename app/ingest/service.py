"""What one accepting process runs beside its requests: journal, shipper, keys and the counts of refusals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from app.ingest.body import Room
from app.ingest.check import Limits
from app.ingest.commit import GroupCommit
from app.ingest.journal import Journal
from app.ingest.keys import Database, Keys
from app.ingest.quotas import EVERY, Quotas, Shared
from app.ingest.refusals import Refusals
from app.ingest.ship import Shipper
from app.wire.record import frame

#: Seconds between two writings of refused quantities.
COUNT_EVERY = 5.0
#: Seconds for which a stopping process still ships.
STOP_WITHIN = 3.0
#: Bodies held in memory at once, in units of the largest one allowed.
LARGE_BODIES = 2


@dataclass
class Service:
    """Made once per process; `start` and `stop` belong to the server's lifespan."""

    journal: Journal
    database: Database
    keys: Keys = field(init=False)
    shipper: Shipper = field(init=False)
    commit: GroupCommit = field(init=False)
    quotas: Quotas = field(init=False)
    refusals: Refusals = field(default_factory=Refusals)
    max_body: int = settings.MAX_BODY
    proxies: int = settings.TRUSTED_PROXIES
    limits: Limits = field(default_factory=lambda: Limits(settings.MAX_ENVELOPE, settings.MAX_EVENT))
    room: Room = field(default_factory=lambda: Room(LARGE_BODIES * settings.MAX_BODY))

    def __post_init__(self) -> None:
        self.keys = Keys(self.database.lookup)
        self.shipper = Shipper(self.journal)
        cache = settings.CACHES["default"]
        self.quotas = Quotas(Shared(cache["LOCATION"], cache["KEY_PREFIX"]).add)
        self.commit = GroupCommit(self._append)

    def _append(self, frames: list[bytes]) -> None:
        self.journal.append(frames)
        self.shipper.wake()

    def start(self) -> None:
        self.shipper.start()
        self._counting = [asyncio.create_task(self._count()), asyncio.create_task(self._exchange())]

    async def stop(self) -> None:
        for task in self._counting:
            task.cancel()
        await self.quotas.exchange()
        await self.write_counts()
        self.commit.close()
        self.journal.close()
        await asyncio.to_thread(self.shipper.stop, STOP_WITHIN)
        await self.database.close()

    async def _count(self) -> None:
        while True:
            await asyncio.sleep(COUNT_EVERY)
            await self.write_counts()

    async def _exchange(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self.quotas.exchange()

    async def write_counts(self) -> None:
        """Refused quantities travel like events; a journal that is full keeps them in memory."""
        if counts := self.refusals.take():
            try:
                await self.commit.write(frame(counts))
            except OSError:
                self.refusals.give_back(counts)

    def state(self) -> dict[str, Any]:
        """For people and health checks."""
        return {
            "journal": {"waiting_bytes": self.journal.waiting, "limit_bytes": self.journal.limit},
            "broker": {"ok": not self.shipper.error, "error": self.shipper.error},
        }


def make() -> Service:
    """The service as the settings describe it."""
    return Service(Journal(settings.JOURNAL, settings.JOURNAL_LIMIT), Database(settings.DATABASES["default"]))
