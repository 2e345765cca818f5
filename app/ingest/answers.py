"""Answers as SDKs expect them: readable across origins, an error also in a header."""

from __future__ import annotations

import http
from functools import lru_cache
from typing import NamedTuple

import msgspec

_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After"),
]
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"X-Sentry-Auth, X-Requested-With, X-Forwarded-For, Origin, Referer, Accept, Content-Type, "
        b"Authentication, Authorization, Content-Encoding, Transfer-Encoding, sentry-trace, baggage",
    ),
    (b"access-control-max-age", b"3600"),
]
#: What a key over its limit may not send: everything that SDKs tell apart.
CATEGORIES = "default;error;transaction;security;attachment;session;feedback"
_JSON = [(b"content-type", b"application/json"), *_CORS]

#: Seconds after which a client may try again when we, not it, are at fault.
RETRY_AFTER = 30


class Answer(NamedTuple):
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Refusal(Exception):
    """A request that is not accepted: `detail` is one sentence for people, `reason` a word for the counters.

    `outcome` is what a refused quantity counts as; "" when nothing was refused that could be counted.
    `allow` are the methods that a 405 names; `limits` is what X-Sentry-Rate-Limits says of a 429 that is not
    about the key as a whole.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str = "",
        outcome: str = "invalid",
        retry_after: int = 0,
        allow: str = "",
        limits: str = "",
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason
        self.outcome = outcome
        self.retry_after = retry_after
        self.allow = allow
        self.limits = limits
        self.is_counted = False


def accepted(event_id: str) -> Answer:
    """200 with the id, or with an empty object for an envelope that carries no event."""
    return Answer(200, _WITH_ID, b'{"id":"%b"}' % event_id.encode()) if event_id else _WITHOUT_ID


def plain(status: int, body: bytes, content_type: str = "text/plain; charset=utf-8") -> Answer:
    """An answer whose body is not about an event."""
    length = (b"content-length", b"%d" % len(body))
    return Answer(status, ((b"content-type", content_type.encode()), *_CORS, length), body)


def refused(refusal: Refusal) -> Answer:
    """The error in the body's three customary fields and in X-Sentry-Error."""
    text = refusal.detail
    body = msgspec.json.encode({"detail": text, "causes": [refusal.reason or "invalid"], "error": text})
    # Header values are one line of printable ASCII, whatever bytes a client made us quote.
    header = text.encode("ascii", "backslashreplace").translate(_PRINTABLE)
    headers = [*_JSON, (b"content-length", b"%d" % len(body)), (b"x-sentry-error", header)]
    if refusal.retry_after:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if refusal.status == 429:
        limit = refusal.limits or f"{refusal.retry_after}:{CATEGORIES}:key:{refusal.reason}"
        headers.append((b"x-sentry-rate-limits", limit.encode()))
    if refusal.allow:
        headers.append((b"allow", refusal.allow.encode()))
    return Answer(refusal.status, tuple(headers), body)


def preflight() -> Answer:
    """What a browser asks before a request that is not simple."""
    return Answer(200, (*_CORS, *_PREFLIGHT, (b"content-length", b"0")), b"")


@lru_cache(maxsize=256)
def head(status: int, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Status line and headers as they go over the wire, but for what the connection adds."""
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %b\r\n" % (status, http.HTTPStatus(status).phrase.encode()) + lines


_WITH_ID = (*_JSON, (b"content-length", b"%d" % len('{"id":""}' + 32 * "0")))
_WITHOUT_ID = Answer(200, (*_JSON, (b"content-length", b"2")), b"{}")


def pixel() -> Answer:
    """The smallest image there is: one transparent dot."""
    return plain(200, _GIF, "image/gif")


_GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_PRINTABLE = bytes(byte if 0x20 <= byte < 0x7F else 0x3F for byte in range(256))
