"""Where a request comes from, believing only the proxies that the operator counted."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

#: Characters of an address with brackets, zone and port: what is longer is none, and not worth remembering.
LONGEST = 100


def of(peer: str, forwarded: str, proxies: int) -> str:
    """The sender's IP address, "" when unknown.

    `forwarded` is X-Forwarded-For. Each of our `proxies` appended the address it saw, so the sender is
    the one that the first of them saw: anything further left was written by the sender itself.
    """
    if not proxies or not forwarded:
        return peer
    hops = [hop.strip() for hop in forwarded.split(",")]
    hop = hops[-min(proxies, len(hops))]
    return _normal(hop[:LONGEST])


@lru_cache(maxsize=1024)
def _normal(hop: str) -> str:
    try:
        return str(ip_address(_without_port(hop)))
    except ValueError:
        return ""


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
