"""What one person's action changed, signed for that person, so that "Undo" can travel with the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.core import signing

from app.models import User
from app.store.workflow import Changed

FOR = 3600  # seconds an undo stays good


def pack(user: User, changes: list[Changed]) -> str:
    return signing.dumps(msgspec.to_builtins(changes), salt=_salt(user), compress=True)


def unpack(user: User, text: str) -> list[Changed]:
    """The changes; raises signing.BadSignature for anything `pack` did not make for this person lately."""
    changes = signing.loads(text, salt=_salt(user), max_age=FOR)
    return [Changed(each["issue_id"], _state(each["before"]), _state(each["after"])) for each in changes]


def _state(columns: dict[str, Any]) -> dict[str, Any]:
    at = columns["resolved_at"]
    return {**columns, "resolved_at": datetime.fromisoformat(at) if at else None}


def _salt(user: User) -> str:
    return f"undo:{user.pk}"
