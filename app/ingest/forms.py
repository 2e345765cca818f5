"""Bodies of `multipart/form-data`, as crash reporters send them: few parts, of which some are files."""

from __future__ import annotations

from typing import NamedTuple

import multipart

from app.ingest.answers import Refusal

#: Parts of one form: more than any reporter sends, and few enough to keep a list of.
MOST = 1000


class Part(NamedTuple):
    name: str
    filename: str | None  # None for a field that is no file
    content_type: str
    value: bytes


def parts(body: bytes, content_type: str) -> list[Part]:
    """Every part of the form in its order. Raises Refusal 400 for what is none, or ends too early."""
    _, options = multipart.parse_options_header(content_type)
    if not (boundary := options.get("boundary")):
        raise Refusal(400, "the form's content type names no boundary", reason="invalid_multipart")
    found: list[Part] = []
    value: list[bytes] = []
    try:
        with multipart.PushMultipartParser(boundary, max_segment_count=MOST) as parser:
            for piece in (*parser.parse(body), *parser.parse(b"")):
                if isinstance(piece, multipart.MultipartSegment):
                    found.append(Part(piece.name or "", piece.filename, piece.content_type or "", b""))
                elif piece:
                    value.append(bytes(piece))
                else:
                    found[-1] = found[-1]._replace(value=b"".join(value))
                    value.clear()
    except (multipart.MultipartError, UnicodeDecodeError) as error:
        raise Refusal(400, f"the form cannot be read: {error}"[:300], reason="invalid_multipart") from error
    return found
