"""The shortest way: an event is stored as the client wrote it, and read in full when somebody looks at it.

Most events hold nothing that has to be replaced before it is stored. Of these only what lists, tags and
grouping need is decoded, by the rules of the short way; the rest stays in the client's JSON and is normalised
when it is shown (`read.shown`), which few events ever are. What is out of the ordinary in what is read here,
and what may hold a secret anywhere, goes a longer way at once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, cast

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from app.base.json import encode
from app.event import AsItCame
from app.normalize import agents, bags, contexts, frames, scrub
from app.normalize.limits import EXCEPTIONS, FRAMES, LARGE, MEDIUM
from app.normalize.notes import Notes
from app.normalize.opaque import Irregular, plain
from app.normalize.regular import Listed, Name, Number, Regular, Short, Text, Word, present
from app.normalize.request import request
from app.normalize.screen import has_words
from app.normalize.shortcut import LONGEST_CONTEXT, SPOKEN

#: Bytes of an event that is kept as it came: of larger ones much is cut.
LARGEST_KEPT = 64 * 1024


class Frame(Regular, gc=False):
    """What of a frame tells where something happened; None of what would make it a frame of the long way."""

    function: Short | None = None
    raw_function: Short | None = None
    module: Short | None = None
    package: Short | None = None
    filename: Short | None = None
    abs_path: Short | None = None
    lineno: Number | None = None
    colno: Number | None = None
    context_line: Short | None = None
    in_app: bool | None = None
    platform: Word | None = None
    data: None = None


class Trace(Regular, gc=False):
    frames: Annotated[list[Frame], Meta(max_length=FRAMES)]


class Mechanism(Regular, gc=False):
    type: Name
    handled: bool | None = None
    synthetic: bool | None = None
    exception_id: Number | None = None
    parent_id: Number | None = None
    is_exception_group: bool | None = None
    meta: dict[str, Any] | None = None


class Thrown(Regular, gc=False):
    """One exception of a chain."""

    type: Annotated[Short, Meta(min_length=1)]
    value: Text | None = None
    mechanism: Mechanism | None = None
    stacktrace: Trace | None = None


class _Chain(Listed, gc=False):
    values: Annotated[list[Thrown], Meta(max_length=EXCEPTIONS)]


class _Request(Struct, gc=False):
    url: Any = None
    env: Any = None
    headers: Any = None


class Payload(Struct, gc=False):
    """The attributes that columns, tags and hashes are made of. Those of None make an event a longer one."""

    exception: _Chain | Annotated[list[Thrown], Meta(max_length=EXCEPTIONS)] | UnsetType | None = UNSET
    contexts: dict[str, Raw] | UnsetType | None = UNSET
    request: Raw | UnsetType = UNSET
    sdk: Raw | UnsetType = UNSET
    checksum: Any = UNSET
    culprit: Any = UNSET
    dist: Any = UNSET
    event_id: Any = UNSET
    environment: Any = UNSET
    fingerprint: Any = UNSET
    level: Any = UNSET
    logentry: Any = UNSET
    logger: Any = UNSET
    message: Any = UNSET
    platform: Any = UNSET
    release: Any = UNSET
    server_name: Any = UNSET
    tags: Any = UNSET
    timestamp: Any = UNSET
    transaction: Any = UNSET
    type: Any = UNSET
    user: Any = UNSET
    csp: None = None
    expectct: None = None
    expectstaple: None = None
    hpkp: None = None
    stacktrace: None = None
    template: None = None
    threads: None = None


_decode = msgspec.json.Decoder(Payload).decode
_decode_request = msgspec.json.Decoder(_Request).decode


def decoded(raw: bytes) -> dict[str, Any] | None:
    """What counts of an event, its exceptions as a list; None of an event that has to go a longer way."""
    return None if len(raw) > LARGEST_KEPT else present(raw, _decode)


class Glance:
    """Reads what counts of one event."""

    agent = ""  # of the request, which contexts are made of

    def finish(self, data: dict[str, Any], _: Notes) -> None:
        """Raises Irregular where something has to be replaced before it is stored."""
        entry = data.get("logentry")
        if not scrub.are_harmless([data.get("tags"), data.get("user"), entry and entry.get("params")]):
            raise Irregular

    def _exceptions(self, values: list[Thrown], platform: str, _: int, notes: Notes) -> object:
        for thrown in values:
            mechanism, trace = thrown.mechanism, thrown.stacktrace
            if mechanism is not None and mechanism.meta is not None:
                mechanism.meta = bags.bounded_object(mechanism.meta, MEDIUM, "meta", notes)
            if trace is None:
                continue
            if not trace.frames:
                thrown.stacktrace = None
            frames.complete_typed(trace.frames, platform)
        return {"values": values} if values else None

    def _contexts(self, value: dict[str, Raw], _: str, __: int, ___: Notes) -> object:
        if len(value) > contexts.MOST_CONTEXTS:
            raise Irregular
        kept: dict[str, object] = {}
        for name in SPOKEN & value.keys():
            if context := _context(name, bytes(value[name])):
                kept[name] = context
        return kept

    def _request(self, value: Raw, _: str, __: int, notes: Notes) -> object:
        raw = bytes(value)
        if len(raw) > LARGE.size or (has_words(raw) and not _is_clean(raw)):
            raise Irregular
        try:
            found = _decode_request(raw)
        except msgspec.MsgspecError as error:
            raise Irregular from error
        kept: dict[str, object] = {}
        if found.url is not None:
            kept["url"] = found.url
        if isinstance(found.env, dict) and "REMOTE_ADDR" in found.env:
            kept["env"] = {"REMOTE_ADDR": found.env["REMOTE_ADDR"]}
        self.agent = _agent(found.headers)
        return request(kept, notes) if kept else None

    #: Each takes (way, value, platform, shift, notes).
    READERS: ClassVar[dict[str, Any]] = {
        "exception": _exceptions,
        "contexts": _contexts,
        "request": _request,
        "sdk": lambda *_: None,
    }


def _agent(headers: Any) -> str:
    """As the request says it that is made of these."""
    if type(headers) is dict and type(agent := headers.get("User-Agent")) is str:
        return agent
    kept = request({"headers": headers}, Notes()) if headers else None
    return agents.of_request(kept) if kept else ""


def _context(name: str, raw: bytes) -> dict[str, Any] | None:
    return (_known_context if len(raw) <= LONGEST_CONTEXT else _read_context)(name, raw)


def _read_context(name: str, raw: bytes) -> dict[str, Any] | None:
    """One context, to be shared and not to be changed."""
    kept = contexts.contexts({name: plain(raw)}, Notes()) or {}
    return cast("dict[str, Any] | None", kept.get(name))


_known_context = lru_cache(1024)(_read_context)


def _is_clean(raw: bytes) -> bool:
    """Whether nothing of a request is replaced by its names, in their own forms: queries, cookies, forms."""
    kept = request(plain(raw), Notes())
    if not kept:
        return True
    before = encode(kept)
    scrub.names({"request": kept}, [])
    return encode(kept) == before


def as_it_came(raw: bytes, data: dict[str, Any], address: str, *, is_named: bool) -> AsItCame:
    """What is stored; the address of the connection only where it is part of what is shown."""
    user = data.get("user")
    is_shown = is_named or (user and user.get("ip_address") == address)
    return AsItCame(raw=Raw(raw), address=address if is_shown else "")
