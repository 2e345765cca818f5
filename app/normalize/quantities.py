"""What is counted: by which names, and how much of it at most."""

from __future__ import annotations

import msgspec

from app.event import Category, Counted, Event

#: What items are counted as, in the words of rate limits and client reports.
CATEGORIES = {
    "transaction": "transaction",
    "security": "security",
    "raw_security": "security",
    "nel": "security",
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
    "otlp_logs": "log_item",
    "otlp_traces": "span",
    "trace_metric": "trace_metric",
    "statsd": "metric_bucket",
    "metric_buckets": "metric_bucket",
}
#: Items that no limit is about: they tell of what was not sent, or belong to what was.
FREE = frozenset(("client_report", "user_report"))
#: No container holds more, and no client throws away more between two reports.
MOST = 1_000_000


def of_event(event: Event) -> Category:
    """What an event is counted as."""
    return "error" if event.kind in ("error", "default") else "security"


def listed(body: bytes) -> list[Counted]:
    """The rows that the accepting side counted. Raises msgspec.DecodeError."""
    rows = msgspec.json.decode(body, type=list[tuple[int, int, str, str, str, int, int]])
    return [Counted(*row) for row in rows]


def number(value: object) -> int:
    """A quantity as a client says it; 0 when it says nothing sensible."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST else 0
