"""Every encoding that clients send, whole, damaged and hostile."""

from __future__ import annotations

import collections
import contextlib
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from app.wire import compress
from app.wire.compress import Damaged, TooLarge, Unsupported, decompress

LIMIT = 4 * 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACK: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "identity": ("", bytes),
    "gzip": ("gzip", gzip.compress),
    "deflate with its wrapper": ("deflate", zlib.compress),
    "deflate without": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
}
COMPRESSED = {name: pair for name, pair in PACK.items() if pair[0]}
every = pytest.mark.parametrize(("encoding", "pack"), PACK.values(), ids=PACK.keys())
every_compressed = pytest.mark.parametrize(("encoding", "pack"), COMPRESSED.values(), ids=COMPRESSED.keys())


@every
@given(data=st.binary(min_size=1) | st.integers(1, 300_000).map(lambda n: bytes(range(256)) * (n // 256 + 1)))
def test_what_was_packed_comes_back(encoding: str, pack: Callable[[bytes], bytes], data: bytes) -> None:
    assert decompress(pack(data), encoding, LIMIT) == data


@every_compressed
def test_a_body_cut_anywhere_is_damaged(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(bytes(range(256)) * 9)
    for end in range(len(whole)):
        with pytest.raises(Damaged):
            decompress(whole[:end], encoding, LIMIT)


@every_compressed
def test_a_bomb_stops_at_the_limit_in_little_memory(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(64 * 1024 * 1024))
    tracemalloc.start()
    with pytest.raises(TooLarge, match="more than 4194304 bytes"):
        collections.deque(compress.pieces(bomb, encoding, LIMIT), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


@every
def test_the_limit_itself_is_allowed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(decompress(pack(bytes(100_000)), encoding, 100_000)) == 100_000
    with pytest.raises(TooLarge):
        decompress(pack(bytes(100_000)), encoding, 99_999)


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br", "zstd"])
@given(data=st.binary())
def test_any_bytes_decompress_or_are_damaged(encoding: str, data: bytes) -> None:
    with contextlib.suppress(Damaged, TooLarge):
        decompress(data, encoding, LIMIT)


def test_several_members_are_one_body() -> None:
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b") + b"\0\0", "gzip", LIMIT) == b"ab"
    assert decompress(zstd.compress(b"a") + zstd.compress(b"b"), "zstd", LIMIT) == b"ab"


def test_rubbish_behind_the_end_is_damage() -> None:
    for encoding, pack in COMPRESSED.values():
        with pytest.raises(Damaged):
            decompress(pack(b"a" * 999) + b"rubbish", encoding, LIMIT)


def test_names_are_read_as_clients_write_them() -> None:
    assert [compress.canonical(name) for name in ("", " GZIP ", "x-gzip", "identity", "br")] == [
        "", "gzip", "gzip", "", "br",
    ]  # fmt: skip
    with pytest.raises(Unsupported, match="'compress'"):
        compress.canonical("compress")


@every
@given(data=st.binary(max_size=3000), more=st.binary(max_size=9), end=st.integers(0, 3000))
def test_what_is_undone_in_one_call_is_what_the_pieces_hold(
    encoding: str, pack: Callable[[bytes], bytes], data: bytes, more: bytes, end: int
) -> None:
    body = (pack(data) + more)[: end or None]
    whole = compress.small(body, encoding, 2000)
    if whole is not None:
        assert whole == b"".join(compress.pieces(body, encoding, 2000))


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate])
def test_a_usual_body_is_undone_in_one_call(pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    assert compress.small(pack(bytes(compress.SMALL)), encoding, LIMIT) == bytes(compress.SMALL)
    assert compress.small(pack(bytes(compress.SMALL + 1)), encoding, LIMIT) is None


def noise(size: int) -> bytes:
    """Bytes that do not become fewer."""
    return random.Random(size).randbytes(size)


@given(data=st.binary(max_size=2000), size=st.integers(0, 4000))
def test_the_ends_of_a_gzip_body_tell_what_is_inside(data: bytes, size: int) -> None:
    whole = data + noise(size)
    body = gzip.compress(whole)
    ends = compress.ends(body, "gzip")
    assert (ends is None) == (len(body) < compress.WORTH_IT or body.count(b"\x1f\x8b\x08") > 1)
    if ends:
        assert ends.size == len(whole)
        assert ends.beginning
        assert whole.startswith(ends.beginning)


def test_only_one_member_has_ends() -> None:
    body = gzip.compress(noise(4000))
    assert compress.ends(body, "gzip")
    assert compress.ends(body, "deflate") is None
    assert compress.ends(body + gzip.compress(b"more"), "gzip") is None
    assert compress.ends(b"{" + body, "gzip") is None
    assert compress.ends(body[:10] + b"\xff" * 4000, "gzip") is None


@given(lie=st.integers(0, 2**32 - 1))
def test_a_lie_at_the_end_is_damage(lie: int) -> None:
    body = gzip.compress(noise(4000))[:-4] + lie.to_bytes(4, "little")
    ends = compress.ends(body, "gzip")
    assert ends
    assert ends.size == lie
    with pytest.raises(Damaged):
        decompress(body, "gzip", LIMIT)
