from __future__ import annotations

from datetime import timedelta

import pytest

from app.accounts import tokens
from app.base import clock
from app.models import ApiToken
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_a_token_is_found_by_its_plaintext_and_only_its_hash_is_kept() -> None:
    user = UserFactory.create()
    plaintext = tokens.create(user, "laptop", ["org:read", "event:read"])
    row = ApiToken.objects.get()
    assert plaintext not in (row.digest, row.name, row.last_characters)
    found = tokens.find(plaintext)
    assert found is not None
    assert (found.user, found.scopes) == (user, ["org:read", "event:read"])
    assert plaintext.endswith(row.last_characters)


@pytest.mark.parametrize("word", ["", "sntryu_", "x" * 71, "\ud800", "ü\0"])
def test_a_word_that_is_no_token_finds_nothing(word: str) -> None:
    tokens.create(UserFactory.create(), "laptop", tokens.SCOPES)
    assert tokens.find(word) is None


def test_an_expired_token_and_one_of_a_locked_person_find_nothing() -> None:
    plaintext = tokens.create(UserFactory.create(), "laptop", [])
    ApiToken.objects.update(expires=clock.now() - timedelta(seconds=1))
    assert tokens.find(plaintext) is None
    locked = tokens.create(UserFactory.create(is_active=False), "laptop", [])
    assert tokens.find(locked) is None


def test_a_scope_that_does_not_exist_is_refused() -> None:
    with pytest.raises(tokens.UnknownScope, match="no scope org:everything"):
        tokens.create(UserFactory.create(), "laptop", ["org:everything"])
    assert not ApiToken.objects.exists()
