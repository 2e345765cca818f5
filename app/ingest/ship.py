"""The shipper: a thread that takes groups from the journal to the broker.

The only module here that knows kombu.
A group is one persistent message of Celery's protocol whose body is the journal's own bytes. The offset
advances when the broker confirmed it and not before; whatever goes wrong, the journal still has it.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import Any, NamedTuple

from amqp import PreconditionFailed
from django.conf import settings
from kombu import Connection, Producer

from app.ingest import folder
from app.ingest.journal import Journal
from app.ingest.tail import BYTES, Slice, Tail
from tasks import groups, queues

logger = logging.getLogger(__name__)


class Pace(NamedTuple):
    """What arrives together travels together."""

    seconds: float  # from one message to the next while they are not full
    full: int  # bytes that make a message which need not wait for company


#: While so many groups wait in the broker, larger ones cost no time, and the workers and PostgreSQL less.
BUSY = 4
QUICK, SPARING = Pace(0.025, 384 * 1024), Pace(0.080, BYTES - 32 * 1024)
#: Seconds between looks at how much waits in the broker.
LOOK_EVERY = 1.0
#: Seconds the broker has to confirm, and for which one that says "blocked" (memory, disk) is waited for.
CONFIRM, BLOCKED = 2.0, 60.0
#: First and longest pause after a failure.
PAUSE, LONGEST_PAUSE = 0.2, 5.0
#: Seconds between looks for folders whose process is gone.
ADOPT_EVERY = 5.0
#: AMQP's (class, method) of basic.ack and basic.nack.
_CONFIRMATIONS = [(60, 80), (60, 120)]


class Unroutable(Exception):
    """The broker gave the message back: its queue is gone."""


class Refused(Exception):
    """The broker will never take this message: it is larger than it allows."""


class Publisher:
    """A connection of our own, never kombu's pool: a graceful close hangs on a broker without memory."""

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._producer: Producer | None = None
        self._channel: Any = None  # kombu's, which is the transport's own
        self._is_blocked = False
        self._was_returned = False

    def publish(self, group: bytes) -> None:
        """Returns when the broker has it safe; raises what went wrong; then the connection is gone."""
        try:
            self._publish(group)
        except BaseException:
            self.drop()
            raise

    def _publish(self, group: bytes) -> None:
        producer = self._producer or self._connect()
        message_id = str(uuid.uuid4())
        exchange, key = queues.event_route()
        self._was_returned = False
        try:
            producer.publish(
                group,
                exchange=exchange,
                routing_key=key,
                content_type=groups.CONTENT_TYPE,
                content_encoding="binary",
                headers=groups.headers(message_id),
                correlation_id=message_id,
                delivery_mode=2,
                mandatory=True,
                confirm_timeout=CONFIRM,
            )
        except PreconditionFailed as error:
            raise Refused(str(error)) from error
        except TimeoutError:
            if not self._is_blocked:
                raise
            self._wait_until_unblocked()
        if self._was_returned:
            raise Unroutable("the broker has no queue for events")

    def _connect(self) -> Producer:
        self._connection = connection = queues.connect()
        self._is_blocked = False
        if queues.is_amqp():
            connection.transport_options = (connection.transport_options or {}) | {
                "on_blocked": self._note_blocked,
                "on_unblocked": self._note_unblocked,
            }
        connection.ensure_connection(max_retries=1, interval_start=0)
        queues.declare(connection)
        self._channel = connection.channel()
        # Only AMQP gives messages back; kombu's other channels do not know the event.
        returned = self._note_return if queues.is_amqp() else None
        self._producer = Producer(self._channel, auto_declare=False, on_return=returned)
        return self._producer

    def waiting(self, *, connect: bool) -> int | None:
        """Groups that wait in the broker; None when there is no connection to ask. Raises as publish does."""
        try:
            if connect and self._producer is None:
                self._connect()
            if self._connection is None or self._is_blocked:
                return None
            found = queues.depth(self._connection, "events")
        except BaseException:
            self.drop()
            raise
        return found.messages if found else 0

    def _wait_until_unblocked(self) -> None:
        """The broker has the message but does not read on: another copy would only be read later as well."""
        logger.warning("the broker is blocked (out of memory or disk): waiting for it")
        deadline = time.monotonic() + BLOCKED
        while True:
            try:
                self._channel.wait(_CONFIRMATIONS, timeout=CONFIRM)
            except TimeoutError:
                if not self._is_blocked or time.monotonic() > deadline:
                    raise
            else:
                return

    def _note_blocked(self, _reason: str) -> None:
        self._is_blocked = True

    def _note_unblocked(self) -> None:
        self._is_blocked = False

    def _note_return(self, *_: Any) -> None:
        self._was_returned = True

    def drop(self) -> None:
        """Ends the connection, at AMQP without a word to the broker."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is None:
            return
        # kombu has no public way to its transport's connection that would not open a new one.
        established: Any = getattr(connection, "_connection")  # noqa: B009
        if queues.is_amqp() and established is not None:
            established.collect()
        elif established is not None:
            connection.release()


class Shipper:
    """The thread. Started once, woken after every append, stopped at the end of its process."""

    def __init__(self, journal: Journal) -> None:
        self.error = ""  # why the broker does not take groups, "" while it does
        self.queued = 0  # groups that waited in the broker at the last look
        self.pace = QUICK
        self.is_held = False  # so many that the others stay in the journal
        self._journal = journal
        self._own: Tail | None = None
        self._adopted: list[Tail] = []
        self._adopt_at = 0.0
        self._publisher = Publisher()
        self._look_at = 0.0
        self._grown = threading.Event()
        self._full = threading.Event()
        self._stopping = threading.Event()
        self._stop_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is more in the journal."""
        self._grown.set()
        if self._journal.waiting >= self.pace.full:
            self._full.set()

    def stop(self, seconds: float) -> None:
        """Ships what is left for at most `seconds`; what then remains is adopted by another process."""
        self._stop_by = time.monotonic() + seconds
        self._stopping.set()
        self._grown.set()
        self._full.set()
        self._thread.join(seconds + CONFIRM)

    def _run(self) -> None:
        pause = PAUSE
        while time.monotonic() < self._stop_by:
            self._grown.clear()
            self._full.clear()
            try:
                self._look()
                if self.is_held:
                    if self._stopping.wait(LOOK_EVERY):
                        break
                    continue
                size = self._round()
            except Exception as error:  # noqa: BLE001 whatever a broker does, the journal has it and we go on
                self._report(f"{type(error).__name__}: {error}")
                if self._stopping.wait(pause):
                    break
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = PAUSE
            if not size:
                if self._stopping.is_set():
                    break
                self._grown.wait(1.0)
            elif max(size, self._journal.waiting) < self.pace.full:
                self._full.wait(self.pace.seconds)
        self._leave()

    def _look(self) -> None:
        """Asks now and then whether the broker has enough: what is more is safer in the journal."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_EVERY
        # Whoever ships nothing would never connect again.
        if (queued := self._publisher.waiting(connect=self.is_held)) is None:
            return
        self.queued = queued
        self.pace = QUICK if queued < BUSY else SPARING
        # Lets go well below the limit, so that it does not come and go with every group.
        is_held = queued > (settings.QUEUE_LIMIT * 3 // 4 if self.is_held else settings.QUEUE_LIMIT)
        if is_held and not self.is_held:
            logger.warning("%d groups wait in the queue, more stay in the journal", queued)
        elif self.is_held and not is_held:
            logger.warning("the queue is short again (%d groups), shipping goes on", queued)
        self.is_held = is_held

    def _round(self) -> int:
        """One group of each folder; the bytes of all of them."""
        size = 0
        for tail in self._tails():
            group = tail.take()
            if group:
                self._ship(tail, group)
                size += len(group.data)
            elif tail is not self._own:
                self._adopted.remove(tail)
                tail.close()
                tail.folder.remove()
        return size

    def _tails(self) -> list[Tail]:
        if self._own is None and self._journal.folder:
            self._own = Tail(self._journal.folder, lambda: self._journal.end)
        if time.monotonic() >= self._adopt_at and not self._stopping.is_set():
            self._adopt_at = time.monotonic() + ADOPT_EVERY
            for found in folder.adopt(self._journal.root):
                logger.info("shipping what a process that is gone left in %s", found.path)
                self._adopted.append(Tail(found))
        return [*([self._own] if self._own else []), *self._adopted]

    def _ship(self, tail: Tail, group: Slice) -> None:
        try:
            self._publisher.publish(group.data)
        except Refused as error:
            if group.records > 1 and (first := tail.take(1)):
                self._ship(tail, first)
                return
            kept = tail.put_aside(group)
            logger.error(
                "the broker refuses a record of %d bytes, kept in %s: %s", len(group.data), kept, error
            )
        else:
            tail.advance(group.end)
        self._report("")
        if tail is self._own:
            self._journal.confirmed = tail.passed

    def _report(self, error: str) -> None:
        """One line when the broker goes and one when it is back."""
        if error and not self.error:
            logger.warning("groups stay in the journal, the broker does not take them: %s", error)
        elif self.error and not error:
            logger.warning("the broker takes groups again")
        self.error = error

    def _leave(self) -> None:
        self._publisher.drop()
        for tail in self._adopted:
            tail.close()
            tail.folder.release()
        if self._own:
            is_empty = self._own.take() is None
            self._own.close()
            if is_empty:
                self._own.folder.remove()
            else:
                self._own.folder.release()
