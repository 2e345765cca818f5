from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from app.accounts import tokens
from app.base import clock
from app.models import ApiToken, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_tells_whose_it_is_and_what_it_may(client: Client) -> None:
    user = UserFactory.create()
    token = tokens.create(user, "cli", ["project:read", "event:read"])
    answer = client.get("/api/0/", headers=bearer(token)).json()
    assert answer["user"]["id"] == str(user.pk)
    assert answer["user"]["email"] == user.email
    assert answer["auth"] == {"scopes": ["project:read", "event:read"]}
    assert answer["version"]


def test_nobody_is_nobody(client: Client) -> None:
    answer = client.get("/api/0/")
    assert answer.status_code == 200
    assert (answer.json()["user"], answer.json()["auth"]) == (None, None)


def test_a_session_is_no_token(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert client.get("/api/0/").json()["user"] is None


@pytest.mark.parametrize("token", ["wrong", "", "sntryu_" + "0" * 64, "é", "x" * 10_000])
def test_a_wrong_token_is_refused(token: str, client: Client) -> None:
    answer = client.get("/api/0/", headers=bearer(token))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "detail" in answer.json()


def test_an_expired_token_and_one_of_a_switched_off_person_are_refused(client: Client) -> None:
    user = UserFactory.create()
    token = tokens.create(user, "cli", ["org:read"])
    ApiToken.objects.update(expires=clock.now() - timedelta(seconds=1))
    assert client.get("/api/0/", headers=bearer(token)).status_code == 401
    ApiToken.objects.update(expires=None)
    assert client.get("/api/0/", headers=bearer(token)).status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/api/0/", headers=bearer(token)).status_code == 401
