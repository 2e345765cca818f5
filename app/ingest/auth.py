"""Who sends: the public key in one of the places where SDKs put it. Pure.

X-Sentry-Auth, Authorization: Sentry …      Authorization: Basic <key>:
?sentry_key=…                               "dsn" in the envelope's header
/api/<project>/cron/<slug>/<key>/, /unreal/<key>/
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from app.ingest.answers import Refusal

_KEY = re.compile(r"[0-9a-f]{32}")
NEWEST_VERSION = 7
#: Characters of what is remembered, so that strangers cannot fill the memory.
SHORT = 512


class Sender(NamedTuple):
    key: str  # 32 lowercase hex characters
    client: str  # "sentry.python/2.75.0", "" when unnamed


def sender(x_sentry_auth: str, authorization: str, query: str, path_key: str = "") -> Sender | None:
    """The sender that headers and address name; None when they name none. Raises Refusal 400 or 401."""
    if path_key:
        return Sender(_key(path_key), "")
    # A client says the same with every request; only what is short is remembered.
    read = _read_again if len(x_sentry_auth) + len(authorization) + len(query) < SHORT else _read
    return read(x_sentry_auth, authorization, query)


def _read(x_sentry_auth: str, authorization: str, query: str) -> Sender | None:
    claims = []
    for text in (x_sentry_auth, authorization):
        if text[:7].lower() == "sentry ":
            claims.append(_pairs(text[7:]))
        elif text is x_sentry_auth and text:
            raise Refusal(
                401, "the X-Sentry-Auth header is not 'Sentry key=value, …'", reason="auth_unreadable"
            )
    if "sentry_key" in query:
        claims.append(dict(parse_qsl(query[:8192])))
    if not claims:
        claims = _basic(authorization)
    if not claims:
        return None
    if len({claim.get("sentry_key", "").lower() for claim in claims}) > 1:
        raise Refusal(401, "multiple authorization payloads detected", reason="auth_ambiguous")
    return _checked(claims[0])


_read_again = lru_cache(maxsize=512)(_read)


def from_dsn(dsn: object, project: str) -> Sender:
    """The sender that an envelope's own DSN names; it must lead to `project`.

    Raises Refusal 400, 401 or 403.
    """
    if dsn is None:
        raise missing()
    try:
        parts = urlsplit(dsn if isinstance(dsn, str) else "")
        key, named = parts.username or "", parts.path.rstrip("/").rpartition("/")[2]
    except ValueError:
        key = named = ""
    if not key or not named:
        raise Refusal(400, "the dsn in the envelope header is not a DSN", reason="auth_unreadable")
    if project and named != project:
        raise Refusal(
            403, "the dsn in the envelope header belongs to another project", reason="project_mismatch"
        )
    return Sender(_key(key), "")


def _pairs(text: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in text[:4096].split(","))
    return {name: value.strip('"') for name, _, value in pairs}


def _basic(authorization: str) -> list[dict[str, str]]:
    if authorization[:6].lower() != "basic ":
        return []
    try:
        user = base64.b64decode(authorization[6:].strip(), validate=True).partition(b":")[0]
    except binascii.Error:
        raise Refusal(401, "the Authorization header cannot be read", reason="auth_unreadable") from None
    return [{"sentry_key": user.decode("latin-1")}]


def _checked(claim: dict[str, str]) -> Sender:
    version = claim.get("sentry_version", "7").removesuffix(".0")
    if not version.isascii() or not version.isdigit() or int(version[:9]) > NEWEST_VERSION:
        raise Refusal(400, f"unsupported protocol version {version[:20]!r}", reason="auth_version")
    if not claim.get("sentry_key"):
        raise Refusal(401, "missing authorization information: no sentry_key", reason="auth_missing")
    return Sender(_key(claim["sentry_key"]), claim.get("sentry_client", "").replace("\0", "")[:100])


def _key(text: str) -> str:
    key = text.lower()
    if not _KEY.fullmatch(key):
        raise Refusal(400, "the key is not 32 hexadecimal characters", reason="auth_unreadable")
    return key


def missing() -> Refusal:
    return Refusal(401, "missing authorization information", reason="auth_missing")
