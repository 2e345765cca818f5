"""Browsers' security reports: the same directive and the same source are the same issue."""

from __future__ import annotations

from typing import Any

from app.grouping.components import Part, branch, leaf
from app.grouping.configs import Look

#: Schemes that are only a word, as browsers report them: "data", "blob", "eval".
_LOCAL = frozenset(("", "self", "'self'"))


def report(data: dict[str, Any], _look: Look) -> dict[str, Part]:
    """The variant of a report, none of other events."""
    if isinstance(found := data.get("csp"), dict):
        return {"default": _csp(found)}
    for kind in ("hpkp", "expectct", "expectstaple"):
        if isinstance(found := data.get(kind), dict):
            return {
                "default": branch(
                    kind, [leaf("kind", kind), leaf("hostname", str(found.get("hostname", "")))]
                )
            }
    return {}


def _csp(found: dict[str, Any]) -> Part:
    return branch("csp", [leaf("directive", _directive(found)), _cause(found)])


def _directive(found: dict[str, Any]) -> str:
    words = (_word(found, "effective_directive") or _word(found, "violated_directive")).split()
    return words[0].lower() if words else ""


def _cause(found: dict[str, Any]) -> Part:
    """What was violated, for a script of the page itself; otherwise where it came from."""
    blocked = _word(found, "blocked_uri")
    if blocked in _LOCAL and _directive(found).startswith("script-src"):
        for violation in ("'unsafe-inline'", "'unsafe-eval'"):
            if violation in _word(found, "violated_directive"):
                return leaf("violation", violation)
    return leaf("source", _source(blocked), "without what varies")


def _source(blocked: str) -> str:
    """ "'self'", a host, "scheme://host" or "scheme:"."""
    if blocked in _LOCAL:
        return "'self'"
    scheme, separator, rest = blocked.partition("://")
    if not separator:
        scheme, colon, _ = blocked.partition(":")
        return f"{scheme.lower()}:" if colon or blocked.isalpha() else blocked
    host = rest.split("/", 1)[0].split("?", 1)[0].lower()
    return host if scheme.lower() in ("http", "https") else f"{scheme.lower()}://{host}"


def _word(found: dict[str, Any], name: str) -> str:
    """Old SDKs write the names as browsers do, with hyphens."""
    return str(found.get(name) or found.get(name.replace("_", "-")) or "").strip()
