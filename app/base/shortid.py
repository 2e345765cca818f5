"""SHOP-1A: an issue's number in Crockford's base 32, which has no I, L, O or U to misread."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("ILO", "110")


def encode(number: int) -> str:
    digits = ""
    while number or not digits:
        number, digit = divmod(number, 32)
        digits = ALPHABET[digit] + digits
    return digits


def decode(text: str) -> int:
    """The number, reading I and L as 1 and O as 0. Raises ValueError for anything else."""
    number = 0
    for character in text.upper().translate(_MISREAD):
        number = number * 32 + ALPHABET.index(character)
    return number


def short_id(project_slug: str, number: int) -> str:
    return f"{project_slug.upper()}-{encode(number)}"


def split_short_id(text: str) -> tuple[str, int]:
    """ "SHOP-WEB-1A" -> ("shop-web", 42). Raises ValueError when it is no short id."""
    slug, dash, digits = text.rpartition("-")
    if not (slug and dash and digits):
        raise ValueError(f"{text!r} is not a short id like SHOP-1A")
    return slug.lower(), decode(digits)
