"""What a regular event looks like: checked in C while it is decoded, with what nobody looks into as bytes.

Nearly every event is regular: its frames, exceptions and breadcrumbs have the types and the lengths that are
kept anyway. `decoded` takes such an event and no other; all others go the long way, attribute by attribute,
which ends with the same event. Bags of any shape and lines of source stay the client's bytes (`msgspec.Raw`),
which is what they are stored as.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from app.normalize.bags import GIVE
from app.normalize.fields import LARGEST
from app.normalize.limits import BREADCRUMBS, EXCEPTIONS, FRAMES, MESSAGE, SHORT
from app.normalize.times import LAST, SECOND

#: What an opaque attribute is when it is not there: known by its identity, and not encoded.
NOTHING = Raw(b"")

Short = Annotated[str, Meta(max_length=SHORT)]
Text = Annotated[str, Meta(max_length=int(MESSAGE * GIVE))]
Word = Annotated[str, Meta(max_length=64)]
Name = Annotated[str, Meta(max_length=128)]
_Address = Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{1,60}$")]
Number = Annotated[int, Meta(ge=0, le=LARGEST)]
_Time = Annotated[str, Meta(max_length=40)] | Annotated[float, Meta(ge=0, le=LAST // SECOND)]


class Regular(Struct, gc=False):
    """Reads like the dict that the long way makes: what is None or NOTHING is not in it."""

    def get(self, name: str, default: object = None) -> Any:
        value = getattr(self, name, None)
        return default if value is None or value is NOTHING else value

    def __getitem__(self, name: str) -> Any:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: object) -> None:
        setattr(self, name, value)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def pop(self, name: str, default: object = None) -> Any:
        value = self.get(name)
        if value is None:
            return default
        setattr(self, name, NOTHING if isinstance(value, Raw) else None)
        return value


class Frame(Regular, omit_defaults=True, gc=False):
    """One frame; `in_app` is known once it is complete."""

    function: Short | None = None
    raw_function: Short | None = None
    symbol: Short | None = None
    module: Short | None = None
    package: Short | None = None
    filename: Short | None = None
    abs_path: Short | None = None
    lineno: Number | None = None
    colno: Number | None = None
    pre_context: Raw = NOTHING
    context_line: Short | None = None
    post_context: Raw = NOTHING
    in_app: bool | None = None
    vars: Raw = NOTHING
    platform: Word | None = None
    stack_start: bool | None = None
    instruction_addr: _Address | None = None
    symbol_addr: _Address | None = None
    image_addr: _Address | None = None
    # Rare and known: a frame that has one of these goes the long way.
    function_id: None = None
    addr_mode: None = None
    lock: None = None
    data: None = None


class Trace(Regular, omit_defaults=True, gc=False):
    frames: Annotated[list[Frame], Meta(max_length=FRAMES)]
    snapshot: bool | None = None
    registers: None = None
    instruction_addr_adjustment: None = None
    lang: None = None


class Mechanism(Regular, omit_defaults=True, gc=False):
    type: Name
    description: Text | None = None
    help_link: Annotated[str, Meta(max_length=1024)] | None = None
    handled: bool | None = None
    synthetic: bool | None = None
    exception_id: Number | None = None
    parent_id: Number | None = None
    is_exception_group: bool | None = None
    source: Short | None = None
    data: Raw = NOTHING
    meta: dict[str, Any] | None = None


class Thrown(Regular, omit_defaults=True, gc=False):
    """One exception of a chain."""

    type: Annotated[Short, Meta(min_length=1)]
    value: Text | None = None
    module: Short | None = None
    thread_id: Word | int | None = None
    mechanism: Mechanism | None = None
    stacktrace: Trace | None = None
    raw_stacktrace: None = None


class Crumb(Regular, omit_defaults=True, gc=False):
    type: Name | None = None
    category: Name | None = None
    level: str | None = None
    message: Text | None = None
    data: Raw = NOTHING
    event_id: Word | None = None
    origin: Name | None = None
    timestamp: _Time | None = None
    ty: None = None  # what the type was called once


class Listed(Struct, gc=False):
    """An attribute that may come as {"values": […]} or as the list itself; a subclass says of what."""


class _Chain(Listed, gc=False):
    values: Annotated[list[Thrown], Meta(max_length=EXCEPTIONS)]


class _Crumbs(Listed, gc=False):
    values: Annotated[list[Crumb], Meta(max_length=BREADCRUMBS)]


class Payload(Struct, forbid_unknown_fields=True, gc=False):
    """Every attribute a regular event may have; the small ones are read as on the long way."""

    exception: _Chain | Annotated[list[Thrown], Meta(max_length=EXCEPTIONS)] | UnsetType | None = UNSET
    breadcrumbs: _Crumbs | Annotated[list[Crumb], Meta(max_length=BREADCRUMBS)] | UnsetType | None = UNSET
    contexts: dict[str, Raw] | UnsetType | None = UNSET
    extra: Raw | UnsetType = UNSET
    modules: Raw | UnsetType = UNSET
    sdk: Raw | UnsetType = UNSET
    debug_meta: Raw | UnsetType = UNSET
    checksum: Any = UNSET
    culprit: Any = UNSET
    dist: Any = UNSET
    environment: Any = UNSET
    errors: Any = UNSET
    fingerprint: Any = UNSET
    level: Any = UNSET
    logentry: Any = UNSET
    logger: Any = UNSET
    message: Any = UNSET
    platform: Any = UNSET
    release: Any = UNSET
    request: Any = UNSET
    server_name: Any = UNSET
    stacktrace: Any = UNSET
    tags: Any = UNSET
    threads: Any = UNSET
    timestamp: Any = UNSET
    transaction: Any = UNSET
    transaction_info: Any = UNSET
    type: Any = UNSET
    user: Any = UNSET
    # Known, and not kept.
    _meta: Raw | UnsetType = UNSET
    event_id: Any = UNSET
    measurements: Raw | UnsetType = UNSET
    project: Raw | UnsetType = UNSET
    received: Raw | UnsetType = UNSET
    spans: Raw | UnsetType = UNSET
    repos: Raw | UnsetType = UNSET
    start_timestamp: Raw | UnsetType = UNSET
    time_spent: Raw | UnsetType = UNSET
    title: Raw | UnsetType = UNSET
    version: Raw | UnsetType = UNSET


_decode = msgspec.json.Decoder(Payload).decode
_OPAQUE = ("extra", "modules", "sdk", "debug_meta")


def decoded(raw: bytes) -> dict[str, Any] | None:
    """The attributes of a regular event, its exceptions and breadcrumbs as lists; None of any other."""
    found = present(raw, _decode)
    if found is not None:
        for name in _OPAQUE:
            if name in found and bytes(found[name]) == b"null":
                del found[name]
    return found


def present(raw: bytes, decode: Callable[[bytes], Struct]) -> dict[str, Any] | None:
    """The attributes that are there, of an event that a decoder takes; None of one that it does not."""
    try:
        raw.isascii() or raw.decode()  # what is passed over need not be UTF-8 otherwise
        payload = decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    values = zip(payload.__struct_fields__, msgspec.structs.astuple(payload), strict=True)
    found = {name: value for name, value in values if value is not UNSET and value is not None}
    for name in ("exception", "breadcrumbs"):
        holder = found.get(name)
        if isinstance(holder, Listed):
            found[name] = holder.values  # type: ignore[attr-defined]
    return found
