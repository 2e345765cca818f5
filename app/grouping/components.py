"""Trees of what goes into a hash, each part with a reason in words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from app.event import Component


def leaf(name: str, text: str, hint: str = "") -> Component:
    """A part that counts."""
    return Component(name, True, [text], hint)


def ignored(name: str, text: str, why: str) -> Component:
    """A part that does not count, and why."""
    return Component(name, False, [text], f"ignored because {why}")


def branch(name: str, parts: Iterable[Component | None], hint: str = "") -> Component:
    """A part that counts when one of its parts does."""
    values: list[Component | str] = [part for part in parts if part is not None]
    return Component(
        name, any(isinstance(part, Component) and part.contributes for part in values), values, hint
    )


def without(component: Component, why: str) -> Component:
    """The same tree, switched off."""
    return Component(component.id, False, component.values, f"ignored because {why}")


def leaves(component: Component) -> list[str]:
    """The texts that count, in order."""
    found: list[str] = []
    _collect(component, found)
    return found


def _collect(component: Component, found: list[str]) -> None:
    if not component.contributes:
        return
    for value in component.values:
        if type(value) is str:
            found.append(value)
        elif value.contributes:  # type: ignore[union-attr]
            _collect(value, found)  # type: ignore[arg-type]


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
