"""What an envelope brings beside error events: one struct per kind, in the words of the protocol.

A reader in app/normalize makes them of an item's bytes, a writer in app/store keeps them. Each request's
items are written once, however often they are delivered: in the transaction that notes the request's key.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, NamedTuple

import msgspec

from app.event import Counted
from app.options import DEFAULT, Options

Headers = dict[str, Any]
Quantities = Counter[tuple[str, str, str]]  # by category, outcome and reason


class Item(msgspec.Struct, kw_only=True):
    """What is known of any item. Times are integer microseconds since the epoch, UTC."""

    project_id: int
    received: int  # its day is the partition that the item goes to


class Attachment(Item):
    """A file that belongs to an event, which may come before it, with it, after it, or never."""

    event_id: str  # 32 hex
    name: str
    content_type: str  # as the client says, "" when it says nothing
    kind: str  # attachment_type: "event.attachment", "event.minidump", "event.view_hierarchy", …
    content: bytes


class Feedback(Item):
    """What a person said: about an error they met, or just so."""

    feedback_id: str  # 32 hex; of a report about an event the event's
    event_id: str  # of the error it is about, "" when about none
    message: str
    name: str
    email: str
    url: str
    source: str  # "widget", "user_report", …
    environment: str


class Log(Item):
    """One record of an application's log."""

    timestamp: int  # µs
    trace_id: str  # 32 hex, "" when none
    span_id: str  # 16 hex, "" when none
    severity: int  # OpenTelemetry's number, 1 to 24
    body: str
    environment: str
    release: str
    attributes: dict[str, Any]  # by name, plain JSON values


#: How a session ended, the worst last; each counts as the worst that was said of it.
Ending = Literal["healthy", "errored", "unhandled", "abnormal", "crashed"]
ENDINGS: tuple[Ending, ...] = ("healthy", "errored", "unhandled", "abnormal", "crashed")


class Session(Item):
    """What a client says of one session; of two updates the order does not matter."""

    started: int  # µs; its day is the partition that the session goes to
    sid: str  # 32 hex; "" when it is not to be told from others
    user: str  # "" when not known
    release: str
    environment: str
    is_first: bool  # only a session whose first update came is counted
    ending: int  # index of ENDINGS


class Sessions(Item):
    """Sessions that a server counted by itself."""

    started: int  # µs, of its minute
    user: str
    release: str
    environment: str
    counts: tuple[int, int, int, int, int]  # by ENDINGS


class Span(Item):
    """Something that took time, on its own: of a streamed trace, or of OpenTelemetry."""

    trace_id: str  # 32 hex
    span_id: str  # 16 hex
    parent_id: str  # "" of a root
    name: str
    op: str  # "db", "http.client", …
    status: str  # "ok", "internal_error", …; "" when nothing was said
    started: int  # µs
    duration: int  # µs
    is_segment: bool  # the first of its trace in its service: what is counted as a transaction
    environment: str
    release: str
    attributes: dict[str, Any]


class Transaction(Item):
    """What a service did from a request to its answer, with the spans inside."""

    event_id: str
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    op: str
    status: str
    started: int  # µs
    duration: int  # µs
    environment: str
    release: str
    spans: int
    body: bytes  # Told, as JSON in zstd


class CheckIn(Item):
    """What a job says of one run."""

    check_in_id: str  # 32 hex; "" for the newest one that is in progress
    slug: str  # of its monitor
    status: Literal["in_progress", "ok", "error"]
    duration: int | None  # ms
    environment: str
    release: str
    trace_id: str
    schedule: Schedule | None  # if the job says when it is to run


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a job is to run, and what is a fault of it."""

    crontab: str = ""  # five fields; "" when it runs every so often
    every: int = 0  # of `unit`
    unit: Literal["year", "month", "week", "day", "hour", "minute"] = "day"
    timezone: str = "UTC"
    margin: int = 1  # minutes it may be late
    max_runtime: int = 30  # minutes
    failures: int = 1  # in a row until it counts as failing
    recoveries: int = 1


class Told(msgspec.Struct):
    """What is shown of a transaction."""

    data: dict[str, Any]  # like an event's
    spans: list[dict[str, Any]]  # span_id, parent_span_id, op, description, status, start, duration (µs), …
    measurements: dict[str, Any] = {}  # by name: value and unit


class Once(msgspec.Struct):
    """What one accepted request comes to beside its error events: applied as a whole and once."""

    key: str  # 32 hexadecimal digits, the same at every delivery
    counts: list[Counted] = []
    items: list[Item] = []


class Whence(NamedTuple):
    """Who sent an item, and when: what its bytes alone do not say."""

    project_id: int
    key_id: int
    received: int  # µs
    event_id: str  # of its envelope, 32 hex: the one that was answered
    address: str  # of the sender, "" when unknown
    agent: str  # its User-Agent
    client: str  # sentry_client, "sentry.python/2.75.0"
    sent_at: object  # as the envelope says it, for the drift of the client's clock
    options: Options = DEFAULT  # what the project's people chose
    limited: dict[str, str] = {}  # categories of which too much was sent, with the reason


class Read(msgspec.Struct):
    """What one item comes to: what is kept of it, and what is counted."""

    items: list[Item] = []
    counts: Quantities = msgspec.field(default_factory=Counter)


class Invalid(ValueError):
    """This item cannot be understood; the message is the reason on the usage page, as in "no_release"."""


def accepted(category: str, items: list[Item]) -> Read:
    """Items that are all of one category and are all kept."""
    return Read(items, Counter({(category, "accepted", ""): len(items)} if items else {}))
