"""The request an event happened in, as a form and as a command that repeats it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.web.issues.values import Pairs, pairs, text

#: curl says these itself.
OWN = frozenset({"content-length", "host", "connection", "accept-encoding"})


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    query: Pairs | str
    headers: Pairs
    cookies: Pairs
    body: str
    env: Pairs

    @property
    def is_link(self) -> bool:
        return urlsplit(self.url).scheme in ("http", "https")

    @property
    def curl(self) -> str:
        """A shell command; every value is quoted, filtered ones stay filtered."""
        parts = ["curl"] if self.method in ("", "GET") else ["curl", "-X", shlex.quote(self.method)]
        parts.append(shlex.quote(self.full_url))
        for name, value in self.headers:
            if name.lower() not in OWN:
                parts.append(f"\\\n  -H {shlex.quote(f'{name}: {value}')}")
        if self.cookies and not any(name.lower() == "cookie" for name, _ in self.headers):
            parts.append(
                f"\\\n  -b {shlex.quote('; '.join(f'{name}={value}' for name, value in self.cookies))}"
            )
        if self.body:
            parts.append(f"\\\n  --data-raw {shlex.quote(self.body)}")
        return " ".join(parts)

    @property
    def full_url(self) -> str:
        if not self.query or "?" in self.url:
            return self.url
        query = self.query if isinstance(self.query, str) else "&".join(f"{k}={v}" for k, v in self.query)
        return f"{self.url}?{query.removeprefix('?')}"


def request_of(data: dict[str, Any]) -> Request | None:
    found = data.get("request")
    if not isinstance(found, dict) or not found:
        return None
    query, body = found.get("query_string") or "", found.get("data")
    return Request(
        method=str(found.get("method") or ""),
        url=str(found.get("url") or ""),
        query=query if isinstance(query, str) else pairs(query),
        headers=pairs(found.get("headers")),
        cookies=pairs(found.get("cookies")),
        body="" if body is None else text(body),
        env=pairs(found.get("env")),
    )
