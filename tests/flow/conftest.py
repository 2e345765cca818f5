"""A real browser, signed in to a running `up`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.flow.dashboard import Dashboard

CLIENTS = Path(__file__).parent / "clients"
#: What the client programs know and nobody else may ever read.
SECRET = "hunter2-in-the-clear"
CARD = "4111111111111111"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run")  # fmt: skip


class Run(Protocol):
    """Runs a client program to its end."""

    def __call__(self, program: str, *arguments: str, **environment: str) -> None: ...


def environment(line: dict[str, Any], **more: str) -> dict[str, str]:
    return os.environ | {"SENTRY_DSN": line["dsn"], "SECRET": SECRET, "CARD": CARD} | more


@pytest.fixture
def run(running: dict[str, Any]) -> Run:
    def run(program: str, *arguments: str, **more: str) -> None:
        done = subprocess.run(
            [sys.executable, str(CLIENTS / f"{program}.py"), *arguments],
            env=environment(running, **more),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        # Some of them end with the very exception that they report.
        assert done.returncode in (0, 1), done.stderr
        assert "Sentry responded with" not in done.stderr, done.stderr

    return run


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Closed before other tests run: with Playwright open, Django sees an event loop in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def cookies(browser: Browser, running: dict[str, Any]) -> list[Any]:
    """Signed in once, for all tabs."""
    with browser.new_context() as context:
        Dashboard(context.new_page(), running).sign_in()
        return list(context.cookies())


@pytest.fixture
def dashboard(browser: Browser, cookies: list[Any], running: dict[str, Any]) -> Iterator[Dashboard]:
    with browser.new_context(viewport={"width": 1360, "height": 860}) as context:
        context.add_cookies(cookies)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield Dashboard(page, running)
        assert complaints == []
