"""What strangers write into an event is shown as text, on every page and in the mail."""

from __future__ import annotations

from typing import Any

import pytest

from tests.flow.dashboard import Dashboard
from tests.flow.everything import EVERYTHING, OLD_SHAPES
from tests.flow.installation import wait_for
from tests.flow.sending import Sender

pytestmark = pytest.mark.needs("chromium")

MARKUP = "\"'><img src=x id=owned onerror=alert(1)><script>alert(1)</script>{{ 7*7 }}{% now %}"
#: What has to keep its value for the event to be what it is.
KEPT = {"type", "timestamp", "level", "platform", "url", "event_id", "addr_mode"}


def hostile(node: Any, name: str = "") -> Any:
    """The same event with markup in every text, and in the names people choose themselves."""
    if isinstance(node, dict):
        marked = {
            f"{key}{MARKUP}" if name in ("extra", "vars", "data", "headers", "order") else key: key
            for key in node
        }
        return {new: hostile(node[key], str(key)) for new, key in marked.items()}
    if isinstance(node, list):
        return [hostile(each, name) for each in node]
    if isinstance(node, str) and name not in KEPT:
        return node + MARKUP
    return f"javascript:alert(1)//{node}" if name == "url" else node


@pytest.mark.parametrize("shape", ["today", "old"])
def test_no_text_of_an_event_becomes_markup(
    dashboard: Dashboard, running: dict[str, Any], shape: str
) -> None:
    page, asked = dashboard.page, f"Hostile {shape}"
    page.on("dialog", lambda dialog: pytest.fail("a script of the event ran"))
    event = hostile(EVERYTHING if shape == "today" else OLD_SHAPES)
    event["exception"] = {"values": [{**hostile(EVERYTHING)["exception"]["values"][0], "type": asked}]}
    assert Sender(running["dsn"]).event(event).status == 200
    dashboard.open(asked)
    assert "<img src=x id=owned" in dashboard.text()
    here = page.url
    for address in (here, f"{here}?view=raw", f"{here}?frames=oldest", f"{here.rstrip('/')}.md"):
        page.goto(address)
        assert_nothing_ran(dashboard)
    wait_for(lambda: is_in_the_mail(dashboard, asked), "the mail")
    frame = page.frame_locator("iframe")
    assert frame.locator("#owned, script").count() == 0
    assert_nothing_ran(dashboard)


def is_in_the_mail(dashboard: Dashboard, asked: str) -> bool:
    dashboard.page.goto(f"{dashboard.url}/admin/mail/")
    letter = dashboard.page.get_by_role("link", name=asked)
    if not letter.count():
        return False
    letter.first.click()
    dashboard.page.wait_for_url("**/admin/mail/*/", wait_until="load")
    return True


def assert_nothing_ran(dashboard: Dashboard) -> None:
    page = dashboard.page
    assert page.locator("#owned").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    assert page.locator("script:not([src])").count() == 0
