"""Categories that a project sends too much of: refused, or left out of an envelope that holds others too."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from app.ingest.answers import Refusal
from app.ingest.keys import Key, Limit
from app.normalize.quantities import CATEGORIES, FREE


def categories(types: Iterable[str]) -> frozenset[str]:
    """What items of these types are counted as."""
    return frozenset(
        "error" if one == "event" else CATEGORIES.get(one, "default") for one in types if one not in FREE
    )


def hit(key: Key, sent: frozenset[str]) -> dict[str, Limit]:
    """Those of the key's limits that hold for what was sent, by category."""
    now = time.time()
    return {one.category: one for one in key.limits if one.category in sent and one.until > now}


def refusal(limits: Iterable[Limit]) -> Refusal:
    """The 429 that names them, so that a client leaves out what is limited and sends the rest.

    It is counted by category: when nothing is kept by who refuses, otherwise by the worker, which knows how
    much it was.
    """
    now = time.time()
    waits = {one: max(1, math.ceil(one.until - now)) for one in limits}
    named = ", ".join(f"{wait}:{one.category}:{one.scope}:{one.reason}" for one, wait in waits.items())
    longest = max(waits, key=waits.__getitem__)
    text = ", ".join(sorted(one.category for one in waits))
    refused = Refusal(
        429,
        f"the {longest.scope} has sent too much of this: {text}",
        reason=longest.reason,
        outcome="rate_limited",
        retry_after=waits[longest],
        limits=named,
    )
    refused.is_counted = True
    return refused
