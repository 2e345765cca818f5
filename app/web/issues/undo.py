"""What one person's action changed, signed for that person, so that "Undo" can travel with the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.core import signing

from app.models import User
from app.store.workflow import Changed

FOR = 3600  # seconds an undo stays good


class Taken(msgspec.Struct, frozen=True):
    """What is to be taken back: changes of state, a merge or a split by its job, or discarded issues."""

    changes: list[Changed] = []
    move_id: int | None = None
    tombstones: list[int] = []


def pack(user: User, changes: list[Changed]) -> str:
    return _signed(user, Taken(changes))


def pack_move(user: User, move_id: int) -> str:
    return _signed(user, Taken(move_id=move_id))


def pack_discarded(user: User, tombstones: list[int]) -> str:
    return _signed(user, Taken(tombstones=tombstones))


def unpack(user: User, text: str) -> Taken:
    """What `pack` was given; raises signing.BadSignature for anything not made for this person lately."""
    told = signing.loads(text, salt=_salt(user), max_age=FOR)
    changes = [
        Changed(each["issue_id"], _state(each["before"]), _state(each["after"])) for each in told["changes"]
    ]
    return Taken(changes, told["move_id"], told["tombstones"])


def _signed(user: User, taken: Taken) -> str:
    return signing.dumps(msgspec.to_builtins(taken), salt=_salt(user), compress=True)


def _state(columns: dict[str, Any]) -> dict[str, Any]:
    at = columns["resolved_at"]
    return {**columns, "resolved_at": datetime.fromisoformat(at) if at else None}


def _salt(user: User) -> str:
    return f"undo:{user.pk}"
