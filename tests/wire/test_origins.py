"""Which pages may send: the patterns of the protocol's allowed origins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wire.origins import is_allowed


@pytest.mark.parametrize(
    ("origin", "patterns", "expected"),
    [
        ("https://shop.example", ["*"], True),
        ("null", ["*"], True),
        ("null", ["null"], False),
        ("null", ["shop.example", "*.example", "*:80"], False),
        ("https://shop.example", [], False),
        ("https://shop.example", ["shop.example"], True),
        ("http://shop.example:8000", ["shop.example"], True),
        ("https://SHOP.example/cart?x=1", ["Shop.Example"], True),
        ("https://www.shop.example", ["shop.example"], False),
        ("https://notshop.example", ["*.shop.example"], False),
        ("https://shop.example", ["*.shop.example"], True),
        ("https://a.b.shop.example:444", ["*.shop.example"], True),
        ("https://shop.example", ["https://shop.example"], True),
        ("https://shop.example:443", ["https://shop.example/"], True),
        ("http://shop.example", ["https://shop.example"], False),
        ("https://shop.example:8000", ["https://shop.example"], False),
        ("https://shop.example:8000", ["https://shop.example:8000"], True),
        ("https://shop.example:8000", ["shop.example:8000"], True),
        ("https://shop.example", ["shop.example:8000"], False),
        ("https://shop.example", ["shop.example:443"], True),
        ("http://anything:8000", ["*:8000"], True),
        ("http://anything:8001", ["*:8000"], False),
        ("https://münchen.example", ["xn--mnchen-3ya.example"], True),
        ("https://xn--mnchen-3ya.example", ["*.münchen.example"], True),
        ("https://shop.example", ["other.example", " shop.example "], True),
        ("nonsense", ["nonsense"], False),
        ("http://[broken", ["*.example"], False),
        ("http://shop.example:99999", ["shop.example"], False),
    ],
)
def test_a_page_is_allowed_by_a_pattern_that_names_it(
    origin: str, patterns: list[str], expected: bool
) -> None:
    assert is_allowed(origin, tuple(patterns)) is expected


@given(st.text(), st.lists(st.text()))
def test_nothing_that_a_client_or_a_form_sends_raises(origin: str, patterns: list[str]) -> None:
    assert is_allowed(origin, tuple(patterns)) in {True, False}
    assert is_allowed(origin, (*patterns, "*"))
