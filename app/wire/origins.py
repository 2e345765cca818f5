"""From which pages a browser may send to a project. Pure.

    *                        any page
    https://shop.example     this site (scheme, host and port), whatever the path
    *.shop.example           the domain and everything below it, any scheme and port
    shop.example             this host, any scheme and port
    shop.example:8000        this host and port
    *:8000                   any host at this port

Hosts are compared in lower case and in IDNA's form. The origin "null" (a file, a sandboxed frame) matches `*`
alone. Who names no origin is no browser, and may send.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

ANY = "*"
_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=1024)
def is_allowed(origin: str, patterns: tuple[str, ...]) -> bool:
    """Whether a page of `origin` ("https://shop.example:8000", or a whole Referer) may send."""
    if ANY in patterns:
        return True
    site = _site(origin)
    return site is not None and any(_matches(site, pattern.strip().lower()) for pattern in patterns)


def _site(address: str) -> tuple[str, str, int] | None:
    """(scheme, host, port); None for what is no address."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme.lower(), _ascii(parts.hostname), port) if parts.hostname else None


def _matches(site: tuple[str, str, int], pattern: str) -> bool:
    _, host, port = site
    if "://" in pattern:
        return _site(pattern) == site
    name, _, wanted = pattern.partition(":")
    if wanted and wanted != str(port):
        return False
    if name == ANY:
        return bool(wanted)
    if name.startswith("*."):
        domain = _ascii(name[2:])
        return host == domain or host.endswith(f".{domain}")
    return bool(name) and host == _ascii(name)


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode().lower()
    except UnicodeError:
        return host.lower()
