import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.base import shortid


@given(st.integers(min_value=0, max_value=2**40))
def test_every_number_comes_back_from_its_digits(number: int) -> None:
    assert shortid.decode(shortid.encode(number)) == number


def test_a_short_id_is_read_as_people_misread_it() -> None:
    assert shortid.short_id("shop", 42) == "SHOP-1A"
    assert shortid.split_short_id("shop-IA") == ("shop", 42)
    assert shortid.split_short_id("web-shop-1a") == ("web-shop", 42)


@pytest.mark.parametrize("text", ["", "SHOP", "SHOP-", "-1A", "SHOP-U", "SHOP-1*"])
def test_what_is_no_short_id_says_so(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - str.index says it in its own words
        shortid.split_short_id(text)
