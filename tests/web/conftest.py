from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.web import scene


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A good hash is slow on purpose; these tests make many people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def shop(db: None) -> scene.Shop:
    return scene.shop()


@pytest.fixture
def ada(shop: scene.Shop, client: Client) -> Client:
    """A browser in which the shop's owner is signed in."""
    client.force_login(shop.user)
    return client
