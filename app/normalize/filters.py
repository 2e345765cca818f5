"""Inbound filters: what a project's people do not want to hear of. Pure.

A hit is answered like everything else, and only counted: `reason` names the filter, in the words of the usage
page. Lists of people's own are globs, compared without regard to case.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from app.event import Event
from app.normalize import agents
from app.options import Filters

#: Of old browsers the first major version that is welcome; `legacy_browsers` holds names of these.
LEGACY: dict[str, tuple[frozenset[str], int]] = {
    "ie": (frozenset({"IE", "IE Mobile", "IE Large Screen"}), 12),
    "edge": (frozenset({"Edge", "Edge Mobile"}), 79),
    "safari": (frozenset({"Safari", "Mobile Safari"}), 15),
    "opera": (frozenset({"Opera", "Opera Mobile"}), 51),
    "opera_mini": (frozenset({"Opera Mini"}), 35),
    "android": (frozenset({"Android"}), 4),
    "chrome": (frozenset({"Chrome", "Chrome Mobile"}), 63),
    "firefox": (frozenset({"Firefox", "Firefox Mobile"}), 67),
}

#: What scripts that others put into a page fail with.
_INJECTED = re.compile(
    r"top\.GLOBALS|originalCreateNotification|canvas\.contentDocument|MyApp_RemoveAllHighlights"
    r"|tt\.epicplay\.com|Can't find variable: ZiteReader|jigsaw is not defined|ComboSearch is not defined"
    r"|http://loading\.retry\.widdit\.com/|atomicFindClose|fb_xd_fragment|bmi_SafeAddOnload"
    r"|EBCallBackMessageReceived|_gCrWeb|conduitPage|null is not an object \(evaluating 'elt\.parentNode'\)"
    r"|plugin\.setSuspendState is not a function|Extension context invalidated|webkit-masked-url|__firefox__"
    r"|Can't find variable: gmo|chrome\.runtime\.sendMessage"
    r"|Non-Error promise rejection captured with value: Object Not Found Matching Id",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"^(?:chrome|moz|safari|safari-web|ms-browser|opera)-extension:|^chrome(?:-untrusted)?:/|^webkit-masked-url:"
    r"|^resource:/|graph\.facebook\.com|connect\.facebook\.net|eatdifferent\.com\.woopra-ns\.com"
    r"|static\.woopra\.com/js/woopra\.js|extensions/|127\.0\.0\.1:4001/isrunning"
    r"|webappstoolbarba\.texthelp\.com|metrics\.itunes\.apple\.com\.edgesuite\.net|kaspersky-labs\.com",
    re.IGNORECASE,
)
_HYDRATION = re.compile(
    r"(?:react\.dev/errors/|reactjs\.org/docs/error-decoder\.html\?invariant=)(?:418|419|422|423|425)\b"
    r"|Minified React error #(?:418|419|422|423|425)\b|Hydration failed because|error while hydrating"
    r"|Text content does not match server-rendered HTML",
    re.IGNORECASE,
)
_CHUNK = re.compile(
    r"ChunkLoadError|Loading (?:CSS )?chunk [\w-]+ failed|Failed to fetch dynamically imported"
)
_HEALTH = re.compile(
    r"(?:^|[/\s.])(?:healthz?|healthy|healthcheck|health[-_]check|heartbeat|livez?|liveness|readyz?|readiness"
    r"|ping|up)(?:/|$|\s)",
    re.IGNORECASE,
)
#: Sources of security reports that are the browser's or an extension's own doing.
_BROWSERS_OWN = re.compile(
    r"^(?:about|chrome[\w-]*|(?:moz|safari|safari-web|ms-browser)-extension|resource|symres|jar|mxaddon-pkg"
    r"|webviewprogressproxy|tmtbff|mbinit|(?:x-)?brave|webkit-masked-url)(?::|$)",
    re.IGNORECASE,
)
_INJECTORS = re.compile(
    r"(?:^|[/.])(?:tlscdn\.com|superfish\.com|addons\.mozilla\.org|translate\.googleapis\.com|loadingpages\.me"
    r"|lowffdompro\.com|vidtok\.ru|akamaihd\.net|nikkomsgchannel|adnxs\.com|jsdelivr-injected\.net"
    r"|best-?offers?\w*\.com|foxydeal\.com|mmi\.bemobile\.ua)(?:[:/]|$)",
    re.IGNORECASE,
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 compared with, not bound to


def reason(event: Event, agent: str, address: str, filters: Filters) -> str:
    """Which filter an event meets, as in "web-crawlers"; "" for one that is wanted.

    `agent` is the User-Agent of the request it is about (or, of a browser's, that brought it), `address` who
    sent it.
    """
    hits = (name for name, is_hit in _FILTERS if is_hit(event, filters))
    if found := next(hits, ""):
        return found
    if filters.addresses and _is_listed(filters.addresses, address, str(_user(event).get("ip_address", ""))):
        return "ip-address"
    if filters.web_crawlers and agent and agents.is_crawler(agent):
        return "web-crawlers"
    if filters.legacy_browsers and event.platform == "javascript" and is_legacy(agent, filters):
        return "legacy-browsers"
    return ""


def needs_agent(filters: Filters) -> bool:
    return filters.web_crawlers or bool(filters.legacy_browsers)


def unwanted_release(release: str, filters: Filters) -> str:
    """Why nothing of a release is wanted; "" when it is."""
    return "release-version" if filters.releases and _matches(filters.releases, release) else ""


def unwanted_transaction(name: str, release: str, filters: Filters) -> str:
    """The same for a transaction."""
    if reason := unwanted_release(release, filters):
        return reason
    if filters.health_checks and _HEALTH.search(name):
        return "filtered-transaction"
    if filters.transactions and _matches(filters.transactions, name):
        return "filtered-transaction"
    return ""


def unwanted_log(body: str, release: str, filters: Filters) -> str:
    """The same for a record of a log."""
    if reason := unwanted_release(release, filters):
        return reason
    return "log-message" if filters.logs and _matches(filters.logs, body) else ""


def is_legacy(agent: str, filters: Filters) -> bool:
    found = agents.parse(agent)
    for name in filters.legacy_browsers:
        families, first = LEGACY.get(name, (frozenset(), 0))
        if found.browser in families and 0 < found.major < first:
            return True
    return False


# -- one filter each ---------------------------------------------------------------------------------------


def _is_release(event: Event, filters: Filters) -> bool:
    return bool(unwanted_release(event.release, filters))


def _is_local(event: Event, filters: Filters) -> bool:
    if not filters.localhost:
        return False
    if _user(event).get("ip_address") in ("127.0.0.1", "::1"):
        return True
    request = event.data.get("request")
    return _host(str(request.get("url", "")) if request else "") in _LOCAL


def _is_message(event: Event, filters: Filters) -> bool:
    return bool(filters.messages) and any(_matches(filters.messages, text) for text in _texts(event))


def _is_hydration(event: Event, filters: Filters) -> bool:
    return filters.hydration_errors and _is_pages(event) and any(map(_HYDRATION.search, _texts(event)))


def _is_chunk(event: Event, filters: Filters) -> bool:
    return filters.chunk_load_errors and _is_pages(event) and any(map(_CHUNK.search, _texts(event)))


def _is_extension(event: Event, filters: Filters) -> bool:
    if not filters.browser_extensions or event.platform != "javascript" or "exception" not in event.data:
        return False
    first = event.data["exception"]["values"][0]
    if _INJECTED.search(str(first.get("value") or "")):
        return True
    trace = first.get("stacktrace")
    frames = trace["frames"] if trace else []
    return bool(frames) and bool(_EXTENSION.search(str(frames[-1].get("abs_path") or "")))


def _is_browsers_own(event: Event, filters: Filters) -> bool:
    report = event.data.get("csp")
    if not isinstance(report, dict):
        return False
    named = [str(report.get(name) or "") for name in ("source_file", "blocked_uri")]
    if filters.browser_reports and any(_BROWSERS_OWN.search(uri) or _INJECTORS.search(uri) for uri in named):
        return True
    return bool(filters.csp_sources) and any(_is_source(filters.csp_sources, uri) for uri in named if uri)


_FILTERS: tuple[tuple[str, Callable[[Event, Filters], bool]], ...] = (
    ("release-version", _is_release),
    ("error-message", _is_message),
    ("react-hydration-errors", _is_hydration),
    ("chunk-load-error", _is_chunk),
    ("browser-extensions", _is_extension),
    ("localhost", _is_local),
    ("invalid-csp", _is_browsers_own),
)


def _is_pages(event: Event) -> bool:
    return event.platform == "javascript" and event.kind in ("error", "default")


def _user(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = event.data.get("user") or {}
    return found


def _texts(event: Event) -> list[str]:
    """What people's globs are compared with: "type: value", type, value, and the message."""
    texts = []
    if "exception" in event.data:
        for thrown in event.data["exception"]["values"]:
            kind, value = str(thrown.get("type") or ""), str(thrown.get("value") or "")
            texts += [f"{kind}: {value}", kind, value]
    entry = event.data.get("logentry")
    if entry:
        texts.append(str(entry["formatted"]))
    return [text for text in texts if text]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


# -- people's own lists ------------------------------------------------------------------------------------


def _matches(globs: list[str], text: str) -> bool:
    return bool(text) and bool(_compiled(tuple(globs)).match(text))


@lru_cache(1024)
def _compiled(globs: tuple[str, ...]) -> Any:
    """One expression for all: `*` is anything, `?` any one character."""
    import re2  # noqa: PLC0415 in processes where somebody has a list

    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    pattern = "|".join(f"(?:{_expression(glob)})" for glob in globs if glob.strip())
    return re2.compile(f"(?:{pattern})\\z" if pattern else r"\z.", options)


_MEANING = {"*": ".*", "?": "."}


def _expression(glob: str) -> str:
    return "".join(_MEANING.get(character) or re.escape(character) for character in glob.strip())


def _is_listed(networks: list[str], *addresses: str) -> bool:
    return any(_in_networks(tuple(networks), address) for address in addresses if address)


@lru_cache(8192)
def _in_networks(networks: tuple[str, ...], address: str) -> bool:
    try:
        own = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(own.version == one.version and own in one for one in map(_network, networks) if one)


@lru_cache(1024)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _is_source(sources: list[str], uri: str) -> bool:
    """ "cdn.example", "*.example", "https://cdn.example", or a scheme such as "data:"."""
    host = _host(uri) or uri.partition("/")[0].partition(":")[0]
    return _matches(sources, uri) or _matches(sources, host) or _matches(sources, f"{uri.partition(':')[0]}:")


def problem(kind: str, entry: str) -> str:
    """What is wrong with an entry of one of the lists, as a sentence; "" when nothing is."""
    if kind == "addresses" and _network(entry) is None:
        return f"“{entry}” is neither an address nor a network such as 10.0.0.0/8."
    return f"“{entry[:40]}…” is longer than 200 characters." if len(entry) > 200 else ""
