"""The short way of a regular event: what was checked while it was decoded is taken as it is.

Ends with the same event as the long way, which is taken whenever anything is out of the ordinary: a bag that
is irregular is read by its own long rule, and `Irregular` is raised where the whole event has to be.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, cast

from msgspec import Raw

from app.base.json import encode
from app.event import LEVELS
from app.normalize import bags, contexts, frames, scrub, surroundings
from app.normalize.levels import level
from app.normalize.limits import DETAILED_FRAMES, LARGE, LARGER, MEDIUM, SHORT
from app.normalize.notes import Notes
from app.normalize.opaque import Irregular, Opaque, plain
from app.normalize.regular import NOTHING, Crumb, Mechanism, Regular, Thrown, Trace
from app.normalize.times import are_canonical, shifted

#: Contexts that are the same in every event of a client.
_STABLE = frozenset({"browser", "client_os", "culture", "os", "runtime"})
#: Contexts that tags are made of.
SPOKEN = frozenset({"browser", "client_os", "device", "os", "runtime"})
#: Longer ones are not remembered, lest strangers fill the memory.
LONGEST_CONTEXT, _LONGEST_PART = 512, 8192


class _Held(Regular, gc=False):
    """An opaque bag that stands in a dict."""

    bag: Raw


class ShortWay:
    """Reads the attributes of one regular event that have a short way."""

    def __init__(self) -> None:
        self._opaque = Opaque()
        self._long_traces: list[tuple[Trace, str]] = []
        self._held: dict[str, _Held] = {}  # contexts, by their names
        self._decoded: dict[str, Any] = {}  # contexts that were read the long way

    def finish(self, data: dict[str, Any], notes: Notes) -> None:
        """Bounds what stayed bytes, and replaces all secrets."""
        extra = data.get("extra")
        if extra is not None:
            extra = _Held(extra)
            self._opaque.add([extra], "bag", "extra", _extra, LARGER.size)
        self._opaque.settle(notes)
        for trace, path in self._long_traces:
            frames.slim(trace.frames, path, notes)
        if extra is not None:
            _put(data, "extra", extra.bag)
        if self._held:
            for name, held in self._held.items():
                _put(data["contexts"], name, _with_type(held.bag, name))
            if not data["contexts"]:
                del data["contexts"]
        scrub.names(data, [self._decoded])
        for name in ("stacktrace", "threads"):
            if name in data:
                scrub.scrub({name: data[name]}, by_looks=False)

    def _exceptions(self, values: list[Thrown], platform: str, _: int, notes: Notes) -> object:
        for index, thrown in enumerate(values):
            path = f"exception.values.{index}"
            if thrown.thread_id is not None:
                thrown.thread_id = str(thrown.thread_id).strip() or None
            if thrown.mechanism is not None:
                self._mechanism(thrown.mechanism, f"{path}.mechanism", notes)
            if thrown.stacktrace is not None:
                frames_path = f"{path}.stacktrace.frames"
                thrown.stacktrace = self._trace(thrown.stacktrace, platform, frames_path, notes)
        return {"values": values} if values else None

    def _mechanism(self, mechanism: Mechanism, path: str, notes: Notes) -> None:
        if mechanism.data is not NOTHING:
            self._opaque.add([mechanism], "data", f"{path}.data", _bag)
        if mechanism.meta is not None:
            mechanism.meta = bags.bounded_object(mechanism.meta, MEDIUM, f"{path}.meta", notes)

    def _trace(self, trace: Trace, platform: str, path: str, notes: Notes) -> Trace | None:
        if not trace.frames:
            return None
        surroundings.check(trace.frames, path, notes)
        self._opaque.add(trace.frames, "vars", path + ".{}.vars", _vars)
        frames.complete_typed(trace.frames, platform)
        if len(trace.frames) > DETAILED_FRAMES:
            self._long_traces.append((trace, path))
        return trace

    def _breadcrumbs(self, crumbs: list[Crumb], _: str, shift: int, notes: Notes) -> object:
        self._opaque.add(crumbs, "data", "breadcrumbs.values.{}.data", _crumb_data)
        keep_times = shift == 0 and are_canonical([crumb.timestamp for crumb in crumbs])
        for index, crumb in enumerate(crumbs):
            if not keep_times:
                _set_time(crumb, shift, f"breadcrumbs.values.{index}", notes)
            if crumb.level not in LEVELS:
                crumb.level = level(crumb.level, f"breadcrumbs.values.{index}.level", notes, "info")
            if crumb.type is None:
                crumb.type = "default"
        return {"values": crumbs} if crumbs else None

    def _contexts(self, value: dict[str, Raw], _: str, __: int, notes: Notes) -> object:
        kept: dict[str, object] = {}
        if len(value) > contexts.MOST_CONTEXTS:
            raise Irregular
        for name, text in value.items():
            if len(name) > SHORT or scrub.SENSITIVE[name]:
                raise Irregular
            raw = bytes(text)
            if name in _STABLE and len(raw) <= LONGEST_CONTEXT and (known := _context(name, raw)):
                kept[name] = known
            elif name in SPOKEN or b'"type"' in raw or raw == b"null":
                read = contexts.contexts({name: plain(text)}, notes) or {}
                self._decoded.update(read)
                kept.update(read)
            else:
                kept[name] = text
                held = self._held[name] = _Held(text)
                self._opaque.add([held], "bag", f"contexts.{name}", _context_reader(name), LARGE.size)
        return kept

    #: Each takes (way, value, platform, shift, notes).
    READERS: ClassVar[dict[str, Any]] = {
        "exception": _exceptions,
        "breadcrumbs": _breadcrumbs,
        "contexts": _contexts,
        "extra": lambda _, value, *__: value,  # looked into when all else is known
        "modules": lambda _, value, *rest: _remembered(value, "modules", rest[-1]),
        "sdk": lambda _, value, *rest: _remembered(value, "sdk", rest[-1]),
        "debug_meta": lambda _, value, *rest: _remembered(value, "debug_meta", rest[-1]),
    }


# -- bags, the long way ------------------------------------------------------------------------------------


def _bag(value: object, path: str, notes: Notes) -> object:
    kept = bags.bounded_object(value, MEDIUM, path, notes)
    scrub.bag(kept)
    return kept


def _vars(value: object, path: str, notes: Notes) -> object:
    kept = frames.variables(value, path, notes)
    scrub.bag(kept)
    return kept


def _crumb_data(value: object, path: str, notes: Notes) -> object:
    kept = bags.bounded_object(value, MEDIUM, path, notes)
    if kept is not None:
        scrub.bag(kept)
        scrub.addresses(kept)
    return kept


def _extra(value: object, _path: str, notes: Notes) -> object:
    kept = contexts.more(value, notes)
    scrub.bag(kept)
    return kept


def _context_reader(name: str) -> Any:
    def read(value: object, _path: str, notes: Notes) -> object:
        kept = (contexts.contexts({name: value}, notes) or {}).get(name)
        scrub.bag(kept)
        return kept

    return read


def _with_type(bag: Raw, name: str) -> Raw:
    text = bytes(bag)
    if not text or b'"type"' in text:
        return bag
    return Raw(b'{"type":%b,%b' % (encode(name), text[1:]))


def _put(holder: dict[str, Any], name: str, bag: Raw) -> None:
    if bag is NOTHING:
        del holder[name]
    else:
        holder[name] = bag


# -- what comes again with every event of a client ---------------------------------------------------------


_LONG_WAYS = {"modules": contexts.modules, "sdk": contexts.sdk, "debug_meta": contexts.debug_meta}


def _remembered(text: Raw, name: str, notes: Notes) -> object:
    """The stored form of a part that many events have in common."""
    raw = bytes(text)
    if len(raw) <= _LONGEST_PART and (known := _part(name, raw)) is not None:
        return known
    return _LONG_WAYS[name](plain(raw), notes)


@lru_cache(256)
def _part(name: str, raw: bytes) -> Raw | None:
    notes = Notes()
    kept = _LONG_WAYS[name](plain(raw), notes)
    return None if notes.kept or not kept else Raw(encode(kept))


@lru_cache(1024)
def _context(name: str, raw: bytes) -> dict[str, Any] | None:
    """One context, to be shared and not to be changed; None when it has to be read for each event."""
    notes = Notes()
    kept = contexts.contexts({name: plain(raw)}, notes)
    if notes.kept or not kept:
        return None
    scrub.scrub({"contexts": kept}, by_looks=False)
    return cast("dict[str, Any]", kept[name])


@lru_cache(256)
def infer_ip(raw: bytes) -> object:
    """The same as `contexts.infer_ip`, of an SDK that was not decoded."""
    return contexts.infer_ip(plain(raw))


def _set_time(crumb: Crumb, shift: int, path: str, notes: Notes) -> None:
    at = crumb.timestamp
    if at is not None:
        crumb.timestamp = shifted(at, shift)
        if crumb.timestamp is None:
            notes.invalid(f"{path}.timestamp", at)
    elif (
        crumb.type is crumb.category is crumb.level is crumb.message is None
        and crumb.event_id is crumb.origin is None
    ):
        raise Irregular  # perhaps there is nothing to it
