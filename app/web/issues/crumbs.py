"""What happened before: the breadcrumbs as one timeline that ends with the error itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.web.issues.values import Pairs, pairs

#: How many are shown at once; the earlier ones are folded.
SHOWN = 30


@dataclass(frozen=True)
class Crumb:
    at: str  # ISO, "" when unknown
    category: str
    level: str
    message: str
    data: Pairs
    is_last: bool = False


def timeline(data: dict[str, Any], title: str, level: str, at: str) -> list[Crumb]:
    """Oldest first; empty when the event has no breadcrumbs."""
    values = [each for each in (data.get("breadcrumbs") or {}).get("values") or () if each]
    crumbs = [_crumb(each) for each in values]
    crumbs.sort(key=lambda crumb: crumb.at)
    return [*crumbs, Crumb(at, "this event", level, title, [], is_last=True)] if crumbs else []


def _crumb(each: dict[str, Any]) -> Crumb:
    data = each.get("data") or {}
    message, used = each.get("message") or "", frozenset[str]()
    if not message and isinstance(data, dict) and data.get("url"):
        message = " ".join(str(data[name]) for name in ("method", "url") if data.get(name))
        status = data.get("status_code") or data.get("http.response.status_code")
        message += f" → {status}" if status else ""
        used = frozenset({"method", "url", "status_code"})
    return Crumb(
        at=str(each.get("timestamp") or ""),
        category=each.get("category") or each.get("type") or "default",
        level=each.get("level") or "info",
        message=str(message),
        data=pairs(data, used),
    )
