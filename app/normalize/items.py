"""An envelope's items beside error events: each stands or falls alone, and each is counted.

A reader takes one item's bytes, its headers and who sent it, and gives what is kept of it and what is
counted (`Read`), or raises `Invalid`. An item of a kind without a reader is counted as filtered, reason
"unsupported"; one of a category that the project does not want, as filtered, reason "disabled".
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from app.event import Counted
from app.item import Headers, Invalid, Item, Once, Quantities, Read, Whence
from app.normalize import (
    attachments,
    checkins,
    client_reports,
    feedback,
    logs,
    otlp,
    reports,
    sessions,
    spans,
    transactions,
)
from app.normalize.quantities import CATEGORIES, FREE, number
from app.wire import envelope

log = logging.getLogger(__name__)

#: Reads an item's payload. Raises Invalid.
Reader = Callable[[bytes, Headers, Whence], Read]
READERS: dict[str, Reader] = {
    "attachment": attachments.read,
    "check_in": checkins.read,
    "client_report": client_reports.read,
    "feedback": feedback.feedback,
    "log": logs.read,
    "otel_log": logs.read,
    "otlp_logs": otlp.records,
    "otlp_traces": otlp.traces,
    "session": sessions.update,
    "sessions": sessions.aggregates,
    "span": spans.read,
    "transaction": transactions.read,
    "user_report": feedback.report,
    **dict.fromkeys(
        ("profile", "profile_chunk", "replay_event", "replay_recording", "replay_video"), attachments.blob
    ),
    "raw_security": reports.unreadable,
    "nel": reports.unreadable,
}


#: Items of one kind in one envelope; what is beyond is counted as invalid.
MOST = {"session": 100, "sessions": 100}
#: Why nothing of a category is kept in a project that has switched it off.
DISABLED = "disabled"


def read(key: str, found: list[envelope.Item], whence: Whence, unwanted: Quantities | None = None) -> Once:
    """What the items of one request come to, with its `unwanted` events. Never raises for what is in them.

    The attachments of an event that a filter met are of no use without it.
    """
    counts: Quantities = Counter(unwanted)
    why = next(((outcome, reason) for _, outcome, reason in counts), None)
    kept: list[Item] = []
    seen: Counter[str] = Counter()
    for item in found:
        kind = item.headers["type"]
        seen[kind] += 1
        if seen[kind] > MOST.get(kind, len(found)):
            counts[CATEGORIES[kind], "invalid", "too_many"] += 1
            continue
        one = _with_its_event(*why) if why and kind == "attachment" else _read(item, whence)
        counts += one.counts
        kept += one.items
    return Once(key, _counted(counts, whence), kept)


def _quantity(item: envelope.Item) -> int:
    """How many a container says that it holds."""
    return number(item.headers.get("item_count")) or 1


def _with_its_event(outcome: str, why: str) -> Read:
    return Read([], Counter({("attachment", outcome, why): 1}))


def _read(item: envelope.Item, whence: Whence) -> Read:
    kind = str(item.headers["type"])
    category = CATEGORIES.get(kind, "default")
    if (reason := whence.limited.get(category)) and kind not in FREE:
        return Read([], Counter({(category, "rate_limited", reason): _quantity(item)}))
    is_wanted = whence.options.wants(category)
    if kind not in READERS or not is_wanted:
        quantity = _quantity(item)
        return Read([], Counter({(category, "filtered", "unsupported" if is_wanted else DISABLED): quantity}))
    try:
        return READERS[kind](bytes(item.payload), item.headers, whence)
    except Invalid as invalid:
        quantity = _quantity(item)
        return Read([], Counter({(category, "invalid", str(invalid)[:64]): quantity}))
    except (Exception, RecursionError, MemoryError) as error:
        log.exception("A %s item of project %s could not be read", kind[:40], whence.project_id)
        return Read([], Counter({(category, "invalid", type(error).__name__[:64]): 1}))


def _counted(counts: Quantities, whence: Whence) -> list[Counted]:
    return [
        Counted(whence.project_id, whence.key_id, *names, whence.received, quantity)
        for names, quantity in counts.items()
    ]
