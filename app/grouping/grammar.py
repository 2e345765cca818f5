"""The words that both kinds of rules are written in: one rule a line, `#` begins a comment.

    [!]matcher:pattern …        a matcher's name and its pattern may be "quoted", with \\" and \\\\ in them
    [ matchers ] | … | [ matchers ]    the frame before and the frame behind

What is wrong is told with its line and its column, both from 1, and concerns that line alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

T = TypeVar("T")

#: Characters of all rules of a project; rules in it.
LONGEST, MOST = 64 * 1024, 500

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NAME = re.compile(r"[A-Za-z][\w.-]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

#: Other names of matchers, and the one they are known by.
ALIASES = {
    "error.type": "type",
    "error.value": "value",
    "error.mechanism": "mechanism",
    "stack.module": "module",
    "stack.abs_path": "path",
    "stack.path": "path",
    "stack.package": "package",
    "stack.function": "function",
    "stack.category": "category",
    "stack.family": "family",
    "stack.app": "app",
}
TRUTHS = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
FAMILIES = frozenset(("native", "javascript", "other", "all"))


class Wrong(NamedTuple):
    """Why a line is no rule."""

    line: int
    column: int
    text: str  # one sentence

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.text}"


class NoRule(Exception):
    """Raised with the place in the line, from 0, and the sentence."""

    def __init__(self, place: int, text: str) -> None:
        super().__init__(text)
        self.place, self.text = place, text


class Matcher(NamedTuple):
    """One condition."""

    name: str  # as ALIASES knows it; "tags.NAME" of a tag
    pattern: str
    is_negated: bool = False


class Sides(NamedTuple):
    """What has to hold of a frame, of the one before it and of the one behind it."""

    matchers: tuple[Matcher, ...]
    caller: tuple[Matcher, ...] = ()
    callee: tuple[Matcher, ...] = ()


class Line:
    """One rule's text on its way through a parser."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self._pass_blanks()

    def _pass_blanks(self) -> None:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1
        if self.place < len(self.text) and self.text[self.place] == "#":
            self.place = len(self.text)

    @property
    def is_done(self) -> bool:
        return self.place >= len(self.text)

    def sees(self, token: str) -> bool:
        return self.text.startswith(token, self.place)

    def takes(self, token: str) -> bool:
        """Goes past a token, if it is the next one."""
        if not self.sees(token):
            return False
        self.place += len(token)
        self._pass_blanks()
        return True

    def takes_name(self) -> str:
        """A matcher's name, with what follows left; "" when there is none."""
        if quoted := _QUOTED.match(self.text, self.place):
            self.place = quoted.end()
            return _unescaped(quoted[1])
        if found := _NAME.match(self.text, self.place):
            self.place = found.end()
            return found[0]
        return ""

    def takes_match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What a pattern finds here, with the blanks behind it passed."""
        if found := pattern.match(self.text, self.place):
            self.place = found.end()
            self._pass_blanks()
        return found

    def takes_argument(self, bare: re.Pattern[str] = re.compile(r"\S+")) -> str:
        """A quoted text, or what is written without blanks; "" when nothing is left."""
        if quoted := _QUOTED.match(self.text, self.place):
            self.place = quoted.end()
            self._pass_blanks()
            return _unescaped(quoted[1])
        if self.sees('"'):
            raise NoRule(self.place, "A quotation mark is not closed.")
        found = self.takes_match(bare)
        return found[0] if found else ""


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line that is more than blank or a comment, with its number."""
    for number, line in enumerate(text[:LONGEST].splitlines(), 1):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield number, line


def parsed(text: str, read: Callable[[str], T]) -> tuple[list[T], list[Wrong]]:
    """The rules of a text, read line by line, and what is wrong with the lines that are none."""
    rules: list[T] = []
    wrong: list[Wrong] = []
    for number, line in lines(text):
        if len(rules) >= MOST:
            wrong.append(Wrong(number, 1, f"There are more than {MOST} rules."))
            break
        try:
            rules.append(read(line))
        except NoRule as error:
            wrong.append(Wrong(number, error.place + 1, error.text))
    return rules, wrong


def matchers(line: Line, known: frozenset[str]) -> tuple[Matcher, ...]:
    """All that come next; names of tags are known when "tags." is. Raises NoRule."""
    found: list[Matcher] = []
    while matcher := _matcher(line, known):
        found.append(matcher)
    return tuple(found)


def sides(line: Line, known: frozenset[str]) -> Sides:
    """Matchers with those of the frames around, in brackets. Raises NoRule."""
    caller = _bracketed(line, known)
    if caller:
        _expect(line, "|", "Between the frame before and the frame stands a |.")
    start = line.place
    own = matchers(line, known)
    if not own:
        raise NoRule(start, "Here should be a matcher, such as function:main.")
    callee: tuple[Matcher, ...] = ()
    if line.takes("|"):
        start = line.place
        callee = _bracketed(line, known)
        if not callee:
            raise NoRule(start, "Behind the | stands the next frame: [ function:main ].")
    return Sides(own, caller, callee)


def _bracketed(line: Line, known: frozenset[str]) -> tuple[Matcher, ...]:
    if not line.takes("["):
        return ()
    start = line.place
    found = matchers(line, known)
    if not found:
        raise NoRule(start, "Here should be a matcher, such as function:main.")
    _expect(line, "]", "A bracket is not closed; a blank stands before it.")
    return found


def _expect(line: Line, token: str, otherwise: str) -> None:
    if not line.takes(token):
        raise NoRule(line.place, otherwise)


def _matcher(line: Line, known: frozenset[str]) -> Matcher | None:
    """None where no matcher begins, with the line as it was."""
    start = line.place
    is_negated = line.sees("!")
    line.place += is_negated
    name = line.takes_name()
    if not name or not line.sees(":"):
        line.place = start
        return None
    name = ALIASES.get(name, name)
    is_tag = name.startswith("tags.") and "tags." in known
    if not (len(name) > len("tags.") if is_tag else name in known):
        raise NoRule(start + is_negated, f"There is no matcher “{name}”. {_listed(known)}")
    line.place += 1
    place = line.place
    pattern = line.takes_argument() if not line.text[place : place + 1].isspace() else ""
    if not pattern:
        raise NoRule(place, f"The pattern of {name} is missing.")
    if problem := _problem(name, pattern):
        raise NoRule(place, problem)
    return Matcher(name, pattern, is_negated)


def _problem(name: str, pattern: str) -> str:
    if name == "app" and pattern.lower() not in TRUTHS:
        return "app is yes or no."
    if name == "family":
        for family in pattern.split(","):
            if family not in FAMILIES:
                return f"There is no family “{family}”: it is native, javascript, other or all."
    return ""


def _listed(known: frozenset[str]) -> str:
    names = sorted(name for name in known if name != "tags.")
    return f"There are {', '.join(names)}{' and tags.NAME' if 'tags.' in known else ''}."
