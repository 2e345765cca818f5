"""A project's own scrubbing: more secret names, names that are none, addresses, and rules. Pure.

What it needs of time is paid by projects that chose something. People's expressions run in RE2, whose time is
linear in the text, so that none of them can stop a worker.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from app.normalize import scrub, selectors
from app.normalize.selectors import Leaf
from app.options import Rule, Scrubbing

Data = dict[str, Any]
#: What an event is sorted, grouped and found by is no one's secret.
_UNTOUCHED = re.compile(
    r"\x00(?:event_id|timestamp|platform|level|release|dist|environment|sdk|debug_meta|modules)\b.*"
    r"|(?:.*\x01frame(?:\x01\w+)*)\x00(?:function|raw_function|module|package|in_app|platform|lineno|colno"
    r"|instruction_addr|symbol_addr|image_addr|addr_mode|symbol|function_id)(?:\x01\w+)*"
    r"|(?:.*\x01exception(?:\x01\w+)*)\x00(?:type|module|thread_id)(?:\x01\w+)*"
    r"|.*\x00mechanism(?:\x01\w+)*\x00(?:type|handled|synthetic|exception_id|parent_id|is_exception_group"
    r"|source)\b.*"
    r"|.*\x01breadcrumb(?:\x01\w+)*\x00(?:timestamp|type|level|category)(?:\x01\w+)*"
    r"|\x00contexts\b[^\x00]*\x00trace\b.*|.*\x01context(?:\x01\w+)*\x00type(?:\x01\w+)*",
    re.DOTALL,
)

_V4 = r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"
_V6 = (
    r"(?<![\w:])(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}"
    r"|(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}|::1)(?![\w:])"
)
_SHAPES: dict[str, re.Pattern[str]] = {
    "email": re.compile(r"\b[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}\b"),
    "ip": re.compile(f"{_V4}|{_V6}"),
    "mac": re.compile(r"\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b"),
    "uuid": re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),
    "imei": re.compile(r"(?<![\w-])\d{2}-?\d{6}-?\d{6}-?\d{1,2}(?![\w-])"),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "bearer": re.compile(r"(?<=\bBearer )[\w.~+/-]+=*", re.IGNORECASE),
    "userpath": re.compile(r"(?<=/home/)[^/\s]+|(?<=/Users/)[^/\s]+|(?<=\\Users\\)[^\\\s]+", re.IGNORECASE),
}
#: Those that the defaults know already.
_KNOWN: dict[str, Callable[[str, Callable[[str], str]], str]] = {
    "creditcard": scrub.cards,
    "usssn": scrub.social_security_numbers,
    "pemkey": scrub.private_keys,
    "urlauth": scrub.userinfo,
}
#: What a rule can look for, for people.
TYPES = {
    "anything": "Anything", "creditcard": "Credit card numbers", "password": "Values under names of secrets",
    "ip": "IP addresses", "email": "E-mail addresses", "usssn": "US social security numbers",
    "pemkey": "Private keys (PEM)", "urlauth": "User and password in URLs", "bearer": "Bearer tokens",
    "uuid": "UUIDs", "mac": "MAC addresses", "imei": "IMEIs", "iban": "IBANs",
    "userpath": "User names in file paths", "regex": "Regular expression",
}  # fmt: skip
METHODS = {"replace": "Replace", "mask": "Mask with asterisks", "hash": "Hash", "remove": "Remove"}


def apply(data: Data, chosen: Scrubbing, *, looks_clean: bool) -> None:
    """Replaces in place what is secret in this project, by default or by choice."""
    spared = _spared(data, chosen.safe_fields)
    if chosen.defaults:
        scrub.scrub(data, not looks_clean)
    _restore(spared)
    safe = _names(tuple(chosen.safe_fields))
    if chosen.fields:
        _by_names(data, _names(tuple(chosen.fields)), safe)
    if chosen.addresses:
        _remove_addresses(data)
    for rule in chosen.rules:
        _apply(rule, data)


def problem(rule: Rule) -> str:
    """What is wrong with a rule, as a sentence; "" when nothing is."""
    try:
        selectors.compiled(rule.source)
    except selectors.Wrong as wrong:
        return str(wrong)
    if rule.type not in TYPES:
        return f"“{rule.type}” is nothing that can be looked for."
    if rule.type != "regex":
        return ""
    if not rule.pattern:
        return "The regular expression is missing."
    expression = _expression(rule.pattern)
    return f"The regular expression is not understood: {expression}." if isinstance(expression, str) else ""


# -- names -------------------------------------------------------------------------------------------------


def _spared(data: Data, safe: list[str]) -> list[tuple[Leaf, Any]]:
    """What stands under safe names, as it was before the defaults."""
    names = _names(tuple(safe))
    if names is None:
        return []
    return [(leaf, copy.copy(leaf.value)) for leaf in selectors.leaves(data) if names.fullmatch(leaf.name)]


def _restore(spared: list[tuple[Leaf, Any]]) -> None:
    for leaf, value in spared:
        leaf.put(value)


def _by_names(data: Data, names: re.Pattern[str] | None, safe: re.Pattern[str] | None) -> None:
    """What stands under one of the names, at any depth, and what is written as "name=value" in a text."""
    if names is None:
        return
    for leaf in list(selectors.leaves(data)):
        if _UNTOUCHED.fullmatch(leaf.place) or (safe and safe.fullmatch(leaf.name)):
            continue
        steps = (step.partition("\1")[0] for step in leaf.place.split("\0"))
        if any(map(names.fullmatch, steps)):
            if not isinstance(leaf.value, bool):
                leaf.put(scrub.FILTERED)
        elif isinstance(leaf.value, str) and "=" in leaf.value:
            leaf.put(scrub.parameters(leaf.value, lambda name: names.fullmatch(name) is not None))


@lru_cache(512)
def _names(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Names as people write them: without regard to case, as a whole, `*` for anything."""
    found = [re.escape(name.strip()).replace(r"\*", ".*") for name in names if name.strip()]
    return re.compile("|".join(found), re.IGNORECASE) if found else None


# -- addresses ---------------------------------------------------------------------------------------------


def _remove_addresses(data: Data) -> None:
    user = data.get("user")
    if isinstance(user, dict):
        user.pop("ip_address", None)
        user.pop("geo", None)
        if not user:
            del data["user"]
    rule = Rule(method="replace", type="ip", placeholder="[ip]")
    for leaf in list(selectors.leaves(data)):
        if isinstance(leaf.value, str) and not _UNTOUCHED.fullmatch(leaf.place):
            leaf.put(_changed(rule, leaf.value))


# -- rules -------------------------------------------------------------------------------------------------


def _apply(rule: Rule, data: Data) -> None:
    if problem(rule):
        return  # of an earlier version's making; the settings say so
    is_meant = selectors.compiled(rule.source)
    for leaf in list(selectors.leaves(data)):
        if _UNTOUCHED.fullmatch(leaf.place) or not is_meant(leaf.place):
            continue
        if rule.type == "anything" or (rule.type == "password" and scrub.SENSITIVE[leaf.name]):
            _whole(rule, leaf)
        elif isinstance(leaf.value, str) and rule.type != "password":
            leaf.put(_changed(rule, leaf.value))


def _whole(rule: Rule, leaf: Leaf) -> None:
    if rule.method == "remove":
        leaf.put("") if leaf.name == "formatted" else leaf.drop()  # a message is a text, if an empty one
    elif rule.method == "replace":
        leaf.put(rule.placeholder or scrub.FILTERED)
    else:
        leaf.put(_put_for(rule)(str(leaf.value)))


def _changed(rule: Rule, text: str) -> str:
    """The text with what the rule looks for replaced."""
    new = _put_for(rule)
    if rule.type in _KNOWN:
        return _KNOWN[rule.type](text, new)
    if rule.type == "regex":
        expression = _expression(rule.pattern)
        return text if isinstance(expression, str) else str(expression.sub(lambda match: new(match[0]), text))
    return _SHAPES[rule.type].sub(lambda match: new(match[0]), text)


def _put_for(rule: Rule) -> Callable[[str], str]:
    """What stands for a secret: of the same length, always the same for the same, or nothing of it."""
    if rule.method == "mask":
        return lambda found: re.sub(r"[^\s.@:/\\-]", "*", found)
    if rule.method == "hash":
        return lambda found: hashlib.sha256(found.encode("utf-8", "replace")).hexdigest()[:40].upper()
    if rule.method == "remove":
        return lambda _: ""
    return lambda _: rule.placeholder or scrub.FILTERED


@lru_cache(256)
def _expression(pattern: str) -> Any:
    """The compiled expression, or what is wrong with it."""
    import re2  # noqa: PLC0415 in processes where somebody has a rule

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        return (error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])).rstrip(
            "."
        )
