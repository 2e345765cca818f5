"""Which events are stored already: one question after the other, none of them waited for."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

import psutil
import psycopg

#: The first two columns of the key: of the partitions of yesterday (around midnight) and today.
SQL = (
    b"select event_id::text from app_event where day = any ($1::date[]) and project_id = $2"
    b" and event_id = any ($3::uuid[])"
)
#: As many are asked for at a time: the oldest.
AT_ONCE = 500


class Watch:
    """`outstanding`: event id to (when it was accepted, where its seconds go once it is there)."""

    def __init__(self, database: str, project: int) -> None:
        connection = psycopg.connect(database, autocommit=True)
        self.connection = connection  # closes its PGconn when it is forgotten
        self.channel = connection.pgconn
        self.channel.prepare(b"stored", SQL)
        self.channel.nonblocking = 1
        self.backend = psutil.Process(connection.info.backend_pid)
        self.project = b"%d" % project
        self.outstanding: dict[str, tuple[float, list[float]]] = {}
        self.is_asking = False
        self.pause = 0.004
        self.due = self.last = 0.0

    def turn(self) -> None:
        """Takes an answer if there is one, and asks again when it is time."""
        if self.is_asking:
            self.channel.consume_input()
            if not self.channel.is_busy():
                self.take()
        if not self.is_asking and self.outstanding and time.perf_counter() >= self.due:
            self.ask()

    def ask(self) -> None:
        today = datetime.now(UTC).date()
        ids = list(self.outstanding)[:AT_ONCE]
        days = f"{{{today},{today - timedelta(days=1)}}}".encode()
        self.channel.send_query_prepared(b"stored", [days, self.project, f"{{{','.join(ids)}}}".encode()])
        self.channel.flush()
        self.is_asking, self.due = True, time.perf_counter() + self.pause

    def take(self) -> None:
        self.is_asking = False
        now = time.perf_counter()
        while result := self.channel.get_result():
            if result.error_message:
                raise RuntimeError(result.error_message.decode())
            for row in range(result.ntuples):
                value = result.get_value(row, 0)
                assert value
                accepted, seconds = self.outstanding.pop(uuid.UUID(value.decode()).hex)
                seconds.append(now - accepted)
                self.last = now

    def cpu(self) -> float:
        """Seconds that PostgreSQL spent on these questions."""
        spent = self.backend.cpu_times()
        return float(spent.user + spent.system)
