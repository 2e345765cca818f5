"""The data that flows through the pipeline: plain structs, no behaviour, no framework.

Accepted  -- one request as the journal keeps it (app.wire.record)
Event     -- one error of any SDK, normalised, with its Grouping
Refused   -- bytes that could not become an event, with the reason
Stored    -- what the store did with one event

What comes in envelopes beside error events is in app.item.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Level = Literal["fatal", "error", "warning", "info", "debug"]
#: Severity as stored: a smallint that sorts.
LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "fatal": 50}

#: What kind of event: an exception, a plain message, a browser's security report, …
Kind = Literal["error", "default", "csp", "hpkp", "expectct", "expectstaple"]

#: Categories of accepted or refused quantities, as SDKs name them in rate limits and client reports.
Category = str


class Note(msgspec.Struct, frozen=True):
    """Something the server changed or dropped in an event, shown on its page."""

    type: str  # invalid_data, value_too_long, past_timestamp, missing_attribute, unknown_attribute, …
    name: str  # dotted path of the attribute: "user.email", "exception.values.0.type"
    value: str = ""  # the offending value in short, already scrubbed


class Component(msgspec.Struct, omit_defaults=True):
    """A node of the grouping tree: what went into the hash, what did not, and why."""

    id: str
    contributes: bool
    values: list[Component | str] = []
    hint: str = ""


class Variant(msgspec.Struct):
    """One way to look at an event (app, system, default, custom-fingerprint, checksum, fallback)."""

    name: str
    hash: str | None  # 32 hex characters; None when nothing contributes
    component: Component | None = None
    hint: str = ""


class Grouping(msgspec.Struct, omit_defaults=True):
    """Why an event belongs to its issue."""

    config: str  # version of the grouping configuration, e.g. "2026-11"
    hashes: list[str]  # 32 hex characters each; the first one is the primary hash
    variants: list[Variant]
    fingerprint: list[str]  # resolved, for display
    rule: str = ""  # the project's or the configuration's rule that set the fingerprint


class AsItCame(msgspec.Struct, omit_defaults=True):
    """An event that is stored as the client wrote it; `app.normalize.glance` says when."""

    raw: msgspec.Raw  # the client's JSON
    address: str = ""  # of the connection, if it is part of what is shown
    sent_at: Any = None  # by the client's clock, if that was wrong


class Event(msgspec.Struct, kw_only=True):
    """One normalised event, ready to be stored. Times are integer microseconds since the epoch, UTC."""

    project_id: int
    key_id: int
    event_id: str  # 32 lowercase hex characters
    kind: Kind
    received: int
    timestamp: int
    level: Level
    platform: str
    title: str  # "KeyError: 'gross'"
    culprit: str  # "shop.payments in charge"
    metadata: dict[str, str]  # type, value, filename, function: what the list shows
    environment: str  # "" when the SDK sent none
    release: str  # "" when none
    transaction: str
    tags: dict[str, str]  # all tags, derived ones included
    user: str  # "id:7", "username:ada", "email:…", "ip:…" or ""
    data: dict[str, Any]  # the normalised payload, JSON-able: what the page shows
    notes: list[Note] = []
    came: AsItCame | None = None  # then `data` is what grouping needs, and there are no `notes` yet
    grouping: Grouping | None = None
    older: list[str] = []  # hashes by the configuration before: they are looked up, never attached


class Refused(msgspec.Struct, kw_only=True):
    """Bytes that were accepted but could not become an event: kept, with the reason, to be replayed."""

    project_id: int
    key_id: int
    received: int  # µs
    reason: str  # one clear sentence
    category: Category
    frame: bytes  # the record as it was accepted (a frame of app.wire.record): replay is exact
    item: int  # index of the item in its envelope, -1 for the whole request


class Counted(msgspec.Struct, frozen=True):
    """A quantity for the usage page: accepted, filtered, rate_limited, invalid, abuse or client_discard."""

    project_id: int
    key_id: int
    category: Category
    outcome: str
    reason: str
    at: int  # µs; folded to its hour
    quantity: int


class Stored(msgspec.Struct, frozen=True):
    """What the store did with one event; `kind` tells whether anyone should hear of it."""

    kind: Literal["new", "regressed", "ordinary", "duplicate", "discarded"]
    project_id: int
    event_id: str
    day: str  # ISO date of the partition, "2026-11-22"
    issue_id: int | None
    notable_id: int | None = None  # row of the durable announcement, for new and regressed
