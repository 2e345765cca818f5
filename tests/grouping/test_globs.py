"""Globs: what they match, and that none of them is ever slow or broken."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grouping.globs import Patterns, as_path, path, text


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("ValueError", "ValueError", True),
        ("ValueError", "valueerror", False),
        ("ValueError", "ValueErrors", False),
        ("*Error", "ValueError", True),
        ("*", "", True),
        ("a*c", "a\nb\nc", True),
        ("?b", "ab", True),
        ("?b", "b", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[!a-c]x", "dx", True),
        ("[]]", "]", True),
        ("[z-a]", "[z-a]", True),
        ("[!]", "[!]", True),
        ("[", "[", True),
        ("a.b", "axb", False),
        ("a+(b)|c", "a+(b)|c", True),
        ("größe*", "größer", True),
        ("\\d", "\\d", True),
    ],
)
def test_globs_of_texts(pattern: str, value: str, matches: bool) -> None:
    assert bool(Patterns([text(pattern)]).matching(value)) is matches


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("**/vendor/**", "/srv/app/vendor/pkg/a.php", True),
        ("**/vendor/**", "vendor/pkg/a.php", True),
        ("**/vendor/**", "/srv/myvendor/a.php", False),
        ("app/*.py", "app/a.py", True),
        ("app/*.py", "/app/a.py", True),
        ("/app/*.py", "app/a.py", True),
        ("app/*.py", "/srv/app/a.py", False),
        ("app/*.py", "app/sub/a.py", False),
        ("app/**.py", "app/sub/a.py", True),
        ("app/?.py", "app/a.py", True),
        ("APP/*.PY", "app/a.py", True),
        ("c:\\app\\*", "C:\\App\\a.cs", True),
        ("c:/app/*", "C:\\App\\a.cs", True),
        ("http*://cdn.example/**", "https://cdn.example/a/b.js", True),
    ],
)
def test_globs_of_paths(pattern: str, value: str, matches: bool) -> None:
    assert bool(Patterns([path(pattern)]).matching(as_path(value))) is matches


def test_case_is_ignored_where_it_is_asked_for() -> None:
    assert Patterns([text("TimeOut*", ignore_case=True)]).matching("timeout of 3 s")


def test_many_patterns_are_asked_at_once() -> None:
    patterns = Patterns(text(one) for one in ("a*", "*b", "c"))
    assert sorted(patterns.matching("ab")) == [0, 1]
    assert patterns.matching("x") == Patterns([]).matching("x") == []


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_a_pattern(pattern: str, value: str) -> None:
    for translate in (text, path):
        Patterns([translate(pattern)]).matching(value)


@given(st.text(alphabet="ab/.?-", max_size=30).filter(lambda value: "?" not in value))
def test_a_text_without_signs_matches_itself_alone(value: str) -> None:
    assert Patterns([text(value)]).matching(value) == [0]
    assert not Patterns([text(value)]).matching(value + "x")


def test_no_pattern_is_slow() -> None:
    patterns, value = Patterns([text("*a" * 150 + "b")]), "a" * 10_000
    began = time.monotonic()
    assert not patterns.matching(value)
    assert time.monotonic() - began < 1
