"""Rules that give events a fingerprint: `matchers -> values`, one a line; the first that matches decides.

    type:DatabaseUnavailable -> database-down
    logger:shop.mail message:"*timed out*" -> mail-timeout, {{ tags.server }}
    [ module:celery.* ] | function:run -> {{ default }} {{ transaction }} title="Task {{ transaction }}"

Values are separated by commas or blanks and may hold variables, as the title may, which replaces the issue's.

What is asked of one thing is asked of one and the same thing: `type` and `value` of one exception,
`function`, `module`, `path`, `package` and `app` of one frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from app.grouping import globs, grammar
from app.grouping.conditions import Condition, Conditions, family
from app.grouping.grammar import Line, Matcher, NoRule, Wrong
from app.grouping.places import Place

_FRAME = frozenset(("path", "module", "function", "package", "app"))
_THROWN = frozenset(("type", "value"))
_EVENT = frozenset(("message", "logger", "level", "family", "sdk", "release", "environment", "transaction"))
KNOWN = _FRAME | _THROWN | _EVENT | {"tags."}
_IGNORE_CASE = frozenset(("message", "value", "level", "sdk"))

_VALUE = re.compile(r"(?:\{\{\s*[^\s{}]+\s*\}\}|[^\s,{])+")
_TITLE = re.compile(r'title="((?:[^"\\]|\\.)*)"')


class FingerprintRule(NamedTuple):
    """One line."""

    text: str
    thrown: tuple[Matcher, ...]
    sides: grammar.Sides | None  # what is asked of frames, if anything
    event: tuple[Matcher, ...]  # and of the event itself, tags included
    values: tuple[str, ...]
    title: str = ""


def parse(text: str) -> tuple[list[FingerprintRule], list[Wrong]]:
    """The rules of a text, and what is wrong with the lines that are none."""
    return grammar.parsed(text, _rule)


def _rule(text: str) -> FingerprintRule:
    line = Line(text)
    found = grammar.sides(line, KNOWN)
    if not line.takes("->"):
        raise NoRule(line.place, "Behind the matchers stands -> and the fingerprint.")
    values, title = _values(line)
    own = found.matchers
    of_frame = tuple(one for one in own if one.name in _FRAME)
    for one in (*found.caller, *found.callee):
        if one.name not in _FRAME:
            raise NoRule(0, f"In brackets stands what is asked of frames, and {one.name} is not.")
    if (found.caller or found.callee) and not of_frame:
        raise NoRule(0, "Between the frames around it, something has to be asked of the frame itself.")
    return FingerprintRule(
        text.strip(),
        tuple(one for one in own if one.name in _THROWN),
        found._replace(matchers=of_frame) if of_frame else None,
        tuple(one for one in own if one.name not in _FRAME | _THROWN),
        values,
        title,
    )


def _values(line: Line) -> tuple[tuple[str, ...], str]:
    values: list[str] = []
    title = ""
    start = line.place
    while not line.is_done:
        if found := line.takes_match(_TITLE):
            title = re.sub(r"\\(.)", r"\1", found[1])[:300]
            continue
        value = line.takes_argument(_VALUE)
        if not value:
            raise NoRule(line.place, "This is no value: write it in quotation marks.")
        values.append(value)
        line.takes(",")
    if not values:
        raise NoRule(start, "The fingerprint is missing.")
    return tuple(values), title


class Face(NamedTuple):
    """A frame as these rules see it."""

    bits: int
    rules: int  # as bits, those that may hold of it


class Seen(NamedTuple):
    """An event as these rules see it. A frame: its face, and whether it is in-app by now."""

    data: Mapping[str, Any]
    tags: Mapping[str, str]
    traces: Sequence[Sequence[tuple[Face, bool]]]


class FingerprintRules:
    """Rules ready to be asked."""

    def __init__(self, rules: Iterable[FingerprintRule]) -> None:
        self._conditions = Conditions()
        of = self._conditions.condition
        self._rules = list(rules)
        self._sides = [
            None
            if rule.sides is None
            else _Sides(of(rule.sides.matchers), of(rule.sides.caller), of(rule.sides.callee), rule.sides)
            for rule in self._rules
        ]
        #: Whether frames have to be known.
        self.reads_frames = any(self._sides)
        self._names = {one.name for rule in self._rules for one in (*rule.thrown, *rule.event)}
        self.reads_sdk = "sdk" in self._names
        self._patterns = {
            name: _Tests([
                (one.pattern, number)
                for number, rule in enumerate(self._rules)
                for one in (*rule.thrown, *rule.event)
                if one.name == name and not one.is_negated
            ], name)
            for name in self._names if name != "family"
        }  # fmt: skip
        self._of_frames = sum(1 << number for number, sides in enumerate(self._sides) if sides)
        self._families: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def face(self, place: Place) -> Face:
        """What can be said of a frame alone."""
        bits = self._conditions.bits(place)
        may = sum(1 << n for n, sides in enumerate(self._sides) if sides and sides.own.may_hold(bits))
        return Face(bits, may)

    def concern(self, platform: str) -> bool:
        """Whether any of them is about events of a platform."""
        return bool(self._of_family(family(platform)))

    def first(self, seen: Seen) -> FingerprintRule | None:
        """The first rule that matches."""
        if not self._rules:
            return None
        left = self._possible(seen)
        while left:
            number = (left & -left).bit_length() - 1
            if self._matches(number, seen):
                return self._rules[number]
            left &= left - 1
        return None

    def _possible(self, seen: Seen) -> int:
        """The rules, as bits, that no pattern about the event or its exceptions speaks against."""
        left = self._of_family(family(seen.data.get("platform", "")))
        for name, tests in self._patterns.items():
            if left & tests.asking:
                met = ~tests.asking
                for value in _values_of(name, seen):
                    met |= tests.met(value)
                left &= met
        if left & self._of_frames:
            may = ~self._of_frames
            for trace in seen.traces:
                for face, _ in trace:
                    may |= face.rules
            left &= may
        return left

    def _of_family(self, own: str) -> int:
        """The rules that are not about other families only."""
        found = self._families.get(own)
        if found is None:
            found = self._families[own] = sum(
                1 << number
                for number, rule in enumerate(self._rules)
                if all(_is_family(one, own) for one in rule.event if one.name == "family")
            )
        return found

    def _matches(self, number: int, seen: Seen) -> bool:
        rule, sides = self._rules[number], self._sides[number]
        if rule.thrown and not any(_all_hold(rule.thrown, one) for one in _exceptions(seen.data)):
            return False
        if not all(self._event_is(one, seen) for one in rule.event):
            return False
        return sides is None or any(_has(sides, trace) for trace in seen.traces)

    def _event_is(self, one: Matcher, seen: Seen) -> bool:
        if one.name == "family":
            return _is_family(one, family(seen.data.get("platform", "")))
        values = _values_of(one.name, seen)
        if not values and one.name == "message":
            return False
        return any(_matches(one, value) for value in values) is not one.is_negated


class _Sides(NamedTuple):
    own: Condition
    caller: Condition
    callee: Condition
    of: grammar.Sides


def _has(sides: _Sides, trace: Sequence[tuple[Face, bool]]) -> bool:
    def holds(condition: Condition, index: int) -> bool:
        if not 0 <= index < len(trace):
            return False
        face, in_app = trace[index]
        return condition.holds(face.bits, in_app, "")

    return any(
        holds(sides.own, at)
        and (not sides.of.caller or holds(sides.caller, at - 1))
        and (not sides.of.callee or holds(sides.callee, at + 1))
        for at in range(len(trace))
    )


class _Tests:
    """All patterns of one name: a text is asked for all of them at once."""

    def __init__(self, patterns: list[tuple[str, int]], name: str) -> None:
        self.asking = 0  # rules that have one
        self._rules = [1 << number for _, number in patterns]
        for bit in self._rules:
            self.asking |= bit
        ignore_case = name in _IGNORE_CASE
        self._set = globs.Patterns(globs.text(one, ignore_case=ignore_case) for one, _ in patterns)

    def met(self, value: str) -> int:
        """The rules of which at least one pattern matches."""
        found = 0
        for place in self._set.matching(value):
            found |= self._rules[place]
        return found


def _is_family(one: Matcher, own: str) -> bool:
    return (not {own, "all"}.isdisjoint(one.pattern.split(","))) is not one.is_negated


def _values_of(name: str, seen: Seen) -> list[str]:
    """What an event has under a name, which may be more than one text."""
    data = seen.data
    if name in _THROWN:
        return [str(one.get(name) or "") for one in _exceptions(data)]
    if name == "message":
        entry = data.get("logentry") or {}
        said = [
            entry.get("formatted"),
            entry.get("message"),
            *(one.get("value") for one in _exceptions(data)),
        ]
        return [str(text) for text in said if text]
    if name.startswith("tags."):
        return [value] if (value := seen.tags.get(name[5:])) is not None else []
    if name == "sdk":
        found = (data.get("sdk") or {}).get("name") if isinstance(data.get("sdk"), dict) else None
    else:
        found = data.get(name) or seen.tags.get(name)
    return [str(found)] if found else []


def _exceptions(data: Mapping[str, Any]) -> Sequence[Any]:
    return data["exception"]["values"] if "exception" in data else ()


def _all_hold(matchers: tuple[Matcher, ...], exception: Any) -> bool:
    return all(_matches(one, str(exception.get(one.name) or "")) is not one.is_negated for one in matchers)


def _matches(one: Matcher, value: str) -> bool:
    return globs.matches(one.pattern, value, ignore_case=one.name in _IGNORE_CASE)
