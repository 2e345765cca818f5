"""A real Chromium against the real pages; any error on its console fails the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.web import scene

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip
DESKTOP = {"width": 1360, "height": 860}
PHONE = {"width": 360, "height": 780}

Open = Callable[..., Page]


@pytest.fixture(scope="package")
def browser(chromium: str, django_db_setup: None) -> Iterator[Browser]:
    """Playwright runs an event loop in this thread, about which Django is careful: hence the variable."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def shop(browser: Browser, transactional_db: None, quick_passwords: None) -> scene.Shop:
    return scene.shop()


@contextmanager
def opened(browser: Browser, server: LiveServer, shop: scene.Shop, **options: Any) -> Iterator[Page]:
    """A page on which the shop's owner is signed in; its console must stay free of errors."""
    options.setdefault("viewport", DESKTOP)
    context = browser.new_context(
        base_url=server.url, permissions=["clipboard-read", "clipboard-write"], **options
    )
    client = Client()
    client.force_login(shop.user)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": server.url}]
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, shop: scene.Shop) -> Iterator[Page]:
    with opened(browser, live_server, shop) as page:
        yield page


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, shop: scene.Shop) -> Iterator[Page]:
    with opened(browser, live_server, shop, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        yield page


@pytest.fixture
def page_without_script(browser: Browser, live_server: LiveServer, shop: scene.Shop) -> Iterator[Page]:
    with opened(browser, live_server, shop, java_script_enabled=False) as page:
        yield page
