"""What rules ask of frames: every distinct pattern is one bit, and a frame is asked for all bits at once."""

from __future__ import annotations

from typing import NamedTuple

from app.grouping import globs
from app.grouping.grammar import TRUTHS, Matcher
from app.grouping.places import JAVASCRIPT, NATIVE, Place

#: What a nameless function, and an exception without a type, is called by rules.
UNKNOWN = "<unknown>"
#: What does not change while rules are applied; `app` and `category` do.
STATIC = frozenset(("path", "module", "function", "package", "family"))


class Condition(NamedTuple):
    """All of it holds of a frame, or none of it counts."""

    positive: int = 0  # bits that are there
    negative: int = 0  # bits that are not
    app: bool | None = None
    categories: tuple[Matcher, ...] = ()

    @property
    def is_static(self) -> bool:
        return self.app is None and not self.categories

    def may_hold(self, bits: int) -> bool:
        """As far as only the frame itself decides."""
        return bits & self.positive == self.positive and not bits & self.negative

    def holds(self, bits: int, in_app: bool, category: str) -> bool:
        """Of a frame in its state of the moment."""
        if not self.may_hold(bits) or (self.app is not None and self.app is not in_app):
            return False
        return all((category == one.pattern) is not one.is_negated for one in self.categories)


class Conditions:
    """The patterns of many rules, numbered as they are added."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._compiled: dict[str, tuple[globs.Patterns, list[int]]] = {}

    def condition(self, matchers: tuple[Matcher, ...]) -> Condition:
        """The matchers as bits; those that are not about frames are left out."""
        positive = negative = 0
        app: bool | None = None
        for one in matchers:
            if one.name in STATIC:
                bit = 1 << self._numbers.setdefault((one.name, one.pattern), len(self._numbers))
                if one.is_negated:
                    negative |= bit
                else:
                    positive |= bit
            elif one.name == "app":
                app = TRUTHS[one.pattern.lower()] is not one.is_negated
        return Condition(positive, negative, app, tuple(one for one in matchers if one.name == "category"))

    def bits(self, place: Place) -> int:
        """Which patterns a frame matches."""
        if not self._numbers:
            return 0
        if not self._compiled:
            self._compile()
        found = 0
        for name, value in _facts(place):
            if name in self._compiled:
                patterns, bits = self._compiled[name]
                for number in patterns.matching(value):
                    found |= bits[number]
        return found | self._families(place.platform)

    def _compile(self) -> None:
        for name in STATIC - {"family"}:
            listed = [(pattern, number) for (one, pattern), number in self._numbers.items() if one == name]
            translate = globs.path if name in ("path", "package") else globs.text
            patterns = globs.Patterns(translate(pattern) for pattern, _ in listed)
            self._compiled[name] = patterns, [1 << number for _, number in listed]

    def _families(self, platform: str) -> int:
        own = family(platform)
        return sum(
            1 << number
            for (name, pattern), number in self._numbers.items()
            if name == "family" and not {own, "all"}.isdisjoint(pattern.split(","))
        )


def _facts(place: Place) -> list[tuple[str, str]]:
    facts = [("function", place.function or UNKNOWN)]
    if place.module:
        facts.append(("module", place.module))
    if place.path:
        facts.append(("path", globs.as_path(place.path)))
    if place.package:
        facts.append(("package", globs.as_path(place.package)))
    return facts


def family(platform: str) -> str:
    """native, javascript or other."""
    return "native" if platform in NATIVE else "javascript" if platform in JAVASCRIPT else "other"
