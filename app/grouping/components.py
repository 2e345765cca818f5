"""Trees of what goes into a hash, each part with a reason in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from app.event import Component


class Part(NamedTuple):
    """A node of the tree; the texts in it that count stand beside it, so that nobody need walk the tree."""

    tree: Component
    texts: Sequence[str] = ()

    @property
    def contributes(self) -> bool:
        return self.tree.contributes


_texts = attrgetter("texts")


def leaf(name: str, text: str, hint: str = "") -> Part:
    """A part that counts."""
    return Part(Component(name, True, [text], hint), (text,))


def ignored(name: str, text: str, why: str) -> Part:
    """A part that does not count, and why."""
    return Part(Component(name, False, [text], f"ignored because {why}"))


def branch(name: str, parts: Iterable[Part | None], hint: str = "") -> Part:
    """A part that counts when one of its parts does."""
    trees: list[Component | str] = []
    texts: list[str] = []
    counts = False
    for part in parts:
        if part is not None:
            tree, inner = part
            trees.append(tree)
            if tree.contributes:
                counts = True
                texts += inner
    return Part(Component(name, counts, trees, hint), texts)


def brief(name: str, parts: Iterable[Part]) -> Part:
    """The same without what is in it, for whoever only wants the texts: in C, as there are many frames."""
    texts = [*chain.from_iterable(map(_texts, parts))]
    return Part(Component(name, bool(texts)), texts)


def without(part: Part, why: str) -> Part:
    """The same tree, switched off."""
    return Part(Component(part.tree.id, False, part.tree.values, f"ignored because {why}"))


def counting(part: Part, hint: str) -> Part:
    """The same tree with what counts in it, and a remark."""
    return Part(Component(part.tree.id, bool(part.texts), part.tree.values, hint), part.texts)


def contains(component: Component, name: str) -> bool:
    """Whether a part of that name counts."""
    if not component.contributes:
        return False
    return component.id == name or any(
        contains(value, name) for value in component.values if isinstance(value, Component)
    )


def digest(texts: Iterable[str]) -> str:
    """MD5 of the texts without separators, as 32 hex characters."""
    return hashlib.md5("".join(texts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
