"""What is only counted: items that have no page of their own, and what clients threw away themselves."""

from __future__ import annotations

from collections import Counter

import msgspec

from app.base.json import NotJson, decode
from app.event import Counted
from app.wire.envelope import Item
from app.wire.record import Accepted

#: What items are counted as, in the words of rate limits and client reports.
CATEGORIES = {
    "transaction": "transaction",
    "security": "security",
    "attachment": "attachment",
    "session": "session",
    "sessions": "session",
    "user_report": "feedback",
    "feedback": "feedback",
    "check_in": "monitor",
    "profile": "profile",
    "profile_chunk": "profile_chunk",
    "replay_event": "replay",
    "replay_recording": "replay",
    "replay_video": "replay",
    "span": "span",
    "log": "log_item",
    "otel_log": "log_item",
    "trace_metric": "trace_metric",
    "statsd": "metric_bucket",
    "metric_buckets": "metric_bucket",
}
#: No container holds more, and no client throws away more between two reports.
MOST = 1_000_000
LONGEST_REPORT = 4096

Quantities = Counter[tuple[str, str, str]]  # by category, outcome and reason


def of(items: list[Item], accepted: Accepted) -> list[Counted]:
    """The quantities of an envelope's items, equal ones added up."""
    found: Quantities = Counter()
    for item in items:
        kind = str(item.headers["type"])
        if kind == "client_report":
            found += _report(bytes(item.payload))
        else:
            count = _number(item.headers.get("item_count")) or 1
            found[CATEGORIES.get(kind, "default"), "filtered", "unsupported"] += count
    return [
        Counted(accepted.project_id, accepted.key_id, *names, accepted.received, quantity)
        for names, quantity in found.items()
    ]


def one(accepted: Accepted, kind: str) -> Counted:
    """A single item of a kind without a page."""
    category = CATEGORIES.get(kind, "default")
    return Counted(
        accepted.project_id, accepted.key_id, category, "filtered", "unsupported", accepted.received, 1
    )


def listed(body: bytes) -> list[Counted]:
    """The rows that the accepting side counted. Raises msgspec.DecodeError."""
    rows = msgspec.json.decode(body, type=list[tuple[int, int, str, str, str, int, int]])
    return [Counted(*row) for row in rows]


def _report(payload: bytes) -> Quantities:
    """What a client says it threw away; what is not understood of it is left out."""
    found: Quantities = Counter()
    try:
        report = decode(payload[:LONGEST_REPORT]).value
    except NotJson:
        return found
    discarded = report.get("discarded_events") if isinstance(report, dict) else None
    for row in discarded if isinstance(discarded, list) else ():
        category, reason = (row.get("category"), row.get("reason")) if isinstance(row, dict) else (None, None)
        quantity = _number(row.get("quantity")) if isinstance(row, dict) else 0
        if isinstance(category, str) and isinstance(reason, str) and quantity:
            found[category[:24], "client_discard", reason[:64]] += quantity
    return found


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else 0
