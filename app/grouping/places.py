"""What of a frame rules and hashes look at."""

from __future__ import annotations

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
of_struct = attrgetter(*_KNOWN, "package", "platform")

#: What a frame of a platform's event is known by until it is looked at.
Key = tuple[Any, ...]


def of_dict(source: dict[str, Any], platform: str) -> Key:
    """Tells a frame from others that may count otherwise; cheaper than its place."""
    if "platform" not in source and "data" not in source and "package" not in source:
        try:
            return _usually(source)  # type: ignore[no-any-return]
        except KeyError:  # an attribute is not known, which is rarer
            pass
    return place(source, platform)


def of_key(found: Key, platform: str) -> Place:
    """The place that a key stands for."""
    if isinstance(found, Place):
        return found
    module, filename, function, line, path, in_app, *rest = found
    package, own = rest or (None, None)
    return Place(
        own or platform,
        module or "",
        filename or "",
        function or "",
        line or "",
        path or filename or "",
        package or "",
        False,
        in_app,
    )


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
