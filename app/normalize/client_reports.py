"""What clients threw away themselves, by their own account."""

from __future__ import annotations

from app.base.json import NotJson, decode
from app.item import Headers, Invalid, Read, Whence
from app.normalize.quantities import number

LONGEST = 4096


def read(payload: bytes, headers: Headers, whence: Whence) -> Read:  # noqa: ARG001 what every reader gets
    """`{"discarded_events": [{"reason", "category", "quantity"}]}`; what makes no sense of it is left out."""
    try:
        report = decode(payload[:LONGEST]).value
    except NotJson as error:
        raise Invalid("unreadable") from error
    found = Read()
    discarded = report.get("discarded_events") if isinstance(report, dict) else None
    for row in discarded if isinstance(discarded, list) else ():
        category, reason = (row.get("category"), row.get("reason")) if isinstance(row, dict) else (None, None)
        quantity = number(row.get("quantity")) if isinstance(row, dict) else 0
        if isinstance(category, str) and isinstance(reason, str) and quantity:
            found.counts[category[:24], "client_discard", reason[:64]] += quantity
    return found
