"""The released grouping configurations, by name."""

from __future__ import annotations

from typing import NamedTuple

from app.grouping.parameters import TABLES, Table

CURRENT = "2026-11"


class Config(NamedTuple):
    """Everything a hash depends on besides the event."""

    name: str
    parameters: Table  # what is replaced in messages


CONFIGS = {"2026-11": Config("2026-11", TABLES["2026-11"])}
