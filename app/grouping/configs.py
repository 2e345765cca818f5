"""The released grouping configurations, by name."""

from __future__ import annotations

from typing import NamedTuple

from app.grouping.parameters import TABLES, Table

CURRENT = "2026-11"


class Config(NamedTuple):
    """Everything a hash depends on besides the event."""

    name: str
    parameters: Table  # what is replaced in messages
    in_full: bool = True  # whether what cannot count any more is looked at too, for the page that says why


CONFIGS = {"2026-11": Config("2026-11", TABLES["2026-11"])}
#: The same for whoever only wants the hashes.
IN_SHORT = {name: config._replace(in_full=False) for name, config in CONFIGS.items()}
