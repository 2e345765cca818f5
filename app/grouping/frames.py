"""A frame as far as it tells where something happened: module or file, function, the line itself."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from app.grouping.components import Part, branch, counting, ignored, leaf, without
from app.grouping.places import JAVA, JAVASCRIPT, NATIVE, Place, place
from app.grouping.stack_rules import State

#: Where the source line is what was written, not what a compiler made.
_WITH_LINES = frozenset({"javascript", "node", "python", "php", "ruby"})
LONGEST_LINE = 120

_URL = ("http:", "https:", "applewebdata:", "blob:")
_NOT_CODE = frozenset({"[native code]", "native code", "eval code", "<anonymous>"})
_NAMELESS = frozenset({"?", "<anonymous>", "<anonymous function>", "Anonymous function"})

_JAVA_GENERATED = (
    (re.compile(r"((?:sun\.reflect|jdk\.internal\.reflect)\.Generated(?:\w+)Accessor)\d+"), r"\1"),
    (re.compile(r"\$\$(?:\w*CGLIB\$\$|EnhancerBy|FastClassBy|SpringCGLIB\$\$)[\w$]*"), r"$$<auto>"),
    (re.compile(r"\$HibernateProxy\$\w+"), r"$HibernateProxy$<auto>"),
    (re.compile(r"_\$\$_javassist\w*"), r"_$$_javassist<auto>"),
    (re.compile(r"\$fn__\d+"), r"$fn__<auto>"),
)
_JAVASSIST_FILE = re.compile(r"_\$\$_javassist\w*")
_ERB = re.compile(r"__\d{4,}_\d{4,}$")


class Seen(NamedTuple):
    """A frame's part in each variant."""

    app: Part
    system: Part


def seen(of: Place, state: State) -> Seen:
    """The part of a frame in the `app` and in the `system` variant, as rules left it."""
    whole = _whole(of)
    system = whole
    if of.platform in JAVASCRIPT and (of.function == "eval" or of.path in _NOT_CODE):
        system = without(system, "it is not a place in the code")
    app = _of_app(system, state) if system.contributes else system
    if state.group is None:
        return Seen(app, system)
    if state.group:
        why = f"counts because of the rule “{state.group_rule}”"
        return Seen(*(counting(whole, why) if whole.texts else part for part in (app, system)))
    why = f"of the rule “{state.group_rule}”"
    return Seen(*(without(part, why) if part.contributes else part for part in (app, system)))


def frame(source: Any, platform: str) -> Seen:
    """The same of a frame that no rule is about."""
    found = place(source, platform)
    return seen(found, State(found.in_app))


def _of_app(system: Part, state: State) -> Part:
    because = f" because of the rule “{state.app_rule}”" if state.app_rule else ""
    if state.in_app:
        return counting(system, f"in-app{because}") if because else system
    return without(system, f"it is not in-app{because}")


def _whole(place: Place) -> Part:
    context = _context_line(place)
    module = _module(place) if place.module else None
    has_module = module is not None and module.contributes
    filename = _filename(place, has_module) if place.filename else None
    function = _function(place, context) if place.function else None
    return branch("frame", (module, filename, function, context))


def _module(place: Place) -> Part:
    module = place.module
    if place.platform in JAVASCRIPT and "/" in module and place.path.endswith(module):
        return ignored("module", module, "it is the path of the file")
    if place.platform in JAVA:
        if "$$Lambda$" in module:
            return ignored("module", module, "it is a generated lambda")
        for pattern, replacement in _JAVA_GENERATED:
            short, found = pattern.subn(replacement, module)
            if found:
                return leaf("module", short, "its generated part was left out")
    return leaf("module", module)


def _filename(place: Place, has_module: bool) -> Part:
    filename = place.filename
    name = re.split(r"[/\\]", filename)[-1].lower() or filename.lower()
    if has_module:
        return ignored("filename", name, "the module says more")
    if place.path.startswith(_URL):
        return ignored("filename", name, "it is a URL, which changes with every release")
    if filename in ("<anonymous>", "[native code]"):
        return ignored("filename", name, "it is no file")
    if place.platform in JAVA:
        name = _JAVASSIST_FILE.sub("_$$_javassist<auto>", name)
    return leaf("filename", name)


def _function(place: Place, context: Part | None) -> Part:
    name, platform = place.function, place.platform
    if platform == "ruby":
        return leaf("function", "block" if name.startswith("block ") else _ERB.sub("", name))
    if platform == "php":
        return _php_function(name)
    if platform in JAVASCRIPT:
        return _javascript_function(name, place.has_map and context is not None and context.contributes)
    if platform in JAVA and name.startswith("lambda$"):
        return ignored("function", name, "it is a generated lambda")
    if platform in NATIVE and name in ("<redacted>", "<unknown>"):
        return ignored("function", name, "it has no name")
    return leaf("function", name)


def _javascript_function(function: str, line_says_more: bool) -> Part:
    name = function.rpartition(".")[2] or function
    if not _NAMELESS.isdisjoint((function, name)) or function.endswith("/<"):
        return ignored("function", name, "it has no name")
    if line_says_more:
        return ignored("function", name, "the source map gives the line itself")
    return leaf("function", name)


def _php_function(function: str) -> Part:
    if function.startswith("class@anonymous") and "::" in function:
        return leaf("function", function.rpartition("::")[2], "its class has no name")
    if function.startswith(("[Anonymous", "class@anonymous")):
        return ignored("function", function, "it has no name")
    return leaf("function", function)


def _context_line(place: Place) -> Part | None:
    text = " ".join(place.line.split())
    if place.platform not in _WITH_LINES or not text:
        return None
    if len(place.line) > LONGEST_LINE:
        return ignored("context-line", text[:LONGEST_LINE], f"it is longer than {LONGEST_LINE} characters")
    if place.platform in JAVASCRIPT and not place.function and place.path.startswith(_URL):
        return ignored("context-line", text, "nothing else is known of this place")
    return leaf("context-line", text)
