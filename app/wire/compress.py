"""Content encodings of SDKs, undone in bounded pieces so that a small body cannot become a large memory.

    canonical("X-GZIP") -> "gzip"                      raises Unsupported
    pieces(body, "gzip", limit) -> chunks of bytes     raises TooLarge, Damaged
    decompress(body, "gzip", limit) -> bytes           the pieces joined; raises the same
    small(body, "gzip", limit) -> bytes | None         the same for what is small and as usual, else None
    ends(body, "gzip") -> Ends | None                  how the content begins and how long it is, unread

`limit` counts decompressed bytes. "deflate" is read with and without its zlib wrapper, as clients send both.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

import brotli
from isal import isal_zlib

from app.base.zstandard import zstd

#: Bytes handed to a decoder at once, and (about) the largest piece it gives back.
PIECE = 64 * 1024
#: Content that is undone in one call, when it is no more: nearly every event, and little memory.
SMALL = 256 * 1024
#: Of `ends`: shorter bodies cost next to nothing when they are undone, so they are better read.
WORTH_IT = 1024
#: Bytes of a content's beginning: two header lines of an envelope and the first byte of its payload.
BEGINNING = 768
#: A zstd frame may ask for a window of gigabytes; 2^27 bytes is what its own tools allow.
ZSTD_WINDOW_LOG = 27

_IsalError = cast("type[Exception]", isal_zlib.error)
_GZIP_WINDOW = zlib.MAX_WBITS | 16
_GZIP_MAGIC = b"\x1f\x8b\x08"

_ALIASES = {
    "": "",
    "identity": "",
    "gzip": "gzip",
    "x-gzip": "gzip",
    "deflate": "deflate",
    "br": "br",
    "zstd": "zstd",
}


class Unsupported(ValueError):
    """A content encoding that no SDK uses; the sentence names it."""


class Damaged(ValueError):
    """The bytes are not what their encoding says, or end too early."""


class TooLarge(ValueError):
    """There is more inside than the limit allows; nothing beyond the limit was produced."""


def canonical(name: str) -> str:
    """One of "", "gzip", "deflate", "br", "zstd" for a Content-Encoding header."""
    try:
        return _ALIASES[name.strip().lower()]
    except KeyError:
        raise Unsupported(f"content encoding {name.strip()[:40]!r} is not supported") from None


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """The whole content of `body`, at most `limit` bytes."""
    whole = small(body, encoding, limit)
    return b"".join(pieces(body, encoding, limit)) if whole is None else whole


def gzipped(data: bytes) -> bytes:
    """One gzip member, quickly made."""
    return isal_zlib.compress(data, 1, wbits=_GZIP_WINDOW)


def small(body: bytes, encoding: str, limit: int) -> bytes | None:
    """The whole content when one bounded call gives it; None means that `pieces` must be asked, and why not.

    Only the usual is done here: one stream that ends where the body does.
    """
    bound = min(limit, SMALL)
    if len(body) > bound:
        return None
    if not encoding:
        return body
    if encoding == "gzip":
        decoder = isal_zlib.decompressobj(_GZIP_WINDOW)
    elif encoding == "deflate":
        decoder = isal_zlib.decompressobj(_deflate_window(body))
    else:
        return None
    try:
        whole = decoder.decompress(body, bound + 1)
    except _IsalError:
        return None
    return whole if decoder.eof and not decoder.unused_data and len(whole) <= bound else None


class Ends(NamedTuple):
    """What a gzip member tells without being undone; whoever undoes it finds a lie to be damage."""

    beginning: bytes
    size: int  # decompressed bytes, below 2^32


def ends(body: bytes, encoding: str) -> Ends | None:
    """None for all but one gzip member worth the trouble (RFC 1952: its last four bytes are its size)."""
    if encoding != "gzip" or len(body) < WORTH_IT:
        return None
    # A second member would make the last four bytes speak of that one alone.
    if not body.startswith(_GZIP_MAGIC) or body.find(_GZIP_MAGIC, 1) >= 0:
        return None
    try:
        # zlib's own: isal's state is so large that making it costs twice as much as this.
        beginning = zlib.decompressobj(_GZIP_WINDOW).decompress(body[:BEGINNING], BEGINNING)
    except zlib.error:
        return None
    return Ends(beginning, int.from_bytes(body[-4:], "little"))


def pieces(body: bytes, encoding: str, limit: int) -> Iterator[bytes]:
    """The content of `body` piece by piece; the error of a bad end comes after the good pieces."""
    total = 0
    for piece in _DECODERS[canonical(encoding)](body):
        total += len(piece)
        if total > limit:
            raise TooLarge(f"the body holds more than {limit} bytes once decompressed")
        yield piece


def _slices(body: bytes) -> Iterator[bytes]:
    """Small inputs keep the decoders' unread remainder, which they copy, small as well."""
    view = memoryview(body)
    return (bytes(view[at : at + PIECE]) for at in range(0, len(body), PIECE))


def _identity(body: bytes) -> Iterator[bytes]:
    return iter((body,)) if body else iter(())


def _gzip(body: bytes) -> Iterator[bytes]:
    return _zlib(body, _GZIP_WINDOW)


def _deflate(body: bytes) -> Iterator[bytes]:
    return _zlib(body, _deflate_window(body))


def _deflate_window(body: bytes) -> int:
    wrapped = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS


def _zlib(body: bytes, window: int) -> Iterator[bytes]:
    """One stream, or several gzip members one after the other; zeros behind the last one are padding."""
    decoder, begun = isal_zlib.decompressobj(window), False
    for part in _slices(body):
        rest = part
        while begun or rest.strip(b"\0"):
            begun = True
            try:
                piece = decoder.decompress(rest, PIECE)
            except _IsalError as error:
                raise Damaged(f"the compressed body is damaged ({error})") from error
            yield piece
            if decoder.eof:
                rest, decoder, begun = decoder.unused_data, isal_zlib.decompressobj(window), False
            else:
                rest = decoder.unconsumed_tail
                if not rest and len(piece) < PIECE:
                    break
    if begun or not body:
        raise Damaged("the compressed body ends too early")


def _brotli(body: bytes) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    try:
        for part in _slices(body):
            piece = decoder.process(part, output_buffer_limit=PIECE)
            yield piece
            # A full piece may hide more of the same input, whatever can_accept_more_data() says.
            while not decoder.is_finished() and (len(piece) >= PIECE or not decoder.can_accept_more_data()):
                piece = decoder.process(b"", output_buffer_limit=PIECE)
                yield piece
    except brotli.error as error:
        raise Damaged(f"the compressed body is damaged ({error})") from error
    if not decoder.is_finished():
        raise Damaged("the compressed body ends too early")


def _zstd(body: bytes) -> Iterator[bytes]:
    """One frame or several; skippable frames give nothing."""
    decoder, begun = _zstd_decoder(), False
    for part in _slices(body):
        rest = part
        while rest or not decoder.needs_input:
            begun = True
            try:
                piece = decoder.decompress(rest, PIECE)
            except zstd.ZstdError as error:
                raise Damaged(f"the compressed body is damaged ({error})") from error
            yield piece
            rest = b""
            if decoder.eof:
                rest, decoder, begun = decoder.unused_data, _zstd_decoder(), False
    if begun or not body:
        raise Damaged("the compressed body ends too early")


def _zstd_decoder() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})


_DECODERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "": _identity,
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
