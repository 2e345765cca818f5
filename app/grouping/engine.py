"""From an event to its hashes: every strategy, the fingerprint, and what is left of the variants."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from app.event import Component, Event, Grouping, Variant
from app.grouping import fingerprint, memory, reports, stacktraces
from app.grouping.components import Part, branch, contains, digest, leaf, without
from app.grouping.configs import CONFIGS, CURRENT, IN_SHORT, Config

_DEFAULT = [fingerprint.DEFAULT]
_HASH = re.compile(r"[0-9a-f]{32}")


class Strategy(NamedTuple):
    """One way to look at an event; `name` stands in hints."""

    name: str
    look: Callable[[dict[str, Any], Config], dict[str, Part]]


#: The first one that finds something to count wins.
STRATEGIES = (
    Strategy("exception", stacktraces.exceptions),
    Strategy("threads", stacktraces.threads),
    Strategy("stack trace", stacktraces.top_level),
    Strategy("template", stacktraces.template),
    Strategy("security report", reports.report),
    Strategy("message", stacktraces.message),
)


def group(event: Event, config: str = CURRENT) -> Grouping:
    """The hashes of an event, the primary one first, each with the variant it is of; `explain` says why."""
    mark = None if _is_told(event.data) else memory.mark(event.data, config)
    if mark is not None and (known := memory.recall(mark)):
        return known
    found = _grouped(event.data, event.tags, IN_SHORT[config])
    found.variants = [Variant(one.name, one.hash, None, one.hint) for one in found.variants if one.hash]
    if mark is not None:
        memory.remember(mark, event.data, found)
    return found


def explain(data: dict[str, Any], tags: dict[str, str], config: str = CURRENT) -> Grouping:
    """The same with every variant and all trees, from an event as it was stored: they need not be."""
    return _grouped(data, tags, CONFIGS[config])


def _is_told(data: dict[str, Any]) -> bool:
    """Whether the client has a say in it."""
    return "checksum" in data or data.get("fingerprint", _DEFAULT) != _DEFAULT


def _grouped(data: dict[str, Any], tags: dict[str, str], config: Config) -> Grouping:
    checksum = data.get("checksum")
    if checksum:
        return _by_checksum(str(checksum), config.name)
    found = _variants(data, config)
    values = data.get("fingerprint") or [fingerprint.DEFAULT]
    if len(values) == 1 and fingerprint.is_default(values[0]):
        variants = [
            Variant(name, digest(part.texts) if part.contributes else None, part.tree)
            for name, part in found.items()
        ]
        return _grouping(config.name, variants, [fingerprint.DEFAULT])
    resolved = fingerprint.resolved(values, data, tags, _crash_frame(data))
    return _by_fingerprint(resolved, found, config.name)


def _grouping(config: str, variants: list[Variant], values: list[str]) -> Grouping:
    """What counts comes first, `system` last of it; when nothing counts, all such events are one issue."""
    hashes = [variant.hash for variant in variants if variant.hash]
    if not hashes:
        fallback = Variant("fallback", digest(()), None, "nothing in the event tells it from others")
        variants, hashes = [fallback, *variants], [digest(())]
    return Grouping(config, list(dict.fromkeys(hashes)), variants, values)


# -- variants ----------------------------------------------------------------------------------------------


def _variants(data: dict[str, Any], config: Config) -> dict[str, Part]:
    """The variants of the first strategy that finds something, `app` before `system`."""
    winner: Strategy | None = None
    chosen: dict[str, Part] = {}
    for strategy in STRATEGIES:
        parts = strategy.look(data, config)
        if winner is not None:
            for name, part in parts.items():
                chosen.setdefault(name, without(part, f"the {winner.name} takes precedence"))
        elif any(part.contributes for part in parts.values()):
            winner, chosen = strategy, {**chosen, **parts}
            if not config.in_full:
                break
        else:
            chosen.update(parts)
    return balanced(chosen) if "system" in chosen else chosen


def balanced(found: dict[str, Part]) -> dict[str, Part]:
    """Never a mere type of an exception beside a stack trace, never two equal hashes."""
    app, system = found["app"], found["system"]
    if app.contributes and not system.contributes:
        app = without(app, "the system variant does not count")
    elif app.contributes and system.contributes:
        in_app, in_system = contains(app.tree, "stacktrace"), contains(system.tree, "stacktrace")
        if app.texts == system.texts:
            app = without(app, "its hash matches the system variant")
        elif in_system and not in_app:
            app = without(app, "only the system variant has a stack trace")
        elif in_app and not in_system:
            system = without(system, "only the app variant has a stack trace")
    rest = {name: part for name, part in found.items() if name not in ("app", "system")}
    return {"app": app, "system": system, **rest}


# -- what clients decide -----------------------------------------------------------------------------------


def _by_checksum(checksum: str, config: str) -> Grouping:
    text = checksum.lower()
    is_hash = bool(_HASH.fullmatch(text))
    found = text if is_hash else digest([checksum])
    component = Component("checksum", True, [checksum], "" if is_hash else "hashed because it is no MD5")
    return _grouping(config, [Variant("checksum", found, component)], [])


def _by_fingerprint(texts: list[str], found: dict[str, Part], config: str) -> Grouping:
    parts = [leaf("value", text) for text in texts]
    if fingerprint.DEFAULT not in texts:
        custom = Variant("custom-fingerprint", digest(texts), branch("fingerprint", parts).tree)
        others = [
            Variant(name, None, without(part, "the fingerprint replaces it").tree)
            for name, part in found.items()
        ]
        return _grouping(config, [custom, *others], texts)
    variants = []
    for name, part in found.items():
        salted = [
            piece for text in texts for piece in (part.texts if text == fingerprint.DEFAULT else [text])
        ]
        tree = branch(
            "salted", [part if text == fingerprint.DEFAULT else leaf("fingerprint", text) for text in texts]
        )
        if part.contributes:
            variants.append(Variant(name, digest(salted), tree.tree, "with the client's fingerprint"))
        else:
            variants.append(Variant(name, None, part.tree))
    if not any(variant.hash for variant in variants):
        rest = [text for text in texts if text != fingerprint.DEFAULT]
        variants.insert(0, Variant("custom-fingerprint", digest(rest), branch("fingerprint", parts).tree))
    return _grouping(config, variants, texts)


def _crash_frame(data: dict[str, Any]) -> dict[str, Any]:
    """The last in-app frame of the thrown exception, of the event's own trace or of its only thread."""
    thrown = data["exception"]["values"][-1] if "exception" in data else {}
    threads = data["threads"]["values"] if "threads" in data else []
    lone = threads[0] if len(threads) == 1 else {}
    for holder in (thrown, data, lone):
        if "stacktrace" in holder:
            frames: list[dict[str, Any]] = holder["stacktrace"]["frames"]
            own = [frame for frame in frames if frame["in_app"]]
            return (own or frames)[-1]
    return {}
