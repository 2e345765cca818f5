"""The parts of an address that have a form of their own."""

from __future__ import annotations

import uuid

from app.base.shortid import split_short_id


class ShortId:
    """SHOP-1A, whatever its case; anything else is no address."""

    regex = "[A-Za-z0-9_-]+-[0-9A-Za-z]+"

    def to_python(self, value: str) -> tuple[str, int]:
        slug, number = split_short_id(value)
        if number > 2**31 - 1:
            raise ValueError("no issue has such a number")
        return slug, number

    def to_url(self, value: str) -> str:
        return value


class EventId:
    """32 hexadecimal characters, with or without dashes."""

    regex = "[0-9a-fA-F-]{32,36}"

    def to_python(self, value: str) -> uuid.UUID:
        return uuid.UUID(value)

    def to_url(self, value: uuid.UUID | str) -> str:
        return value.hex if isinstance(value, uuid.UUID) else value
