"""The dashboard as a person uses it: a signed-in browser tab."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page

from tests.flow.installation import wait_for


class Dashboard:
    """`line` is what `up --json` printed: where to go and who to be."""

    def __init__(self, page: Page, line: dict[str, Any]) -> None:
        self.page = page
        self.line = line
        self.url = str(line["url"]).rstrip("/")
        self.organization = str(line["organization"])

    def sign_in(self) -> None:
        self.page.goto(f"{self.url}/")
        self.page.get_by_label("E-mail").fill(self.line["login"]["email"])
        self.page.get_by_label("Password", exact=True).fill(self.line["login"]["password"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/login" not in url)

    def list(self, **query: str) -> None:
        """The issues of the first project, in whatever state."""
        asked = {"project": self.line["project"], "status": "all", **query}
        self.page.goto(f"{self.url}/{self.organization}/issues/?{urlencode(asked)}")

    def row(self, title: str) -> Locator:
        """The row of the issue in the list, once the list shows it."""
        row = self.page.locator(".row", has_text=title)

        def is_listed() -> bool:
            self.list(q=title)
            return row.count() > 0

        wait_for(is_listed, f"“{title}” in the list", 20)
        return row.first

    def open(self, title: str, showing: str = "") -> None:
        """The issue's page, with its latest event when that holds the text `showing`."""
        self.row(title).get_by_role("link").first.click()
        self.page.wait_for_url("**/issues/*-*/**", wait_until="load")

        def is_shown() -> bool:
            return showing in self.page.content() or self.page.reload() is None

        wait_for(is_shown, f"“{showing}” on the page of “{title}”", 20)

    def text(self) -> str:
        """What is on the page once everything folded is unfolded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        return self.page.locator("body").inner_text()

    def stored(self) -> dict[str, Any]:
        """The event on this page as it is stored, from its JSON page."""
        address = self.page.get_by_role("link", name="JSON").first.get_attribute("href")
        answer = self.page.request.get(f"{self.url}{address}")
        assert answer.ok, answer.status
        found: dict[str, Any] = json.loads(answer.text())
        return found
