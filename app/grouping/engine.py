"""From an event to its hashes: every strategy, the fingerprint, and what is left of the variants."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from app.event import Component, Event, Grouping, Variant
from app.grouping import fingerprint, memory, reports, stacktraces
from app.grouping.components import Part, branch, contains, digest, leaf, without
from app.grouping.configs import CURRENT, Config, Look
from app.grouping.configs import config as configured
from app.grouping.fingerprint_rules import Face, FingerprintRule, Seen
from app.grouping.stack_rules import NOBODY

_DEFAULT = [fingerprint.DEFAULT]
#: Why `app` does not count beside `system` when all frames are in-app.
SAME = "its hash matches the system variant"
_HASH = re.compile(r"[0-9a-f]{32}")


class Strategy(NamedTuple):
    """One way to look at an event; `name` stands in hints."""

    name: str
    find: Callable[[dict[str, Any], Look], dict[str, Part]]


#: The first one that finds something to count wins.
STRATEGIES = (
    Strategy("exception", stacktraces.exceptions),
    Strategy("threads", stacktraces.threads),
    Strategy("stack trace", stacktraces.top_level),
    Strategy("template", stacktraces.template),
    Strategy("security report", reports.report),
    Strategy("message", stacktraces.message),
)


class Found(NamedTuple):
    """What grouping an event comes to."""

    grouping: Grouping
    moves: list[tuple[Any, bool]]  # frames that rules made in-app or not, with what they are now
    title: str  # that a rule gives the issue, "" when none does
    older: list[str]  # hashes by what decided before, while that counts
    main: int | None  # the exception of a group that the event is about, by its place


def group(event: Event, config: str = CURRENT) -> Grouping:
    """The hashes of an event, the primary one first, each with the variant it is of; `explain` says why."""
    return grouped(event, configured(config)).grouping


def grouped(event: Event, config: Config, older: Config | None = None) -> Found:
    """The same in a project of this configuration, with all that follows from its rules."""
    data = event.data
    look = Look(data, config)
    rule = _rule(_with_sdk(event, config), event.tags, look)
    if rule is None and not _is_told(data) and (mark := memory.mark(look, older)) is not None:
        if (known := memory.recall(mark)) is None:
            looks = [look, Look(data, older)] if older else [look]
            grouping = _brief(event, look, None)
            older_ones = tuple(_older(event, looks[1:]))
            known = memory.Known(grouping, _places(look), older_ones, look.main)
            memory.remember(mark, looks, known)
        moves = [_moved(data, one) for one in known.moves]
        return Found(known.grouping, moves, "", [*known.older], known.main)
    grouping = _brief(event, look, rule)
    title = _title(rule, event.tags, look) if rule else ""
    before = _older(event, [Look(data, older)] if older else [])
    return Found(grouping, _moves(look), title, before, look.main)


def explain(
    data: dict[str, Any], tags: dict[str, str], config: str = CURRENT, stack: str = "", prints: str = ""
) -> Grouping:
    """The same with every variant and all trees, from an event as it was stored: they need not be."""
    look = Look(data, configured(config, stack, prints), in_full=True)
    return _grouped(tags, look, _rule(data, tags, look))


def _brief(event: Event, look: Look, rule: FingerprintRule | None) -> Grouping:
    """Without trees, which are made again for whoever looks at them."""
    found = _grouped(event.tags, look, rule)
    found.variants = [Variant(one.name, one.hash, None, one.hint) for one in found.variants if one.hash]
    return found


def _older(event: Event, looks: list[Look]) -> list[str]:
    """What the event's hashes were before the project's configuration or rules changed, if they did."""
    found: list[str] = []
    for look in looks:
        rule = _rule(_with_sdk(event, look.config), event.tags, look)
        found += _grouped(event.tags, look, rule).hashes
    return found


def _is_told(data: dict[str, Any]) -> bool:
    """Whether the client has a say in it."""
    return "checksum" in data or data.get("fingerprint", _DEFAULT) != _DEFAULT


# -- whose code a frame is, by the rules -------------------------------------------------------------------


def _places(look: Look) -> tuple[memory.Move, ...]:
    """Of an event whose exceptions all have traces: the frames that rules changed, by their places."""
    return tuple(
        (place, index, in_app)
        for place, source in enumerate(look.data["exception"]["values"])
        for index, in_app in look.mark(source["stacktrace"], stacktraces.thrown(source)).changes()
    )


def _moved(data: dict[str, Any], move: memory.Move) -> tuple[Any, bool]:
    place, index, in_app = move
    return data["exception"]["values"][place]["stacktrace"]["frames"][index], in_app


def _moves(look: Look) -> list[tuple[Any, bool]]:
    return [
        (trace["frames"][index], in_app)
        for trace, thrown in stacktraces.traces(look.data)
        for index, in_app in look.mark(trace, thrown).changes()
    ]


def show(data: dict[str, Any], config: Config) -> None:
    """Sets what rules say of the frames of a stored event, to be shown: all of its threads' as well."""
    look = Look(data, config)
    threads = data["threads"]["values"] if "threads" in data else []
    others = [(one["stacktrace"], NOBODY) for one in threads if "stacktrace" in one]
    changes = [
        (trace["frames"][index], in_app)
        for trace, thrown in [*stacktraces.traces(data), *others]
        for index, in_app in look.mark(trace, thrown).changes()
    ]
    for frame, in_app in changes:
        frame["in_app"] = in_app


# -- rules about fingerprints ------------------------------------------------------------------------------


def _rule(data: dict[str, Any], tags: dict[str, str], look: Look) -> FingerprintRule | None:
    prints = look.config.rules.prints
    if "checksum" in data or not prints.concern(data["platform"]):
        return None
    traces: list[list[tuple[Face, bool]]] = []
    if prints.reads_frames:
        for trace, thrown in stacktraces.traces(data):
            found = look.mark(trace, thrown)
            states = found.states()
            traces.append([(one.named, state.in_app) for one, state in zip(found.met, states, strict=True)])
    return prints.first(Seen(data, tags, traces))


class _Sdk(msgspec.Struct):
    sdk: Any = None


_decode_sdk = msgspec.json.Decoder(_Sdk).decode


def _with_sdk(event: Event, config: Config) -> dict[str, Any]:
    """The data with the client's name in it, which is not read of an event that is stored as it came."""
    if event.came is None or not config.rules.prints.reads_sdk:
        return event.data
    return {**event.data, "sdk": _decode_sdk(event.came.raw).sdk}


def _resolved(rule: FingerprintRule, tags: dict[str, str], look: Look) -> list[str]:
    frame = _crash_frame(look)
    return [
        fingerprint.DEFAULT
        if fingerprint.is_default(value)
        else fingerprint.expanded(value, look.data, tags, frame, look.short)
        for value in rule.values
    ]


def _title(rule: FingerprintRule, tags: dict[str, str], look: Look) -> str:
    found = fingerprint.expanded(rule.title, look.data, tags, _crash_frame(look), lambda text: text)
    return found[:300].strip()


# -- one event ---------------------------------------------------------------------------------------------


def _grouped(tags: dict[str, str], look: Look, rule: FingerprintRule | None) -> Grouping:
    data, name = look.data, look.config.name
    checksum = data.get("checksum")
    if checksum:
        return _by_checksum(str(checksum), name)
    found = _variants(look)
    if rule is not None:
        return _by_fingerprint(_resolved(rule, tags, look), found, name, rule.text)
    values = data.get("fingerprint") or [fingerprint.DEFAULT]
    if len(values) == 1 and fingerprint.is_default(values[0]):
        return _by_itself(found, name, "")
    return _by_fingerprint(fingerprint.resolved(values, data, tags, _crash_frame(look)), found, name, "")


def _by_itself(found: dict[str, Part], config: str, rule: str) -> Grouping:
    variants = [
        Variant(name, digest(part.texts) if part.contributes else None, part.tree)
        for name, part in found.items()
    ]
    return _grouping(config, variants, [fingerprint.DEFAULT], rule)


def _grouping(config: str, variants: list[Variant], values: list[str], rule: str = "") -> Grouping:
    """What counts comes first, `system` last of it; when nothing counts, all such events are one issue."""
    hashes = [variant.hash for variant in variants if variant.hash]
    if not hashes:
        fallback = Variant("fallback", digest(()), None, "nothing in the event tells it from others")
        variants, hashes = [fallback, *variants], [digest(())]
    return Grouping(config, list(dict.fromkeys(hashes)), variants, values, rule)


# -- variants ----------------------------------------------------------------------------------------------


def _variants(look: Look) -> dict[str, Part]:
    """The variants of the first strategy that finds something, `app` before `system`."""
    winner: Strategy | None = None
    chosen: dict[str, Part] = {}
    for strategy in STRATEGIES:
        parts = strategy.find(look.data, look)
        if winner is not None:
            for name, part in parts.items():
                chosen.setdefault(name, without(part, f"the {winner.name} takes precedence"))
        elif any(part.contributes for part in parts.values()):
            winner, chosen = strategy, {**chosen, **parts}
            if not look.in_full:
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
            app = without(app, SAME)
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


def _by_fingerprint(texts: list[str], found: dict[str, Part], config: str, rule: str) -> Grouping:
    if texts == [fingerprint.DEFAULT]:
        return _by_itself(found, config, rule)
    parts = [leaf("value", text) for text in texts]
    if fingerprint.DEFAULT not in texts:
        custom = Variant("custom-fingerprint", digest(texts), branch("fingerprint", parts).tree)
        others = [
            Variant(name, None, without(part, "the fingerprint replaces it").tree)
            for name, part in found.items()
        ]
        return _grouping(config, [custom, *others], texts, rule)
    hint = "with the rule's fingerprint" if rule else "with the client's fingerprint"
    variants = []
    for name, part in found.items():
        salted = [
            piece for text in texts for piece in (part.texts if text == fingerprint.DEFAULT else [text])
        ]
        tree = branch(
            "salted", [part if text == fingerprint.DEFAULT else leaf("fingerprint", text) for text in texts]
        )
        if part.contributes:
            variants.append(Variant(name, digest(salted), tree.tree, hint))
        else:
            variants.append(Variant(name, None, part.tree))
    if not any(variant.hash for variant in variants):
        rest = [text for text in texts if text != fingerprint.DEFAULT]
        variants.insert(0, Variant("custom-fingerprint", digest(rest), branch("fingerprint", parts).tree))
    return _grouping(config, variants, texts, rule)


def _crash_frame(look: Look) -> dict[str, Any]:
    """The last in-app frame of the thrown exception, of the event's own trace or of its only thread."""
    data = look.data
    thrown = data["exception"]["values"][-1] if "exception" in data else {}
    threads = data["threads"]["values"] if "threads" in data else []
    lone = threads[0] if len(threads) == 1 else {}
    for holder in (thrown, data, lone):
        if "stacktrace" in holder:
            trace: dict[str, Any] = holder["stacktrace"]
            about = stacktraces.thrown(thrown) if holder is thrown else NOBODY
            states = zip(trace["frames"], look.mark(trace, about).states(), strict=True)
            own = [frame for frame, state in states if state.in_app]
            return (own or trace["frames"])[-1]  # type: ignore[no-any-return]
    return {}
