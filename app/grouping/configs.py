"""The released grouping configurations, by name."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from app.grouping.parameters import TABLES, Table
from app.grouping.ruled import Rules, rules

CURRENT = "2026-12"
#: Every configuration, oldest first, with the table of what is replaced in messages.
RELEASED = {"2026-11": "2026-11", "2026-12": "2026-11"}


class Config(NamedTuple):
    """Everything a hash depends on besides the event."""

    name: str
    parameters: Table  # what is replaced in messages
    rules: Rules
    in_full: bool = False  # whether what cannot count any more is looked at too, for the page that says why


@lru_cache(128)
def config(name: str = CURRENT, stack: str = "", prints: str = "") -> Config:
    """A configuration with a project's own rules; one that is not known is the current one."""
    known = name if name in RELEASED else CURRENT
    return Config(known, TABLES[RELEASED[known]], rules(known, stack, prints))
