"""What a User-Agent tells: contexts and tags that the client did not send."""

from __future__ import annotations

from typing import Any

import pytest

from app.normalize import agents
from tests.normalize.senders import sent

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1"
)


def asked(platform: str, headers: Any, **more: Any) -> dict[str, Any]:
    return {"platform": platform, "message": "x", "request": {"headers": headers}, **more}


@pytest.mark.parametrize("headers", [{"User-Agent": PHONE}, {"user-agent": PHONE}, [["USER-AGENT", PHONE]]])
def test_a_page_s_browser_system_and_device(headers: Any) -> None:
    event = sent(asked("javascript", headers))
    assert event.data["contexts"] == {
        "browser": {"name": "Mobile Safari", "version": "17.5", "type": "browser"},
        "os": {"name": "iOS", "version": "17.5", "type": "os"},
        "device": {"family": "iPhone", "brand": "Apple", "model": "iPhone", "type": "device"},
    }
    assert event.tags["browser"] == "Mobile Safari 17.5"
    assert event.tags["browser.name"] == "Mobile Safari"
    assert event.tags["os.name"] == "iOS"
    assert event.tags["device.family"] == "iPhone"


def test_a_server_s_system_is_not_its_visitor_s() -> None:
    event = sent(asked("python", {"User-Agent": PHONE}, contexts={"os": {"name": "Linux", "version": "6"}}))
    assert event.tags["os"] == "Linux 6"
    assert event.tags["client_os"] == "iOS 17.5"
    assert event.tags["browser.name"] == "Mobile Safari"


def test_what_the_client_says_is_not_overruled() -> None:
    contexts = {"browser": {"name": "Kiosk", "version": "3"}}
    event = sent(asked("javascript", {"User-Agent": PHONE}, contexts=contexts))
    assert event.tags["browser"] == "Kiosk 3"
    assert event.tags["os.name"] == "iOS"


@pytest.mark.parametrize("agent", ["", "?", "x" * 5000, "curl", None, 7, ["a"], {"a": "b"}])
def test_agents_that_say_nothing(agent: Any) -> None:
    event = sent(asked("javascript", {"User-Agent": agent}))
    assert "contexts" not in event.data or set(event.data["contexts"]) <= {"browser"}


def test_agents_are_read_once() -> None:
    assert agents.parse(PHONE) is agents.parse(PHONE)
