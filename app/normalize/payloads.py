"""An item's payload as JSON, or the reason why it is none."""

from __future__ import annotations

from typing import Any

from app.base.json import NotJson, decode
from app.item import Invalid


def told(payload: bytes) -> dict[str, Any]:
    """The JSON object that an item says. Raises Invalid."""
    try:
        found = decode(payload).value
    except NotJson as error:
        raise Invalid("unreadable") from error
    if not isinstance(found, dict):
        raise Invalid("unreadable")
    return found
