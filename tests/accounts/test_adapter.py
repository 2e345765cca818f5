"""Signing in: who may try, and how often."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db


def refused(address: str) -> bool:
    """Whether a sign-in with a wrong password, from `address` through one proxy, is not even looked at."""
    form = {"login": f"{uuid.uuid4().hex}@example.com", "password": "a wrong guess"}
    answer = Client().post("/accounts/login/", form, headers={"X-Forwarded-For": address})
    return answer.status_code == 429 or b"Too many failed" in answer.content


@pytest.fixture(autouse=True)
def forget_attempts() -> None:
    cache.clear()


def test_one_guesser_is_slowed_down_and_the_others_behind_the_same_proxy_are_not(
    settings: Settings,
) -> None:
    settings.TRUSTED_PROXIES = 1
    answers = [refused("198.51.100.7") for _ in range(15)]
    assert answers[0] is False
    assert answers[-1] is True
    assert refused("203.0.113.9") is False


def test_a_guesser_cannot_invent_addresses(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 1
    answers = [refused(f"192.0.2.{number}, 198.51.100.8") for number in range(15)]
    assert answers[-1] is True


def test_nobody_registers_by_themselves() -> None:
    answer = Client().post(
        "/accounts/signup/", {"email": "eve@example.com", "password1": "correct horse battery"}
    )
    assert b"closed" in answer.content.lower() or b"invitation" in answer.content.lower()
