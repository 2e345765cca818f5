"""Rules that say which frames are the application's own and which count: `matchers actions`, one a line.

    path:**/vendor/** -app                     somebody else's code
    function:handle_* ^-group                  nothing that this function calls
    [ module:pool ] | function:run v-group -group      nor what leads to it
    error.type:Timeout max-frames=1            of a timeout, the innermost frame alone

    +app -app       whether it is in-app          +group -group   whether it counts
    category=NAME   for later rules to ask for    max-frames=N    the N innermost alone
                                                  min-frames=N    with fewer, the whole trace counts no more
    ^… v…           of all frames behind this one, towards the crash; of all before it

Rules hold in their order, the base rules of the configuration first; what one changes, later ones see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from app.grouping import globs, grammar
from app.grouping.conditions import UNKNOWN, Condition, Conditions
from app.grouping.grammar import Line, Matcher, NoRule, Wrong
from app.grouping.places import Place

THROWN = frozenset(("type", "value", "mechanism"))
KNOWN = frozenset(("path", "module", "function", "package", "category", "family", "app")) | THROWN

_FLAG = re.compile(r"([v^]?)([+-])(app|group|prefix|sentinel)(?=\s|$)")
_VALUE = re.compile(r"(category|max-frames|min-frames|invert-stacktrace)=(\S+)")
#: Once actions of other trackers, without effect here: their rules need not be rewritten.
_HISTORICAL = frozenset(("prefix", "sentinel", "invert-stacktrace"))


class Action(NamedTuple):
    name: str  # app, group, category, max-frames, min-frames
    value: Any  # bool, str or int
    where: str = ""  # "^" of all frames behind, "v" of all before


class Rule(NamedTuple):
    """One line."""

    text: str
    thrown: tuple[Matcher, ...]  # about the exception
    sides: grammar.Sides  # about the frame and those around it
    actions: tuple[Action, ...]


class State(NamedTuple):
    """What became of a frame; the texts are of the rules that said so."""

    in_app: bool
    group: bool | None = None
    category: str = ""
    app_rule: str = ""
    group_rule: str = ""


class Settled(NamedTuple):
    """What became of a trace."""

    states: Sequence[State]
    most: int = 0  # frames that may count; 0 = all
    least: int = 0  # frames without which none counts
    most_rule: str = ""
    least_rule: str = ""


class Thrown(NamedTuple):
    """What rules ask of an exception."""

    type: str = ""
    value: str = ""
    mechanism: str = ""


NOBODY = Thrown()


def parse(text: str) -> tuple[list[Rule], list[Wrong]]:
    """The rules of a text, and what is wrong with the lines that are none."""
    return grammar.parsed(text, _rule)


def _rule(text: str) -> Rule:
    line = Line(text)
    found = grammar.sides(line, KNOWN)
    actions: list[Action] = []
    start = line.place
    while not line.is_done:
        actions += _action(line)
    if line.place == start or len(text) == start:
        raise NoRule(start, "An action is missing, such as -app or -group.")
    of_frame = tuple(one for one in found.matchers if one.name not in THROWN)
    for one in (*found.caller, *found.callee):
        if one.name in THROWN:
            raise NoRule(0, f"{one.name} is asked of the exception, outside of brackets.")
    thrown = tuple(one for one in found.matchers if one.name in THROWN)
    return Rule(text.strip(), thrown, found._replace(matchers=of_frame), tuple(actions))


def _action(line: Line) -> list[Action]:
    start = line.place
    if flag := line.takes_match(_FLAG):
        where, sign, name = flag.groups()
        return [] if name in _HISTORICAL else [Action(name, sign == "+", where)]
    if value := line.takes_match(_VALUE):
        name, text = value.groups()
        if name in _HISTORICAL:
            return []
        if name == "category":
            return [Action(name, text[:64])]
        if not text.isdecimal() or len(text) > 4:
            raise NoRule(start, f"{name} is a number.")
        return [Action(name, int(text))]
    raise NoRule(start, "There is no such action: it is +app, -app, +group, -group, category=, max-frames= …")


class _Compiled(NamedTuple):
    """A rule as it is applied."""

    rule: Rule
    own: Condition
    caller: Condition | None
    callee: Condition | None

    is_plain: bool  # whether it looks at one frame alone, and changes no other


def _is_plain(rule: Rule) -> bool:
    if rule.thrown or rule.sides.caller or rule.sides.callee:
        return False
    return not any(one.where or one.name.endswith("-frames") for one in rule.actions)


class Face(NamedTuple):
    """A frame as rules see it."""

    bits: int
    rules: tuple[int, ...]  # those that may hold of it, in order, but for those about exceptions
    is_plain: bool  # whether none of them looks further than the frame


class StackRules:
    """Rules ready to be applied; what is found out about a frame is for the caller to remember."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._conditions = Conditions()
        of = self._conditions.condition
        self._rules = [
            _Compiled(
                rule,
                of(rule.sides.matchers),
                of(rule.sides.caller) if rule.sides.caller else None,
                of(rule.sides.callee) if rule.sides.callee else None,
                _is_plain(rule),
            )
            for rule in rules
        ]
        numbers = range(len(self._rules))
        self._of_exceptions = [number for number in numbers if self._rules[number].rule.thrown]
        self._of_frames = [number for number in numbers if not self._rules[number].rule.thrown]
        self._about = lru_cache(1024)(self._numbers_about)
        names = {one.name for rule in self._rules for one in rule.rule.thrown}
        #: Whether more of an exception than its type decides.
        self.reads_values = bool(names & {"value", "mechanism"})

    def __len__(self) -> int:
        return len(self._rules)

    def face(self, place: Place) -> Face:
        """What can be said of a frame alone."""
        bits = self._conditions.bits(place)
        rules = tuple(number for number in self._of_frames if self._rules[number].own.may_hold(bits))
        return Face(bits, rules, all(self._rules[number].is_plain for number in rules))

    def about(self, thrown: Thrown) -> tuple[int, ...]:
        """The rules about such an exception."""
        if not self._of_exceptions:
            return ()
        return self._about(thrown if self.reads_values else Thrown(thrown.type))

    def _numbers_about(self, thrown: Thrown) -> tuple[int, ...]:
        return tuple(
            number for number in self._of_exceptions if _is_about(self._rules[number].rule.thrown, thrown)
        )

    def alone(self, face: Face, in_app: bool) -> State:
        """What becomes of a frame that only plain rules are about."""
        trace = _Trace([face], [in_app])
        for number in face.rules:
            one = self._rules[number]
            if one.is_plain and trace.holds(one.own, 0):
                trace.act(one.rule, 0)
        return trace.state(0)

    def together(self, faces: Sequence[Face], in_app: Sequence[bool], about: tuple[int, ...]) -> Settled:
        """What becomes of the frames of a trace, whose exception some rules are about."""
        trace = _Trace(faces, in_app)
        where: dict[int, Sequence[int]] = dict.fromkeys(about, range(len(faces)))
        for index, face in enumerate(faces):
            for number in face.rules:
                where.setdefault(number, []).append(index)  # type: ignore[attr-defined]
        for number in sorted(where):
            one = self._rules[number]
            # Which frames it is about is settled before it changes any.
            for index in [at for at in where[number] if trace.meets(one, at)]:
                trace.act(one.rule, index)
        states = [trace.state(index) for index in range(len(faces))]
        return Settled(states, trace.most[0], trace.least[0], trace.most[1], trace.least[1])


class _Trace:
    """The frames while rules are applied to them: a list of each property."""

    def __init__(self, faces: Sequence[Face], in_app: Sequence[bool]) -> None:
        count = len(faces)
        self.faces, self.in_app = faces, [*in_app]
        self.category = [""] * count
        self.group: list[bool | None] = [None] * count
        self.app_rule, self.group_rule = [""] * count, [""] * count
        self.most: tuple[int, str] = (0, "")
        self.least: tuple[int, str] = (0, "")

    def state(self, index: int) -> State:
        return State(
            self.in_app[index],
            self.group[index],
            self.category[index],
            self.app_rule[index],
            self.group_rule[index],
        )

    def meets(self, one: _Compiled, index: int) -> bool:
        if not self.holds(one.own, index):
            return False
        if one.caller is not None and not (index > 0 and self.holds(one.caller, index - 1)):
            return False
        last = len(self.faces) - 1
        return one.callee is None or (index < last and self.holds(one.callee, index + 1))

    def holds(self, condition: Condition, index: int) -> bool:
        return condition.holds(self.faces[index].bits, self.in_app[index], self.category[index])

    def act(self, rule: Rule, index: int) -> None:
        """Does to the frame, or to those around it, what a rule says."""
        for name, value, where in rule.actions:
            if name == "max-frames":
                self.most = value, rule.text
            elif name == "min-frames":
                self.least = value, rule.text
            else:
                self._set(name, value, _reach(where, index, len(self.faces)), rule.text)

    def _set(self, name: str, value: Any, reach: slice, rule: str) -> None:
        count = reach.stop - reach.start
        if name == "group":
            self.group[reach], self.group_rule[reach] = [value] * count, [rule] * count
        elif name == "category":
            self.category[reach] = [value] * count
        else:
            for at in range(reach.start, reach.stop):
                if self.in_app[at] is not value:
                    self.in_app[at], self.app_rule[at] = value, rule


def _reach(where: str, index: int, count: int) -> slice:
    if where == "^":
        return slice(index + 1, count)
    return slice(0, index) if where == "v" else slice(index, index + 1)


def _is_about(matchers: tuple[Matcher, ...], thrown: Thrown) -> bool:
    return all(_holds(one, getattr(thrown, one.name) or UNKNOWN) for one in matchers)


def _holds(one: Matcher, value: str) -> bool:
    return globs.matches(one.pattern, value, ignore_case=one.name == "value") is not one.is_negated
