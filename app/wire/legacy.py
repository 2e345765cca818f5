"""Bodies of the old /store/ address: JSON, or base64 of JSON, or base64 of zlib of JSON."""

from __future__ import annotations

import base64
import binascii

from app.wire.compress import Damaged, decompress


def unwrap(data: bytes, limit: int) -> bytes:
    """The JSON text inside a body whose content encoding is already undone; at most `limit` bytes.

    Raises compress.Damaged when it is none of the three forms, compress.TooLarge beyond the limit.
    """
    if begins_like_json(data):
        return data
    try:
        inner = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        raise Damaged("the body is neither JSON nor base64") from None
    if begins_like_json(inner):
        return inner
    return decompress(inner, "deflate", limit)


def begins_like_json(data: bytes) -> bool:
    """Whether an object follows, behind white space or a byte order mark."""
    return data.lstrip(_BLANK)[:1] == b"{"


_BLANK = b" \t\r\n\xef\xbb\xbf"
