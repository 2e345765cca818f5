"""What differs between two messages of one kind."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grouping.parameters import TABLES, parameterised, shortened

TABLE = TABLES["2026-11"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order 17 of 3", "order <int> of <int>"),
        ("-5 degrees", "<int> degrees"),
        ("took 1.5 of 2.25", "took <float> of <float>"),
        ("took 12ms, then 1.5s", "took <duration>, then <duration>"),
        ("mail to ada.b@example.co.uk failed", "mail to <email> failed"),
        ("GET https://a.b/c?d=e failed", "GET <url> failed"),
        ("cannot resolve db.shop.internal", "cannot resolve <hostname>"),
        ("connect to 10.0.0.5:5432", "connect to <ip>:<int>"),
        ("from 2001:db8::1 port 7", "from <ip> port <int>"),
        ("from ::1", "from <ip>"),
        ("from fe80:0:0:0:1:2:3:4", "from <ip>"),
        ("id 0f4e2a6c-9b1d-4c7f-8a3b-5d6e7f809102", "id <uuid>"),
        ("sha da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha <sha1>"),
        ("md5 d41d8cd98f00b204e9800998ecf8427e", "md5 <md5>"),
        ("at 2026-11-22T14:00:00.123Z", "at <date>"),
        ("at 2026-11-22 14:00:00+01:00", "at <date>"),
        ("on 2026-11-22", "on <date>"),
        ("at Mon Jan 02 15:04:05 2006", "at <date>"),
        ("at Mon, 02 Jan 2006 15:04:05 GMT", "at <date>"),
        ("at 10:15", "at <date>"),
        ("at 3:04PM", "at <date>"),
        ("datetime.datetime(2026, 11, 22, 14, 0)", "<date>"),
        ("pointer 0x7ffee", "pointer <hex>"),
        ("token deadbeef42 gone", "token <hex> gone"),
        ("commit a1b2c3d", "commit <git_sha>"),
        ("trace 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "trace <traceparent>"),
        ("user='ada' ok=true", "user=<quoted_str> ok=<bool>"),
        ("key 'gross'", "key 'gross'"),
        ("defaced accessed", "defaced accessed"),
        ("utf8 and sha256", "utf8 and sha256"),
        ("no such file", "no such file"),
        ("module.py: NameError", "module.py: NameError"),
        ("std::vector::at", "std::vector::at"),
        ("version 1.2.3", "version <int>.<int>.<int>"),
    ],
)
def test_what_varies_is_replaced_by_what_it_is(text: str, expected: str) -> None:
    assert parameterised(text, TABLE) == expected


@pytest.mark.parametrize(
    ("text", "short"),
    [("one", "one"), ("\n one \n\n two ", "one\ntwo"), ("1\n2\n3", "1\n2..."), ("", ""), (" \n ", "")],
)
def test_two_lines_are_enough(text: str, short: str) -> None:
    assert shortened(text) == short


@given(st.text(alphabet="ghijklmnopqrstuvwxyzGHIJK ,;!?()'_", max_size=60))
def test_words_alone_stay_as_they_are(text: str) -> None:
    assert parameterised(text, TABLE) == text


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_two_numbers_are_one_message(one: int, other: int) -> None:
    assert parameterised(f"row {one % 10**15}.", TABLE) == parameterised(f"row {other % 10**15}.", TABLE)


@pytest.mark.parametrize(
    "evil",
    [
        "1" * 9000,
        "a." * 4500,
        "a@" * 4500,
        "1:" * 4500,
        ":" * 9000,
        "0-" * 4500,
        "f" * 9000,
        "a-" * 4500,
        "=" * 9000,
        "1." * 4500,
        "Jan 1 " * 1500,
        "datetime.date(" * 600,
        "a.b." * 2000 + "@",
        "fe80:" * 1800,
        "'" * 9000,
        "='" * 4500,
    ],
)
def test_no_message_takes_long(evil: str) -> None:
    begun = time.process_time()
    parameterised(evil, TABLE)
    assert time.process_time() - begun < 0.5
