"""What browsers report by themselves, made events: what a policy stopped, certificates, the network.

    {"csp-report": {…}}                       CSP of level 2, with hyphens in its names
    [{"type": "csp-violation", "body": {…}}]  the Reporting API, one or a list, in camelCase
    {"expect-ct-report": {…}}, {"expect-staple-report": {…}}
    {"known-pins": …}                         HPKP, without a wrapper
    [{"type": "network-error", "body": {…}}]  network error logging

Facts of the wire: CSP Level 3 §5, the Reporting API, RFC 9163, RFC 7469, Network Error Logging.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from app.base.json import NotJson, decode
from app.base.text import cut
from app.item import Headers, Invalid, Read, Whence

Payload = dict[str, Any]
#: Of one delivery of the Reporting API.
MOST = 100

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: What the Reporting API calls otherwise.
_OTHER_NAMES = {
    "document_url": "document_uri",
    "blocked_url": "blocked_uri",
    "sample": "script_sample",
    "document_ur_l": "document_uri",
    "blocked_ur_l": "blocked_uri",
}
_KINDS = {
    "csp-report": "csp",
    "expect-ct-report": "expectct",
    "expect-staple-report": "expectstaple",
}
_NAMES = {"hpkp": "Public key pinning", "expectct": "Expect-CT", "expectstaple": "Expect-Staple"}
#: A directive, and what it keeps from loading.
_NOUNS = {
    "child-src": "child",
    "connect-src": "connection",
    "font-src": "font",
    "form-action": "form submission",
    "frame-ancestors": "embedding",
    "frame-src": "frame",
    "img-src": "image",
    "manifest-src": "manifest",
    "media-src": "media",
    "object-src": "object",
    "script-src": "script",
    "script-src-attr": "script",
    "script-src-elem": "script",
    "style-src": "style",
    "style-src-attr": "style",
    "style-src-elem": "style",
    "worker-src": "worker",
}


def security(payload: bytes, headers: Headers, whence: Whence) -> list[Payload]:
    """An event's JSON for each report. Raises Invalid when there is none."""
    told = _json(payload)
    found = [event for report in _listed(told) if (event := _event(report))]
    if not found:
        raise Invalid("no_report")
    return [_with_sender(event, headers, whence) for event in found]


def nel(payload: bytes, headers: Headers, whence: Whence) -> list[Payload]:
    """The same of network errors. Raises Invalid."""
    found = [
        _network_error(report)
        for report in _listed(_json(payload))
        if isinstance(report, dict) and isinstance(report.get("body"), dict)
    ]
    if not found:
        raise Invalid("no_report")
    return [_with_sender(event, headers, whence) for event in found]


def unreadable(payload: bytes, headers: Headers, whence: Whence) -> Read:
    """What is still a report when events were made of reports makes no sense. Raises Invalid."""
    (nel if headers["type"] == "nel" else security)(payload, headers, whence)
    raise Invalid("no_report")


def sentence(kind: str, report: Payload) -> str:
    """A report as a title: "Blocked 'script' from 'cdn.example'"."""
    if kind != "csp":
        host = _word(report, "hostname")
        return f"{_NAMES[kind]} failed for '{cut(host, 100)}'" if host else f"{_NAMES[kind]} failed"
    name = directive(report)
    noun = _NOUNS.get(name, name or "something")
    blocked = _word(report, "blocked_uri") or "self"
    if blocked in ("inline", "self") and noun in ("script", "style"):
        violated = _word(report, "violated_directive") + _word(report, "original_policy")
        if blocked == "inline" or "unsafe-inline" not in violated:
            return f"Blocked inline '{noun}'"
    if blocked == "eval":
        return f"Blocked unsafe eval() '{noun}'"
    return f"Blocked '{noun}' from '{cut(source(blocked), 100)}'"


def directive(report: Payload) -> str:
    """The first word of the effective directive, or of the violated one; "" when neither is there."""
    text = _word(report, "effective_directive") or _word(report, "violated_directive")
    return text.split()[0].lower() if text.split() else ""


def source(uri: str) -> str:
    """Where something came from, without what varies: "self", a host, "data:", "chrome-extension://abc"."""
    uri = uri.strip("'\" ")
    if not uri or uri == "self":
        return "self"
    try:
        parts = urlsplit(uri if ":" in uri else f"{uri}:")
    except ValueError:
        return uri
    if parts.scheme in ("http", "https"):
        return parts.netloc or uri
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:" if parts.scheme else uri


# -- reports to events -------------------------------------------------------------------------------------


def _json(payload: bytes) -> object:
    try:
        return decode(payload).value
    except NotJson as error:
        raise Invalid("unreadable") from error


def _listed(told: object) -> list[Any]:
    return told[:MOST] if isinstance(told, list) else [told]


def _event(report: object) -> Payload | None:
    if not isinstance(report, dict):
        return None
    for wrapper, kind in _KINDS.items():
        if isinstance(report.get(wrapper), dict):
            return _MAKE[kind](kind, _renamed(report[wrapper]))
    if isinstance(report.get("body"), dict) and str(report.get("type", "csp-violation")) == "csp-violation":
        return _csp("csp", {"document_uri": report.get("url"), **_renamed(report["body"])})
    if "known-pins" in report or "noted-hostname" in report:
        return _certificate("hpkp", _renamed(report))
    return None


def _csp(kind: str, report: Payload) -> Payload | None:
    name = directive(report)
    if not name:
        return None
    blocked = _word(report, "blocked_uri")
    return {
        "logger": "csp",
        "level": "error",
        "logentry": {"formatted": sentence(kind, report)},
        "culprit": _word(report, "violated_directive") or name,
        "tags": {"effective-directive": name, "blocked-uri": cut(source(blocked), 200)},
        "request": {"url": _word(report, "document_uri")},
        kind: report,
    }


def _certificate(kind: str, report: Payload) -> Payload:
    host, port = _word(report, "hostname"), report.get("port")
    return {
        "logger": kind,
        "level": "error",
        "logentry": {"formatted": sentence(kind, report)},
        "culprit": host,
        "tags": {"hostname": host, **({"port": port} if port else {})},
        "request": {"url": f"https://{host}/"} if host else {},
        kind: report,
    }


def _network_error(report: Payload) -> Payload:
    body = report["body"]
    url = _word(report, "url")
    kind = _word(body, "type") or "unknown"
    phase = _word(body, "phase")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return {
        "logger": "nel",
        "level": "info" if kind == "ok" else "error",
        "logentry": {
            "formatted": f"Network error {cut(kind, 60)}" + (f" at {cut(host, 100)}" if host else "")
        },
        "fingerprint": ["nel", kind, host],
        "tags": {"nel.type": kind, "nel.phase": phase or "unknown"},
        "request": {"url": url},
        "contexts": {"nel": {**body, "type": "nel", "error_type": kind}},
    }


_MAKE: dict[str, Callable[[str, Payload], Payload | None]] = {
    "csp": _csp,
    "expectct": _certificate,
    "expectstaple": _certificate,
}


def _with_sender(event: Payload, headers: Headers, whence: Whence) -> Payload:
    """What a browser says by its connection, and the page's author by the address."""
    event["platform"] = "other"
    for attribute in ("release", "environment"):
        if isinstance(value := headers.get(f"sentry_{attribute}"), str):
            event[attribute] = value
    if whence.agent:
        event["request"] = {**event["request"], "headers": {"User-Agent": whence.agent}}
    if whence.address:
        event["user"] = {"ip_address": whence.address}
    return event


def _renamed(report: Payload) -> Payload:
    """Names with underscores, whichever way they were written."""
    found: Payload = {}
    for name, value in report.items():
        plain = _CAMEL.sub("_", name).replace("-", "_").lower()
        found[_OTHER_NAMES.get(plain, plain)] = value
    return found


def _word(report: Payload, name: str) -> str:
    value = report.get(name) or report.get(name.replace("_", "-"))  # old SDKs write the browser's names
    return value.strip() if isinstance(value, str) else ""
