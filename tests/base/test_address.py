"""Whose word counts for where a request comes from."""

from __future__ import annotations

import pytest

from app.base import address


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ("", 0, "10.0.0.9"),
        ("1.2.3.4", 0, "10.0.0.9"),  # we count no proxy, so the sender wrote this itself
        ("", 1, "10.0.0.9"),
        ("1.2.3.4", 1, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", 1, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.7", 2, "1.2.3.4"),
        ("1.2.3.4", 2, "1.2.3.4"),
        ("1.2.3.4:5678", 1, "1.2.3.4"),
        ("[2001:db8::1]:5678", 1, "2001:db8::1"),
        ("2001:db8::1", 1, "2001:db8::1"),
        ("unknown", 1, ""),
        ("<script>", 1, ""),
    ],
)
def test_only_counted_proxies_are_believed(forwarded: str, proxies: int, expected: str) -> None:
    assert address.of("10.0.0.9", forwarded, proxies) == expected
