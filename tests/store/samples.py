"""Events as the pipeline hands them to the store."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from app.base import clock
from app.event import Event, Grouping, Variant
from app.models import DsnKey, Project
from app.store import counters

MINUTE = 60 * 1_000_000


def fold() -> None:
    """Counts what was recorded, as the clock has it done every second."""
    counters.fold()
    counters.fold_tags()


def digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def event(project: Project | int, key: DsnKey | int = 1, hashes: str = "a", **fields: Any) -> Event:
    """An event whose grouping hashes are those of the words in `hashes`."""
    now = clock.micros()
    words = [digest(word) for word in hashes.split()]
    values: dict[str, Any] = {
        "project_id": project if isinstance(project, int) else project.pk,
        "key_id": key if isinstance(key, int) else key.pk,
        "event_id": uuid.uuid4().hex,
        "kind": "error",
        "received": now,
        "timestamp": fields.get("received", now),
        "level": "error",
        "platform": "python",
        "title": f"KeyError: {hashes}",
        "culprit": "shop.payments in charge",
        "metadata": {"type": "KeyError", "value": hashes},
        "environment": "production",
        "release": "shop@1.0.0",
        "transaction": "/pay",
        "tags": {"level": "error", "browser": "Firefox 130", "tenant": "t7"},
        "user": "id:7",
        "data": {"extra": {"order": 7}},
        "grouping": Grouping(
            config="2026-11",
            hashes=words,
            variants=[Variant(name="app", hash=words[0])],
            fingerprint=["{{ default }}"],
        ),
    }
    return Event(**(values | fields))
