"""The released grouping configurations, by name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from app.grouping.parameters import TABLES, Table, parameterised, shortened
from app.grouping.places import keys
from app.grouping.ruled import Marked, Rules, rules
from app.grouping.stack_rules import NOBODY, Thrown
from app.options import Grouping

CURRENT = "2026-12"
#: Every configuration, oldest first, with the table of what is replaced in messages.
RELEASED = {"2026-11": "2026-11", "2026-12": "2026-11"}


class Config(NamedTuple):
    """Everything a hash depends on besides the event."""

    name: str
    parameters: Table  # what is replaced in messages
    rules: Rules


def chosen(options: Grouping, at: float) -> tuple[Config, Config | None]:
    """What holds in a project (at seconds since the epoch), and what held before, while that counts."""
    now = config(options.config, options.stack_rules, options.fingerprint_rules)
    if options.older_until <= at or options.older_config == now.name:
        return now, None
    return now, config(options.older_config, options.stack_rules, options.fingerprint_rules)


class Look:
    """One event looked at with a configuration; what rules made of a trace is found out once."""

    def __init__(self, data: dict[str, Any], config: Config, *, in_full: bool = False) -> None:
        self.data, self.config = data, config
        self.in_full = in_full  # whether what cannot count any more is looked at too
        self.main: int | None = None  # the exception of a group that the event is about, by its place
        self.reads_messages = False  # whether that of an exception may count in a hash
        self._keys: dict[int, list[int]] = {}
        self._marked: dict[int, Marked] = {}

    def keys(self, trace: dict[str, Any]) -> list[int]:
        """What the trace's frames are known by."""
        found = self._keys.get(id(trace))
        if found is None:
            found = self._keys[id(trace)] = keys(trace["frames"], self.data["platform"])
        return found

    def mark(self, trace: dict[str, Any], thrown: Thrown = NOBODY) -> Marked:
        """A trace of the event with what the rules made of its frames."""
        found = self._marked.get(id(trace))
        if found is None:
            found = self._marked[id(trace)] = self.config.rules.mark(
                trace["frames"], self.keys(trace), self.data["platform"], thrown
            )
        return found

    def short(self, text: str) -> str:
        """The beginning of a message, with what varies in it replaced."""
        return parameterised(shortened(text), self.config.parameters)


@lru_cache(128)
def config(name: str = CURRENT, stack: str = "", prints: str = "") -> Config:
    """A configuration with a project's own rules; one that is not known is the current one."""
    known = name if name in RELEASED else CURRENT
    return Config(known, TABLES[RELEASED[known]], rules(known, stack, prints))
