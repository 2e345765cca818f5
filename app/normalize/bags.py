"""Structures of any shape, kept up to a depth and a size."""

from __future__ import annotations

from app.base.json import encode
from app.normalize.limits import Bag
from app.normalize.notes import TOO_LONG, Notes

#: Limits have this much give, so that a value just above one is not cut for a few bytes.
GIVE = 1.1


def bounded(value: object, bag: Bag, path: str, notes: Notes) -> object:
    """The value within the limits of `bag`; what is too deep or too much reads "..."."""
    if not isinstance(value, dict | list | str):
        return value
    if fits(value, bag):
        return value
    notes.add(TOO_LONG, path, value)
    return _Cutter(bag.size).cut(value, bag.depth)


def bounded_object(value: object, bag: Bag, path: str, notes: Notes) -> dict[str, object] | None:
    """The same for what must be an object; anything else is dropped with a note, emptiness without."""
    if isinstance(value, dict):
        if _is_plain(value, bag):
            return value or None
        kept = bounded({name: item for name, item in value.items() if item is not None}, bag, path, notes)
        return kept if isinstance(kept, dict) and kept else None
    if value is not None and value != []:
        notes.invalid(path, value)
    return None


def _is_plain(value: dict[str, object], bag: Bag) -> bool:
    """Whether it is plain without a closer look: small, shallow and without null."""
    try:
        text = encode(value)
    except RecursionError:
        return False
    return len(text) <= bag.size and b"null" not in text and text.count(b"[") + text.count(b"{") <= bag.depth


def are_plain(values: list[dict[str, object]], bag: Bag) -> bool:
    """Whether none of many objects needs a closer look: `_is_plain` of each, and none is empty."""
    try:
        texts = [encode(value) for value in values]
    except RecursionError:
        return False
    whole = b"".join(texts)
    if not all(values) or b"null" in whole or max(map(len, texts), default=0) > bag.size:
        return False
    # Each has one bracket at least; so no single one has more than there are in all beyond that.
    most = whole.count(b"[") + whole.count(b"{") - len(texts) + 1
    return most <= bag.depth or all(text.count(b"[") + text.count(b"{") <= bag.depth for text in texts)


def fits(value: object, bag: Bag) -> bool:
    """Whether nothing need be cut; asks the fast encoder before walking."""
    try:
        text = encode(value)
    except RecursionError:
        return False
    if len(text) > bag.size * GIVE:
        return False
    # Counting every bracket finds most values shallow; only the others are looked at closely.
    return text.count(b"[") + text.count(b"{") <= bag.depth or _depth(value, bag.depth) <= bag.depth


def _depth(value: object, most: int) -> int:
    """Levels of nesting, not counted beyond `most` + 1."""
    if isinstance(value, dict):
        inner: list[object] = [*value.values()]
    elif isinstance(value, list):
        inner = value
    else:
        return 0
    if most < 1:
        return 1
    return 1 + max((_depth(item, most - 1) for item in inner if isinstance(item, dict | list)), default=0)


class _Cutter:
    """Copies a value as long as there is room."""

    def __init__(self, room: int) -> None:
        self.room = room

    def cut(self, value: object, depth: int) -> object:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict | list):
            if depth < 1:
                self.room -= 6
                return "..."
            self.room -= 2
            return self._object(value, depth) if isinstance(value, dict) else self._list(value, depth)
        return value if self._takes(value) else "..."

    def _text(self, text: str) -> str:
        if self._takes(text):
            return text
        # How many bytes a character takes differs along the text, so the right length is approached.
        size = len(encode(text)) + 6
        while text and size > self.room:
            text = text[: max(self.room, 0) * len(text) // size]
            size = len(encode(text)) + 6
        self.room -= size
        return text + "..."

    def _takes(self, value: object) -> bool:
        size = len(encode(value)) + 1
        if size > self.room:
            return False
        self.room -= size
        return True

    def _object(self, value: dict[str, object], depth: int) -> dict[str, object]:
        kept: dict[str, object] = {}
        for name, item in value.items():
            self.room -= len(encode(name)) + 1
            if self.room <= 0:
                break
            kept[name] = self.cut(item, depth - 1)
        return kept

    def _list(self, value: list[object], depth: int) -> list[object]:
        kept: list[object] = []
        for item in value:
            if self.room <= 0:
                kept.append("...")
                break
            kept.append(self.cut(item, depth - 1))
        return kept
