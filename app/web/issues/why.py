"""Why an event is in its issue, in words a person reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.event import Component, Grouping, Variant
from app.grouping import explain
from app.grouping.configs import RELEASED
from app.store.read import EventRow

NAMES = {
    "app": "frames of the application",
    "system": "all frames of the stack",
    "default": "the event's message or type",
    "message": "the message",
    "custom-fingerprint": "the fingerprint the client sent",
    "custom_fingerprint": "the fingerprint the client sent",
    "checksum": "the checksum the client sent",
    "fallback": "nothing in particular: all such events are one issue",
}


@dataclass(frozen=True)
class Node:
    """A part of the event and whether it counted."""

    name: str
    counts: bool
    values: list[str] = field(default_factory=list)
    hint: str = ""
    parts: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Way:
    """One way of looking at the event; the first that counts decides."""

    name: str
    hash: str
    decides: bool
    hint: str
    tree: Node | None


@dataclass(frozen=True)
class Why:
    sentence: str
    fingerprint: list[str]
    config: str
    ways: list[Way]

    @property
    def is_chosen(self) -> bool:
        """Whether the client said more than "as you would by yourself"."""
        return [each.replace(" ", "") for each in self.fingerprint] not in ([], ["{{default}}"])


def grouping_of(event: EventRow) -> Grouping | None:
    """With the trees that its hashes were made of: they are not stored, but made again from the event."""
    stored = event.body.grouping
    if stored is None or stored.config not in RELEASED:
        return stored
    found = explain(event.data, event.tags, stored.config)
    return found if found.hashes == stored.hashes else stored


def why(grouping: Grouping | None) -> Why | None:
    if grouping is None:
        return None
    first = grouping.hashes[0] if grouping.hashes else None
    ways = [_way(variant, first) for variant in grouping.variants]
    deciding = next((way for way in ways if way.decides), None)
    named = deciding.name if deciding else "its fingerprint"
    return Why(f"Grouped by {named}.", grouping.fingerprint, grouping.config, ways)


def _way(variant: Variant, first: str | None) -> Way:
    return Way(
        name=NAMES.get(variant.name, variant.name),
        hash=variant.hash or "",
        decides=variant.hash is not None and variant.hash == first,
        hint=variant.hint,
        tree=_node(variant.component) if variant.component else None,
    )


def _node(component: Component) -> Node:
    return Node(
        name=component.id.replace("_", " ").replace("-", " "),
        counts=component.contributes,
        values=[each for each in component.values if isinstance(each, str)],
        hint=component.hint,
        parts=[_node(each) for each in component.values if isinstance(each, Component)],
    )
