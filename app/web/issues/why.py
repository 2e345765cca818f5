"""Why an event is in its issue, in words a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from app import options
from app.event import Component, Grouping, Variant
from app.grouping import explain
from app.grouping.configs import RELEASED
from app.grouping.engine import SAME
from app.store.read import EventRow

NAMES = {
    "app": "frames of the application",
    "system": "all frames of the stack",
    "default": "the event's message or type",
    "message": "the message",
    "custom-fingerprint": "the fingerprint",
    "checksum": "the checksum the client sent",
    "fallback": "nothing in particular: all such events are one issue",
}

#: Functions that the sentence names; characters of a text in it.
NAMED, LONGEST = 3, 80
#: What else may count, and is named as it is.
OTHERS = frozenset(
    ("filename", "context-line", "directive", "violation", "source", "hostname", "domain", "code")
)


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
    rule: str  # that set the fingerprint, "" when none did
    config: str
    ways: list[Way]

    @property
    def is_chosen(self) -> bool:
        """Whether the client said more than "as you would by yourself"."""
        return [each.replace(" ", "") for each in self.fingerprint] not in ([], ["{{default}}"])


def grouping_of(event: EventRow, chosen: options.Grouping) -> Grouping | None:
    """With the trees that its hashes were made of: they are not stored, but made again from the event."""
    stored = event.body.grouping
    if stored is None or stored.config not in RELEASED:
        return stored
    found = explain(event.data, event.tags, stored.config, chosen.stack_rules, chosen.fingerprint_rules)
    return found if found.hashes == stored.hashes else stored


def why(grouping: Grouping | None) -> Why | None:
    if grouping is None:
        return None
    first = grouping.hashes[0] if grouping.hashes else None
    ways = [_way(variant, first) for variant in grouping.variants]
    return Why(sentence(grouping), grouping.fingerprint, grouping.rule, grouping.config, ways)


def sentence(grouping: Grouping) -> str:
    """What decides, in words: "Grouped by the type KeyError and 2 frames of the application, …"."""
    deciding = next((one for one in grouping.variants if one.hash and one.hash == grouping.hashes[0]), None)
    if deciding is None:
        return "Grouped by its fingerprint."
    if deciding.name == "fallback":
        return "Nothing in the event tells it from others: all such events are one issue."
    if deciding.name == "checksum":
        return "Grouped by the checksum the client sent."
    if deciding.name == "custom-fingerprint":
        return f"Grouped by the fingerprint {_whose(grouping)}, whatever happened."
    if deciding.component is None:  # made by rules that were changed since
        return f"Grouped by the {NAMES.get(deciding.name, deciding.name)}, by rules that were changed since."
    salted = f", and by the fingerprint {_whose(grouping)}" if len(grouping.fingerprint) > 1 else ""
    return f"Grouped by {_counted(deciding, _is_ours(grouping))}{salted}.{_uncounted(deciding.component)}"


def _is_ours(grouping: Grouping) -> bool:
    """Whether all frames that count are the application's."""
    app = next((one for one in grouping.variants if one.name == "app"), None)
    matches = app is not None and app.component is not None and SAME in app.component.hint
    return matches or (app is not None and app.hash is not None)


def _whose(grouping: Grouping) -> str:
    return f"of the rule “{grouping.rule}”" if grouping.rule else "the client sent"


def _counted(deciding: Variant, is_ours: bool) -> str:
    parts = list(_parts(deciding.component)) if deciding.component else []
    kinds = list(dict.fromkeys(_said(one) for one in parts if one.id == "type"))
    frames = [one for one in parts if one.id == "frame"]
    found = [f"the type{'s' if len(kinds) > 1 else ''} {', '.join(kinds)}"] if kinds else []
    if frames:
        whose = "of the application" if is_ours else "of the stack"
        names = list(dict.fromkeys(name for one in reversed(frames) if (name := _place(one))))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        counted = f"{len(frames)} frame{'' if len(frames) == 1 else 's'} {whose}"
        found.append(f"{counted} ({', '.join(names[:NAMED])}{more})" if names else counted)
    found += [f"the message “{_said(one)}”" for one in parts if one.id in ("value", "text")]
    found += [f"{one.id.replace('-', ' ')} {_said(one)}" for one in parts if one.id in OTHERS]
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found) or NAMES["default"]


def _uncounted(component: Component) -> str:
    """That the message does not count, as many wonder."""
    values = [one for one in _all(component) if one.id == "value" and not one.contributes]
    hint = next((one.hint for one in values if one.hint), "").removeprefix("ignored because ")
    return f" The message does not count: {hint}." if hint and not _counts(component, "value") else ""


def _counts(component: Component, name: str) -> bool:
    return any(one.id == name for one in _parts(component))


def _parts(component: Component) -> Iterator[Component]:
    """The parts that count, in order; what frames consist of is theirs."""
    if component.contributes:
        yield component
        for value in component.values if component.id != "frame" else ():
            if isinstance(value, Component):
                yield from _parts(value)


def _all(component: Component) -> Iterator[Component]:
    yield component
    for value in component.values:
        if isinstance(value, Component):
            yield from _all(value)


def _place(frame: Component) -> str:
    """A frame's function, else its file or module."""
    told = {one.id: _said(one) for one in _all(frame) if one is not frame and one.contributes}
    return told.get("function") or told.get("filename") or told.get("module") or told.get("context-line", "")


def _said(component: Component) -> str:
    text = " ".join(value for value in component.values if isinstance(value, str))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


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
