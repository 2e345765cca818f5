"""What is said by an API call instead of an envelope: read by the same readers, stored before the answer."""

from __future__ import annotations

import json
import uuid
from typing import Any

from rest_framework import exceptions

from app import options
from app.base import clock
from app.item import Item, Whence
from app.models import Project
from app.normalize import items
from app.store.record import record
from app.wire import envelope


def keep(
    kind: str, told: dict[str, Any], project: Project, key_id: int = 0, *, event_id: str = ""
) -> list[Item]:
    """What was kept of it, nothing when the project does not want it. Raises ValidationError."""
    whence = Whence(
        project_id=project.pk,
        key_id=key_id,
        received=clock.micros(),
        event_id=event_id or uuid.uuid4().hex,
        address="",
        agent="",
        client="",
        sent_at=None,
        options=options.of_project(project.options),
    )
    item = envelope.Item({"type": kind}, memoryview(json.dumps(told).encode()))
    once = items.read(uuid.uuid4().hex, [item], whence)
    record([], onces=[once])
    if invalid := next((one.reason for one in once.counts if one.outcome == "invalid"), ""):
        raise exceptions.ValidationError({"detail": f"That cannot be kept: {invalid.replace('_', ' ')}."})
    return once.items
