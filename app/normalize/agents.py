"""User agents: which browser, system and device a request came from. Answers are remembered.

The rules run in RE2: 11 MB and 30 µs for an agent that is new, where the resolver in Rust that ua-parser
would choose by itself takes 31 MB and 15 µs, and the one in Python 8 MB and 570 µs. Only processes that meet
an agent load them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from app.base.text import cut

#: Longer ones are not looked at: the rules are many, and nobody's browser is so long.
LONGEST = 1024
_NOTHING = ("", "Other", "Generic", "Generic_Android")
_CRAWLER = re.compile(
    r"^(?!.*APIs-Google).*Google|AdsBot|Mediapartners|Bing(?:bot|Preview)|Baidu|Yahoo! Slurp|Sogou|facebook"
    r"|ia_archiver|Slack|GPTBot|(?<!cu)bots?(?:[/;,. )+-]|$)|spider(?:[/;,. )-]|$)",
    re.IGNORECASE | re.DOTALL,
)
#: Those that run real pages on purpose.
_MONITOR = re.compile(r"SentryUptimeBot|Chrome-Lighthouse|DatadogSynthetics|Checkly", re.IGNORECASE)


class Agent(NamedTuple):
    """What an agent says of itself; "" and 0 where it says nothing."""

    browser: str = ""  # "Chrome Mobile"
    version: str = ""  # "131.0.0"
    major: int = 0
    system: str = ""  # "Android"
    system_version: str = ""
    family: str = ""  # of the device
    brand: str = ""
    model: str = ""


def parse(agent: str) -> Agent:
    """Of any text."""
    return _parsed(agent) if agent and len(agent) <= LONGEST else Agent()


@lru_cache(8192)
def _parsed(agent: str) -> Agent:
    found = _parser().parse(agent)
    browser: Any = found.user_agent
    system: Any = found.os
    device: Any = found.device
    return Agent(
        browser=_known(browser and browser.family),
        version=_version(browser),
        major=_number(browser and browser.major),
        system=_known(system and system.family),
        system_version=_version(system),
        family=_known(device and device.family),
        brand=_known(device and device.brand),
        model=_known(device and device.model),
    )


@lru_cache(1)
def _parser() -> Any:
    from ua_parser import Parser  # noqa: PLC0415 for those who need it
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415
    from ua_parser.re2 import Resolver  # noqa: PLC0415

    return Parser(Resolver(load_lazy_builtins()))


def _known(name: str | None) -> str:
    return "" if name in _NOTHING or name is None else cut(name, 100)


def _version(found: Any) -> str:
    if found is None:
        return ""
    parts = (found.major, found.minor, found.patch)
    return ".".join(part for part in parts if part)[:60]


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() and len(text) < 9 else 0


@lru_cache(8192)
def is_crawler(agent: str) -> bool:
    """Whether a search engine or another robot asks."""
    return bool(_CRAWLER.search(agent[:LONGEST])) and not _MONITOR.search(agent[:LONGEST])


def add(data: dict[str, Any], agent: str | None) -> None:
    """Contexts that the client did not send are made of the agent of the request; None is looked up there."""
    if agent is None:
        agent = of_request(data["request"]) if "request" in data else ""
    if not agent or len(agent) > LONGEST:
        return
    made = _contexts(agent, data["platform"] == "javascript")
    present = data.get("contexts")
    missing = [name for name in made if not present or name not in present]
    if missing:
        data["contexts"] = {**(present or {}), **{name: made[name].copy() for name in missing}}


def of_request(request: Any) -> str:
    """The agent that a normalised request names, "" when it names none."""
    return next((str(value) for name, value in request.get("headers") or () if name == "User-Agent"), "")


@lru_cache(8192)
def _contexts(agent: str, at_the_users: bool) -> dict[str, dict[str, str]]:
    """By their names, to be shared and not changed; a server's own system is not its client's."""
    found = parse(agent)
    system = "os" if at_the_users else "client_os"
    made = {
        "browser": {"name": found.browser, "version": found.version},
        system: {"name": found.system, "version": found.system_version},
        "device": {"family": found.family, "brand": found.brand, "model": found.model},
    }
    return {
        name: {**{part: text for part, text in parts.items() if text}, "type": name}
        for name, parts in made.items()
        if next(iter(parts.values()))
    }
