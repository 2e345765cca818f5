"""What of a frame rules and hashes look at."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

JAVASCRIPT = frozenset({"javascript", "node"})
NATIVE = frozenset({"objc", "cocoa", "swift", "native", "c"})
JAVA = frozenset({"java", "kotlin", "scala", "groovy", "clojure"})


class Place(NamedTuple):
    """A normalised frame as far as it matters; "" where it is not known."""

    platform: str
    module: str
    filename: str
    function: str
    line: str
    path: str
    package: str
    has_map: bool
    in_app: bool


#: What nearly every frame has, fetched in C.
_KNOWN = ("module", "filename", "function", "context_line", "abs_path", "in_app")
_usually = itemgetter(*_KNOWN)
#: The same of a frame that came the short way, which has attributes and knows no `data`.
_attributes = attrgetter(*_KNOWN, "package", "platform")


def keys(sources: Sequence[Any], platform: str) -> list[int]:
    """What tells each frame from others that may count otherwise, much cheaper than its place.

    Only hashes: strings are hashed with a key of this process, so that nobody can make a frame that passes
    for another, and by accident two of 64 bits do not meet.
    """
    if not sources or type(sources[0]) is dict:
        return [hash((platform, _of_dict(source, platform))) for source in sources]
    return [hash((platform, found)) for found in map(_attributes, sources)]


def _of_dict(source: dict[str, Any], platform: str) -> tuple[Any, ...]:
    if "platform" not in source and "data" not in source and "package" not in source:
        try:
            return _usually(source)  # type: ignore[no-any-return]
        except KeyError:  # an attribute is not known, which is rarer
            pass
    return place(source, platform)


def place(source: Any, platform: str) -> Place:
    """The place of any frame."""
    get = source.get
    data = get("data")
    return Place(
        get("platform") or platform,
        get("module") or "",
        get("filename") or "",
        get("function") or "",
        get("context_line") or "",
        get("abs_path") or get("filename") or "",
        get("package") or "",
        data is not None and bool(data.get("sourcemap")),
        source["in_app"],
    )
