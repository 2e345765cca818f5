"""Names of functions without what changes from build to build: arguments, templates, hashes."""

from __future__ import annotations

import re

NATIVE = frozenset({"objc", "cocoa", "swift", "native", "c"})
#: Where names carry more than a name.
TRIMMED = NATIVE | {"csharp"}

_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_GLIBC = re.compile(r"@@?GLIBC[\w.]*$")
_STDCALL = re.compile(r"@\d+$")
_CLONE = re.compile(r"\s*\[clone [^\]]*\]")
_MSVC_ANONYMOUS = re.compile(r"\?A0x[0-9a-f]{8}::")
_LAMBDA = re.compile(r"\{lambda\([^)]*\)#\d+\}|'lambda\d*'(?:\([^)]*\))?|<lambda_[0-9a-f]+>|\$_\d+")
_QUALIFIERS = re.compile(r"(?:\s*(?:\b(?:const|async|throws|rethrows)\b|&))+\s*$")
#: What looks like brackets and is a name; it is put aside while brackets are removed.
_PROTECTED = {
    "(anonymous namespace)": "\ue000",
    "`anonymous namespace'": "\ue000",
    "operator<<": "\ue001",
    "operator<=": "\ue002",
    "operator<": "\ue003",
    "operator()": "\ue004",
    "operator->": "\ue005",
    "operator>>": "\ue006",
    "operator>=": "\ue007",
    "operator>": "\ue008",
}
_RESTORED = {mark: name for name, mark in _PROTECTED.items() if name != "`anonymous namespace'"}


def trimmed(function: str, platform: str) -> str:
    """The name of a function in short; unchanged where names carry nothing else."""
    if platform == "csharp":
        return function.partition(" (")[0]
    if platform in NATIVE:
        return _native(function) or function
    return function


def _native(function: str) -> str:
    if function in ("<redacted>", "<unknown>") or function.startswith(("[", "+[", "-[")):
        return function
    if function.startswith("closure #"):  # Swift numbers them: what counts is where it stands
        function = function.rpartition(" in ")[2]
    name = _MSVC_ANONYMOUS.sub("(anonymous namespace)::", _LAMBDA.sub("lambda", _CLONE.sub("", function)))
    # The arrow of a return type stands outside brackets; its ">" must not be taken for one.
    name = _QUALIFIERS.sub("", _before_arrow(name))
    for text, mark in _PROTECTED.items():
        name = name.replace(text, mark)
    name = _without(name, "(", ")", "")
    # In Rust a name may begin with one: <A as B>::method
    name = _blanket(name) if name.startswith("<") else _without(name, "<", ">", "<T>")
    name = _last_word(name)
    name = _STDCALL.sub("", _GLIBC.sub("", _RUST_HASH.sub("", name)))
    for mark, text in _RESTORED.items():
        name = name.replace(mark, text)
    return name


def _without(text: str, opening: str, closing: str, replacement: str) -> str:
    """The text with every balanced pair of brackets, and what is in it, replaced."""
    kept: list[str] = []
    depth = 0
    for character in text:
        if character == opening:
            depth += 1
            if depth == 1:
                kept.append(replacement)
        elif character == closing and depth:
            depth -= 1
        elif not depth:
            kept.append(character)
    return text if depth else "".join(kept)


def _blanket(name: str) -> str:
    """ "<alloc::Vec<T> as Trait>::f" keeps the type: "alloc::Vec<T>::f"."""
    depth = 0
    for position, character in enumerate(name):
        depth += (character == "<") - (character == ">")
        if depth == 0:
            inner, rest = name[1:position], name[position + 1 :]
            left, separator, right = inner.partition(" as ")
            kept = right if separator and len(left) == 1 else left
            return _without(kept, "<", ">", "<T>") + _without(rest, "<", ">", "<T>")
    return name


def _before_arrow(name: str) -> str:
    """Without the return type that follows " -> " outside of brackets."""
    depth = 0
    for position, character in enumerate(name):
        if character in "(<":
            depth += 1
        elif character in ")>":
            if depth == 0 and name[position - 2 : position + 2] == " -> ":
                return name[: position - 2]
            depth -= character == ")" or name[position - 1 : position] != "-"
    return name


def _last_word(name: str) -> str:
    """Without the return type before it; what Swift only describes is a closure."""
    words = name.split()
    if not words:
        return name
    if words[-1].startswith("@"):
        return "thunk for closure" if words[0] == "thunk" else "closure"
    return words[-1]
