"""Where in an event a scrubbing rule applies: selectors, and the leaves of an event by their paths. Pure.

    extra.token            the value at this path, and everything below it
    extra.*.token          any one name in between
    request.**             everything below the request
    $user.email            the email of a user, wherever users are
    $frame.vars.**         variables of every frame
    $string                every text
    'a name'.x             names with blanks or dots in quotes
    a || b, a && b, !a, ( )

Names are compared without regard to case. Headers, cookies and other lists of pairs are walked by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

#: Tells whether a place is meant.
Test = Callable[[str], bool]
#: What stands in front of each step's name and of each of its kinds, in a place written as text.
_STEP, _KIND = "\0", "\1"
_LONGEST, _MOST_DEEP = 512, 4
_ONE, _ANY = r"\x00[^\x00]*", r"(?:\x00[^\x00]*)*"

KINDS = {
    "event": "", "exception": "exception", "error": "exception", "stacktrace": "stacktrace", "frame": "frame",
    "request": "request", "http": "request", "user": "user", "logentry": "logentry", "message": "logentry",
    "thread": "thread", "breadcrumb": "breadcrumb", "span": "span", "sdk": "sdk", "context": "context",
    "template": "template", "csp": "csp", "string": "string", "number": "number", "bool": "bool",
    "boolean": "bool", "array": "array", "object": "object", "datetime": "string", "freeform": "freeform",
}  # fmt: skip
_OF_NAMES = {
    "stacktrace": "stacktrace", "raw_stacktrace": "stacktrace", "request": "request", "user": "user",
    "logentry": "logentry", "sdk": "sdk", "template": "template", "csp": "csp", "extra": "freeform",
    "vars": "freeform", "data": "freeform", "tags": "freeform",
}  # fmt: skip
_OF_ELEMENTS: dict[tuple[str, ...], str] = {
    ("exception", "values"): "exception", ("threads", "values"): "thread",
    ("breadcrumbs", "values"): "breadcrumb",
}  # fmt: skip
_TOKEN = re.compile(r"\s*(?:(\|\||&&|[!()])|((?:'(?:[^'\\]|\\.)*'|[^\s()!&|'])+))")


class Wrong(ValueError):
    """A selector that means nothing; the message says why, for people."""


class Leaf(NamedTuple):
    """A value that is no container, and where it stands."""

    place: str
    name: str
    value: Any
    put: Callable[[Any], None]
    drop: Callable[[], None]


@lru_cache(512)
def compiled(selector: str) -> Test:
    """Raises Wrong."""
    if len(selector) > _LONGEST:
        raise Wrong(f"The selector is longer than {_LONGEST} characters.")
    tokens = _tokens(selector)
    if not tokens:
        raise Wrong("The selector is empty.")
    test, rest = _either(tokens)
    if rest:
        raise Wrong(f"“{rest[0]}” is not expected there.")
    return test


def _tokens(selector: str) -> list[str]:
    tokens, at = [], 0
    selector = selector.strip()
    while at < len(selector):
        match = _TOKEN.match(selector, at)
        if match is None:
            raise Wrong(f"“{selector[at : at + 20]}” is not understood.")
        tokens.append(match[1] or match[2])
        at = match.end()
    return tokens


def _either(tokens: list[str]) -> tuple[Test, list[str]]:
    tests, rest = [], ["||", *tokens]
    while rest and rest[0] == "||":
        test, rest = _both(rest[1:])
        tests.append(test)
    return (tests[0] if len(tests) == 1 else lambda place: any(one(place) for one in tests)), rest


def _both(tokens: list[str]) -> tuple[Test, list[str]]:
    tests, rest = [], ["&&", *tokens]
    while rest and rest[0] == "&&":
        test, rest = _one(rest[1:])
        tests.append(test)
    return (tests[0] if len(tests) == 1 else lambda place: all(one(place) for one in tests)), rest


def _one(tokens: list[str]) -> tuple[Test, list[str]]:
    if not tokens:
        raise Wrong("Something is missing at the end.")
    if tokens[0] in ("||", "&&", ")"):
        raise Wrong(f"Something is missing before “{tokens[0]}”.")
    if tokens[0] == "!":
        test, rest = _one(tokens[1:])
        return (lambda place: not test(place)), rest
    if tokens[0] == "(":
        test, rest = _either(tokens[1:])
        if not rest or rest[0] != ")":
            raise Wrong("A “)” is missing.")
        return test, rest[1:]
    pattern = re.compile(_pattern(tokens[0]) + _ANY, re.IGNORECASE | re.DOTALL)
    return (lambda place: pattern.fullmatch(place) is not None), tokens[1:]


def _pattern(path: str) -> str:
    steps = re.findall(r"'(?:[^'\\]|\\.)*'|[^.']+", path)
    if ".".join(steps) != path:
        raise Wrong(f"“{path}” has an empty name.")
    if steps.count("**") > _MOST_DEEP:
        raise Wrong(f"“{path}” has more than {_MOST_DEEP} times “**”.")
    pattern = "".join(map(_step, steps))
    return _ANY + pattern if steps[0].startswith("$") and steps[0] != "$event" else pattern


def _step(step: str) -> str:
    if step == "**":
        return _ANY
    if step == "*":
        return _ONE
    if step.startswith("$"):
        kind = KINDS.get(step[1:].lower())
        if kind is None:
            raise Wrong(f"“{step}” is no kind of value; {', '.join('$' + name for name in KINDS)} are.")
        return rf"{_ONE}\x01{kind}(?:\x01\w+)*(?=\x00|\Z)" if kind else ""
    name = re.sub(r"\\(.)", r"\1", step[1:-1]) if step.startswith("'") else step
    if step.startswith("'"):
        return rf"\x00{re.escape(name)}(?:\x01\w+)*"
    return r"\x00" + r"[^\x00\x01]*".join(map(re.escape, name.split("*"))) + r"(?:\x01\w+)*"


# -- an event's leaves -------------------------------------------------------------------------------------


def leaves(data: dict[str, Any]) -> Iterator[Leaf]:
    """All values of a normalised event that are no containers."""
    yield from _of_object(data, "", ())


def _of_object(node: dict[str, Any], place: str, names: tuple[str, ...]) -> Iterator[Leaf]:
    for name in list(node):
        yield from _at(node, name, name, place, names)


def _of_list(node: list[Any], place: str, names: tuple[str, ...]) -> Iterator[Leaf]:
    for index, item in enumerate(node):
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
            yield from _at(item, 1, item[0], place, names)
        else:
            yield from _at(node, index, str(index), place, names)


def _at(holder: Any, key: Any, name: str, place: str, names: tuple[str, ...]) -> Iterator[Leaf]:
    value = holder[key]
    at = f"{place}{_STEP}{name.translate(_CLEAN)}{_kinds(value, name, names)}"
    if isinstance(value, dict):
        yield from _of_object(value, at, (*names, name))
    elif isinstance(value, list):
        yield from _of_list(value, at, (*names, name))
    elif value is not None:

        def put(new: Any) -> None:
            holder[key] = new

        def drop() -> None:
            if isinstance(holder, dict):
                holder.pop(key, None)
            else:
                holder[key] = None

        yield Leaf(at, name, value, put, drop)


_CLEAN = {0: " ", 1: " "}
_OF_TYPES: tuple[tuple[Any, str], ...] = (
    (str, "string"), (bool, "bool"), ((int, float), "number"), (list, "array"), (dict, "object"),
)  # fmt: skip


def _kinds(value: Any, name: str, names: tuple[str, ...]) -> str:
    found = [next((kind for types, kind in _OF_TYPES if isinstance(value, types)), "")]
    if name in _OF_NAMES:
        found.append(_OF_NAMES[name])
    if kind := _OF_ELEMENTS.get(names[-2:]):
        found.append(kind)
    elif names[-1:] == ("frames",):
        found.append("frame")
    elif names[-1:] == ("contexts",):
        found.append("context")
    elif names[-1:] == ("spans",):
        found.append("span")
    return "".join(f"{_KIND}{kind}" for kind in found if kind)
