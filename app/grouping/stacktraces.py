"""Stack traces, exceptions, threads and templates."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter, eq
from typing import Any, NamedTuple

from app.grouping import frames
from app.grouping.components import Part, branch, brief, ignored, leaf, without
from app.grouping.configs import Look
from app.grouping.places import JAVASCRIPT
from app.grouping.stack_rules import NOBODY, Settled, Thrown

Variants = dict[str, Part]

_app, _system = attrgetter("app"), attrgetter("system")
_SAME = ("lineno", "function", "abs_path", "package", "module", "filename", "colno")


class Pair(NamedTuple):
    """A part in each variant."""

    app: Part
    system: Part


def stacktrace(trace: dict[str, Any], look: Look, thrown: Thrown = NOBODY) -> Pair:
    """The frames of a trace as the rules left them; one that calls itself counts once."""
    sources = trace["frames"]
    found = look.mark(trace, thrown)
    again = repeated(sources)
    if found.settled is None and not again and len(sources) > 1 and not look.in_full:
        seen = [one.seen for one in found.met]
        return Pair(brief("stacktrace", map(_app, seen)), brief("stacktrace", map(_system, seen)))
    if found.settled is None:
        seen = [one.seen for one in found.met]
    else:
        states = found.settled.states
        seen = [one.seen_in(state) for one, state in zip(found.met, states, strict=True)]
    for index in again:
        seen[index] = frames.Seen(*(without(part, "it calls itself") for part in seen[index]))
    app, system = [one.app for one in seen], [one.system for one in seen]
    if len(seen) == 1 and look.data["platform"] in JAVASCRIPT and _says_nothing(sources[0]):
        lone = "it is a lone frame without a function"
        return Pair(without(branch("stacktrace", app), lone), without(branch("stacktrace", system), lone))
    is_ours = any(part.contributes for part in app)
    why = "" if is_ours else "ignored because it has no in-app frames"
    if found.settled is not None and (found.settled.most or found.settled.least):
        return Pair(_limited(app, found.settled, why), _limited(system, found.settled, ""))
    return Pair(branch("stacktrace", app, why), branch("stacktrace", system))


def _limited(parts: list[Part], settled: Settled, hint: str) -> Part:
    """Only as many frames as rules allow, the innermost ones; none where there are fewer than they want."""
    if settled.most:
        counting = [index for index, part in enumerate(parts) if part.contributes]
        why = f"of the rule “{settled.most_rule}”"
        parts = list(parts)
        for index in counting[: -settled.most]:
            parts[index] = without(parts[index], why)
    if 0 < sum(part.contributes for part in parts) < settled.least:
        return without(branch("stacktrace", parts), f"of the rule “{settled.least_rule}”")
    return branch("stacktrace", parts, hint)


def repeated(sources: list[dict[str, Any]]) -> list[int]:
    """The positions of frames that are the same place as the frame before them."""
    lines = [source.get("lineno") for source in sources]
    if not any(map(eq, lines, lines[1:])):  # nearly all differ here
        return []
    return [index for index in range(1, len(sources)) if _is_same(sources[index], sources[index - 1])]


def _is_same(source: dict[str, Any], before: dict[str, Any]) -> bool:
    return all(source.get(name) == before.get(name) for name in _SAME)


def _says_nothing(source: dict[str, Any]) -> bool:
    return not source.get("function") and str(source.get("abs_path", "")).startswith(
        ("http:", "https:", "file:")
    )


def thrown(source: Any) -> Thrown:
    """An exception as rules see it."""
    mechanism = source.get("mechanism")
    kind = mechanism.get("type") if mechanism else None
    return Thrown(source.get("type") or "", source.get("value") or "", kind or "")


def exception(source: dict[str, Any], look: Look, *, is_lone: bool = False) -> Pair:
    """Type and stack trace; the message only counts where there is no trace."""
    stack = None
    if "stacktrace" in source:
        stack = stacktrace(source["stacktrace"], look, thrown(source))
    mechanism = source.get("mechanism", {})
    native = _ns_error(mechanism.get("meta", {}).get("ns_error"))
    name = source.get("type", "")
    kind = leaf("type", name) if name else None
    own_kind = kind
    if kind is not None and mechanism.get("synthetic"):
        own_kind = ignored("type", name, "the exception is made up by the client")
    # In most exceptions both variants have a trace that counts, and the message, costly to read, never does.
    # The app variant of a lone one without frames of ours is switched off in the end (`engine.balanced`).
    is_needed = stack is None or not (stack.system.contributes and (is_lone or stack.app.contributes))
    look.reads_messages = look.reads_messages or is_needed
    value = _value(source.get("value", ""), look) if is_needed or look.in_full else None
    app, system = (None, None) if stack is None else stack
    return Pair(
        branch("exception", (own_kind, app, native, _last_resort(value, app, native))),
        branch("exception", (kind, system, native, _last_resort(value, system, native))),
    )


def _value(text: str, look: Look) -> Part | None:
    short = look.short(text)
    if not short:
        return None
    return leaf("value", short, "" if short == text else "what varies was replaced")


def _last_resort(value: Part | None, stack: Part | None, native: Part | None) -> Part | None:
    if value is None:
        return None
    if stack is not None and stack.contributes:
        return without(value, "the stack trace says more")
    if native is not None and native.contributes:
        return without(value, "the error's code says more")
    return value


def _ns_error(error: object) -> Part | None:
    if not isinstance(error, dict):
        return None
    return branch("ns-error", [leaf(name, str(error[name])) for name in ("domain", "code") if name in error])


def exceptions(data: dict[str, Any], look: Look) -> Variants:
    """One exception, or the chain of them from its oldest cause on."""
    if "exception" not in data:
        return {}
    values = data["exception"]["values"]
    pairs = [exception(source, look, is_lone=len(values) == 1) for source in values]
    if len(pairs) == 1:
        return {"app": pairs[0].app, "system": pairs[0].system}
    chosen = _of_group(values, pairs, look)
    hint = "" if len(chosen) == len(pairs) else "exceptions of a group that say the same count once"
    return {
        "app": branch("chained-exception", [pair.app for pair in chosen], hint),
        "system": branch("chained-exception", [pair.system for pair in chosen], hint),
    }


def _of_group(values: list[dict[str, Any]], pairs: list[Pair], look: Look) -> list[Pair]:
    """Of an exception group: one of each distinct member, with the group around several distinct ones."""
    by_id: dict[int, int] = {}
    for index, source in enumerate(values):
        identity = source.get("mechanism", {}).get("exception_id")
        if not isinstance(identity, int):
            return pairs
        by_id[identity] = index
    children: dict[int, list[int]] = {}
    for identity, index in by_id.items():
        parent = values[index]["mechanism"].get("parent_id")
        if isinstance(parent, int) and parent in by_id and parent != identity:
            children.setdefault(parent, []).append(identity)
    if 0 not in by_id or not values[by_id[0]]["mechanism"].get("is_exception_group"):
        return pairs
    members = _members(0, values, by_id, children)
    distinct: dict[str, int] = {}
    for identity in sorted(members, key=lambda one: str(values[by_id[one]].get("type", "")), reverse=True):
        distinct.setdefault("".join(pairs[by_id[identity]].system.texts), identity)
    kept = list(distinct.values())
    if not kept:
        return pairs
    if len(kept) == 1:
        look.main = by_id[kept[0]]
        return [pairs[by_id[identity]] for identity in reversed(_first_chain(kept[0], children))]
    return [pairs[by_id[identity]] for identity in [*kept, 0]]


def _members(
    root: int, values: list[dict[str, Any]], by_id: dict[int, int], children: dict[int, list[int]]
) -> list[int]:
    """The first descendants that are no groups themselves."""
    found: list[int] = []
    waiting, visited = list(children.get(root, ())), {root}
    while waiting:
        identity = waiting.pop(0)
        if identity in visited:
            continue
        visited.add(identity)
        if values[by_id[identity]]["mechanism"].get("is_exception_group"):
            waiting += children.get(identity, ())
        else:
            found.append(identity)
    return found


def _first_chain(identity: int, children: dict[int, list[int]]) -> list[int]:
    """An exception and its first cause, that one's first cause, …"""
    chain = [identity]
    while (below := children.get(chain[-1])) and below[0] not in chain:
        chain.append(below[0])
    return chain


def threads(data: dict[str, Any], look: Look) -> Variants:
    """The stack of the thread that crashed, or of the current one, or of the only one."""
    trace = of_thread(data)
    if trace is None:
        return {}
    pair = stacktrace(trace, look)
    return {"app": branch("threads", [pair.app]), "system": branch("threads", [pair.system])}


def traces(data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Thrown]]:
    """The traces that may count, with the exceptions they are of."""
    for source in data["exception"]["values"] if "exception" in data else ():
        if "stacktrace" in source:
            yield source["stacktrace"], thrown(source)
    if (trace := of_thread(data)) is not None:
        yield trace, NOBODY
    if "stacktrace" in data:
        yield data["stacktrace"], NOBODY


def of_thread(data: dict[str, Any]) -> dict[str, Any] | None:
    """The trace of the thread that an event is about, if it is about one."""
    values = data["threads"]["values"] if "threads" in data else []
    for name in ("crashed", "current"):
        marked_so = [thread for thread in values if thread.get(name)]
        if len(marked_so) == 1:
            values = marked_so
            break
    return values[0]["stacktrace"] if len(values) == 1 and "stacktrace" in values[0] else None


def top_level(data: dict[str, Any], look: Look) -> Variants:
    """A stack trace without an exception."""
    if "stacktrace" not in data:
        return {}
    pair = stacktrace(data["stacktrace"], look)
    return {"app": pair.app, "system": pair.system}


def template(data: dict[str, Any], _look: Look) -> Variants:
    """The file and the line of a template that failed."""
    source = data.get("template", {})
    parts = [
        leaf(id_, source[name])
        for id_, name in (("filename", "filename"), ("context-line", "context_line"))
        if name in source
    ]
    return {"default": branch("template", parts)} if parts else {}


def message(data: dict[str, Any], look: Look) -> Variants:
    """The template of a message, or its text with what varies replaced."""
    entry = data.get("logentry")
    if not entry:
        return {}
    text = str(entry.get("message") or entry["formatted"])
    short = look.short(text)
    if not short:
        return {}
    return {
        "default": branch(
            "message", [leaf("text", short, "" if short == text else "what varies was replaced")]
        )
    }
