"""Secrets are replaced before anything of an event is stored.

Two ways to know one: by the name it stands under (password, authorization, api_key, …) and by its looks
(card numbers, social security numbers, private keys, passwords inside URLs). Names are looked up one by one,
each only once per process; for looks the raw bytes of the event are asked first, so that clean events,
which are nearly all, pay next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain
from typing import Any

FILTERED = "[Filtered]"
_NESTING = frozenset({dict, list})

# -- by name -----------------------------------------------------------------------------------------------

#: "auth" but not "author": people who wrote something are no secret.
_SENSITIVE = re.compile(
    r"passw(?:or)?d|passphrase|\bpwd|_pwd|secret|api[-_ ]?key|token|bearer|credential"
    r"|auth(?!or(?!iz)|enticated)|private[-_ ]?key|card[-_ ]?num|creditcard|\bcvv|\bcvc"
    r"|session[-_]?id|sessid|csrf|xsrf|set-cookie|\bssn\b|\bjwt\b",
    re.IGNORECASE,
)
#: Names that hold such a word and are no secret.
_HARMLESS = re.compile(
    r"(?:\b|_)(?:(?:input|output|total|max|prompt|completion|cached|reasoning)_tokens|token_(?:count|type)"
    r"|tokenizer|auth_(?:method|type))$",
    re.IGNORECASE,
)
#: name=value with a sensitive name, as in query strings and forms.
_PARAMETER = re.compile(r"(?P<name>[\w.\-\[\]%]{1,64})=(?P<value>[^&\s;,'\"#<>]+)")
#: Names that are remembered: those of code, which come again, not those of strangers' data.
_MOST_NAMES, _LONGEST_NAME = 20_000, 64


class _Names(dict[str, bool]):
    """Whether a name is sensitive, remembered."""

    def __missing__(self, name: str) -> bool:
        verdict = bool(_SENSITIVE.search(name)) and not _HARMLESS.search(name)
        if len(name) <= _LONGEST_NAME:
            if len(self) >= _MOST_NAMES:
                self.clear()
            self[name] = verdict
        return verdict


SENSITIVE = _Names()

# -- by looks ----------------------------------------------------------------------------------------------

_PEM = re.compile(
    r"(-----BEGIN[A-Z ]*(?:PRIVATE|PUBLIC) KEY-----).*?(?:(-----END[A-Z ]*(?:PRIVATE|PUBLIC) KEY-----)|\Z)",
    re.DOTALL,
)
_USERINFO = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{0,30}://)[^\s/?#@\"'<>]{1,256}@")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_CARD = re.compile(
    r"(?<![\w.-])(?:[3-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}([ -]?)\d{6}\2\d{5})(?![\w-])"
)

#: Every digit becomes a zero and every blank a dash, so that one search finds all numbers of a shape.
_ZEROS = bytes.maketrans(b"123456789 ", b"000000000-")
#: The shapes of card and social security numbers: whole ones, and those of groups, which share one piece.
_WHOLE, _GROUPS, _IN_GROUPS = b"0" * 13, (b"0000-0000-0", b"0000-000000-0", b"000-00-0000"), b"00-0000"
#: What may stand before a number in JSON: no word, or an escape (of JSON or of URLs) that ends like one.
_BEFORE = r"(?:(?<![\w{}-])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{{4}})|(?<=%[0-9A-Fa-f]{{2}}))"
_ssn_at = re.compile((_BEFORE.format("") + _SSN.pattern.partition(")")[2]).encode()).match
_card_at = re.compile((_BEFORE.format(".") + _CARD.pattern.partition(")")[2]).encode()).match
#: So many numbers are looked at closely; an event of more is scrubbed without asking.
_MOST_NUMBERS = 100


def suspicious(raw: bytes) -> bool:
    """Whether the bytes of an event may hold something that looks like a secret."""
    if b"-----BEGIN" in raw or _hidden(raw) or (b"@" in raw and _has_userinfo(raw)):
        return True
    zeros = raw.translate(_ZEROS)
    shapes = (_WHOLE, *_GROUPS) if _IN_GROUPS in zeros else (_WHOLE,)
    return any(_has_number(raw, zeros, shape) for shape in shapes)


#: Digits, dashes, blanks, slashes, colons and "@" that are written as escapes, which hardly anybody does.
_hidden: Callable[[bytes], object] = re.compile(rb"\\u00(?:3[0-9aA]|2[0dDfF]|40)").search
_userinfo = re.compile(rb":(?:/|\\/){2}[^/\s?#@\"'<>]{1,256}@").search
_LONGEST_USERINFO = 262


def _has_userinfo(raw: bytes) -> bool:
    """Whether a password may stand in a URL: looks back from every "@", of which there are few."""
    before, at = 0, raw.find(b"@")
    while at >= 0:
        if _userinfo(raw, max(before, at - _LONGEST_USERINFO), at + 1):
            return True
        before, at = at, raw.find(b"@", at + 1)
    return False


def _has_number(raw: bytes, zeros: bytes, shape: bytes) -> bool:
    """Whether what has the shape of a secret number stands alone and, of a card, has the right sum."""
    at, seen = zeros.find(shape), 0
    while at >= 0:
        card = _card_at(raw, at)
        if _ssn_at(raw, at) or (card and _luhn(card[0].decode())) or seen > _MOST_NUMBERS:
            return True
        at, seen = zeros.find(shape, at + 1), seen + 1
    return False


def text(value: str) -> str:
    """The text with everything that looks like a secret replaced."""
    return cards(social_security_numbers(userinfo(private_keys(value))))


def _filter(_: str) -> str:
    return FILTERED


#: What stands for a secret that was found in a text.
Put = Callable[[str], str]


def private_keys(value: str, put: Put = _filter) -> str:
    if "-----BEGIN" not in value:
        return value
    return _PEM.sub(lambda match: f"{match[1]}\n{put(match[0])}\n{match[2] or ''}".rstrip(), value)


def userinfo(value: str, put: Put = _filter) -> str:
    """User and password in URLs."""
    if "@" not in value:
        return value
    return _USERINFO.sub(lambda match: f"{match[1]}{put(match[0][len(match[1]) : -1])}@", value)


def social_security_numbers(value: str, put: Put = _filter) -> str:
    return _SSN.sub(lambda match: put(match[0]), value)


def cards(value: str, put: Put = _filter) -> str:
    return _CARD.sub(lambda match: put(match[0]) if _luhn(match[0]) else match[0], value)


def _luhn(text: str) -> bool:
    """Whether the digits are a card number: nearly all other long numbers fail this sum."""
    digits = [int(character) for character in reversed(text) if character.isdigit()]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


# -- an event ----------------------------------------------------------------------------------------------


def scrub(data: dict[str, Any], by_looks: bool) -> None:
    """Replaces the secrets of a normalised event in place; texts are looked at only if `by_looks`."""
    crumbs = _values(data, "breadcrumbs")
    holders = [*_values(data, "exception"), *_values(data, "threads"), data]
    traces = [holder[name]["frames"] for holder in holders for name in _TRACES if name in holder]
    request = data.get("request", {})
    bags = [data.get(name) for name in _BAGS]
    bags += request.get("env"), request.get("data")
    bags += [holder["mechanism"].get("data") for holder in holders if "mechanism" in holder]
    bags += [frame["vars"] for frames in traces for frame in frames if "vars" in frame]
    bags += [crumb["data"] for crumb in crumbs if "data" in crumb]
    _objects(bags, by_looks)
    for crumb in crumbs:
        if "data" in crumb:
            addresses(crumb["data"])
    if request:
        _request(request, by_looks)
    if "logentry" in data:
        _logentry(data["logentry"], by_looks)
    if by_looks:
        _all_texts(data, holders, traces)


_BAGS = ("extra", "contexts", "tags", "csp", "user")
_TRACES = ("stacktrace", "raw_stacktrace")


def _all_texts(
    data: dict[str, Any], holders: list[dict[str, Any]], traces: list[list[dict[str, Any]]]
) -> None:
    """What is no bag and may look like a secret."""
    for crumb in _values(data, "breadcrumbs"):
        _texts(crumb, ("message",))
    for frames in traces:
        _lines(frames)
    for holder in holders:
        _texts(holder, ("type", "value", "name"))
    _texts(data, ("transaction", "server_name", "logger", "culprit"))
    _texts(data.get("template", {}), ("context_line",))


def _texts(holder: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in holder:
            holder[name] = text(holder[name])


def _values(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return data[name]["values"] if name in data else []


def _lines(frames: list[dict[str, Any]]) -> None:
    for frame in frames:
        for name in ("pre_context", "post_context"):
            if name in frame:
                frame[name] = [text(line) for line in frame[name]]
        _texts(frame, ("context_line", "abs_path", "filename"))


def _logentry(entry: dict[str, Any], by_looks: bool) -> None:
    params = entry.get("params")
    if isinstance(params, dict):
        before = [value for name, value in params.items() if SENSITIVE[name] and isinstance(value, str)]
        _object(params, by_looks)
        # A named parameter that is secret stands in the formatted message as well.
        for value in before:
            if len(value) > 3:
                entry["formatted"] = entry["formatted"].replace(value, FILTERED)
    else:
        _object(params, by_looks)
    if by_looks:
        _texts(entry, ("message", "formatted"))


def _request(request: dict[str, Any], by_looks: bool) -> None:
    sensitive = SENSITIVE
    for name in ("headers", "cookies", "query_string"):
        for pair in request.get(name, ()):
            name_of_it = pair[0]
            if sensitive[name_of_it]:
                pair[1] = FILTERED
            elif by_looks:
                pair[1] = text(pair[1])
            if name_of_it == "Referer":
                pair[1] = parameters(pair[1])
    if isinstance(data := request.get("data"), str):
        data = parameters(data)
        request["data"] = text(data) if by_looks else data
    if by_looks:
        _texts(request, ("url", "fragment"))
    if "fragment" in request:
        request["fragment"] = parameters(request["fragment"])
    env = request.get("env")
    if isinstance(env, dict):
        addresses(env)


def bag(value: object, *, by_looks: bool = False) -> None:
    """Replaces what stands under sensitive names in one bag, and what looks like a secret, in place."""
    _object(value, by_looks)


def names(data: dict[str, Any], more: list[Any]) -> None:
    """The same as `scrub`, by name, of what is no trace and no breadcrumb; `more` are its other bags."""
    request = data.get("request")
    bags = [data.get("tags"), data.get("user"), *more]
    if request:
        bags += request.get("env"), request.get("data")
        _request(request, by_looks=False)
    _objects(bags, by_looks=False)
    if "logentry" in data:
        _logentry(data["logentry"], by_looks=False)


def addresses(bag: dict[str, Any]) -> None:
    """URLs and query strings in a bag hold parameters, which have names of their own."""
    for name, value in bag.items():
        if type(value) is str and "=" in value:
            bag[name] = parameters(value)


def parameters(value: str, is_secret: Callable[[str], bool] = SENSITIVE.__getitem__) -> str:
    """The text with the values of secret parameters replaced: "name=value", as in query strings."""
    if "=" not in value:
        return value
    return _PARAMETER.sub(
        lambda match: f"{match['name']}={FILTERED}" if is_secret(match["name"]) else match[0], value
    )


def _objects(bags: list[Any], by_looks: bool) -> None:
    """All of them as `_object` does; that there is nothing to do, as nearly always, is found out at once."""
    if by_looks or not are_harmless(bags):
        for bag in bags:
            _object(bag, by_looks)


def are_harmless(nodes: list[Any]) -> bool:
    """Whether no name at any depth is sensitive: asked level by level, so that the loops are in C."""
    while not _NESTING.isdisjoint(map(type, nodes)):
        objects = [node for node in nodes if type(node) is dict]
        lists = [node for node in nodes if type(node) is list]
        if any(map(SENSITIVE.__getitem__, set().union(*objects))) or any(map(_is_named, lists)):
            return False
        nodes = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
    return True


def _object(value: object, by_looks: bool) -> None:
    """What stands under a sensitive name is replaced, in an object or list of any shape, in place."""
    stack: list[Any] = [value]
    while stack:
        node = stack.pop()
        if type(node) is dict:
            _named_values(node, by_looks, stack)
        elif type(node) is list:
            _values_in_order(node, by_looks, stack)


def _named_values(node: dict[str, Any], by_looks: bool, stack: list[Any]) -> None:
    sensitive = SENSITIVE
    for name, item in node.items():
        kind = type(item)
        if sensitive[name]:
            node[name] = _filtered(item)
        elif kind is dict or kind is list:
            stack.append(item)
        elif by_looks and kind is str:
            node[name] = text(item)


def _values_in_order(node: list[Any], by_looks: bool, stack: list[Any]) -> None:
    if _is_named(node):
        node[1] = _filtered(node[1])
    for index, item in enumerate(node):
        kind = type(item)
        if kind is dict or kind is list:
            stack.append(item)
        elif by_looks and kind is str:
            node[index] = text(item)


def _is_named(node: list[object]) -> bool:
    """A pair of a sensitive name and its value, as headers are written in variables."""
    return len(node) == 2 and type(node[0]) is str and len(node[0]) < 64 and SENSITIVE[node[0]]


def _filtered(value: object) -> object:
    """Booleans and null give nothing away; the shape of a structure stays."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {name: _filtered(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_filtered(item) for item in value]
    return FILTERED
