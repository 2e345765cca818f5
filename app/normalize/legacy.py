"""Bodies of the old store endpoint: JSON, perhaps in zlib, perhaps in base64."""

from __future__ import annotations

import base64
import binascii

from app.wire import compress


class BadBody(ValueError):
    """Neither JSON nor what old clients wrap it in."""


def store_body(body: bytes, encoding: str, limit: int) -> bytes:
    """The event's JSON, at most `limit` bytes. Raises BadBody, and what app.wire.compress raises."""
    data = compress.decompress(body, encoding, limit)
    if _is_object(data):
        return data
    if data[:1] == b"\x78":  # zlib, although the header did not say so
        return compress.decompress(data, "deflate", limit)
    try:
        inner = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        raise BadBody("the body is neither JSON nor base64 of it") from None
    if _is_object(inner):
        return inner
    if not inner:
        raise BadBody("the body is empty")
    return compress.decompress(inner, "deflate", limit)


def _is_object(data: bytes) -> bool:
    return data[:16].lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"{"
