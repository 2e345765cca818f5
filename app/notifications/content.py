"""What a mail about an issue says, gathered from the rows: short, and in the reader's time zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from app.models import Issue, Notification, User
from app.store import read

#: Lines of context shown around the one that failed.
AROUND = 2
#: Characters of a line of source; a phone shows about half of it.
WIDTH = 160


@dataclass(frozen=True)
class Line:
    number: int | None
    text: str
    hit: bool


@dataclass(frozen=True)
class Crash:
    """The frame that matters: the last one of the application's own code."""

    place: str  # "shop/payments.py:42 in charge"
    lines: list[Line]


@dataclass(frozen=True)
class IssueMail:
    subject: str
    headline: str  # "New issue in shop"
    type: str  # "KeyError"
    value: str  # "'gross'"
    culprit: str
    level: str
    short_id: str
    facts: list[tuple[str, str]]
    url: str
    reason: str
    crash: Crash | None = None
    base_url: str = field(default_factory=lambda: str(settings.BASE_URL))


def issue_mail(row: Notification) -> IssueMail | None:
    """What to tell about the row's issue; None when it was deleted, merged or discarded meanwhile."""
    issue = row.issue
    if issue is None or not issue.is_listed:
        return None
    event = _event(row, issue)
    project, came_back = issue.project, row.kind == "issue_regressed"
    return IssueMail(
        subject=one_line(f"[{project.slug}] {'Regressed: ' if came_back else ''}{issue.title}")[:200],
        headline=f"An issue came back in {project.name}" if came_back else f"New issue in {project.name}",
        type=one_line(str(issue.metadata.get("type") or issue.title))[:200],
        value=str(issue.metadata.get("value") or "")[:400] if issue.metadata.get("type") else "",
        culprit=issue.culprit,
        level=issue.level_name,
        short_id=issue.short_id,
        facts=facts(issue, event, row.user),
        url=f"{settings.BASE_URL}/{project.organization.slug}/issues/{issue.short_id}/",
        reason=f"You get this because you are a member of {project.organization.name}.",
        crash=crash(event.data) if event else None,
    )


def _event(row: Notification, issue: Issue) -> read.EventRow | None:
    """The event the message is about; None when retention dropped it."""
    event_id, day = row.data.get("event_id"), row.data.get("day")
    if not event_id:
        return None
    return read.event(issue.project_id, event_id, date.fromisoformat(day) if day else None)


def facts(issue: Issue, event: read.EventRow | None, reader: User | None) -> list[tuple[str, str]]:
    """Since when, how often, where and for whom; what is not known is left out."""
    environment, release, user = (event.environment, event.release, event.user) if event else ("", "", "")
    rows = [
        ("First seen", moment(issue.first_seen, reader)),
        ("Last seen", moment(issue.last_seen, reader) if issue.last_seen != issue.first_seen else ""),
        ("How often", _often(issue)),
        ("Environment", environment),
        ("Release", release),
        ("User", user),
    ]
    return [(name, one_line(value)) for name, value in rows if value]


def _often(issue: Issue) -> str:
    events = "once" if issue.events <= 1 else f"{issue.events:,} times"
    return f"{events}, {issue.users:,} users" if issue.users > 1 else events


def moment(at: datetime, reader: User | None) -> str:
    """22 Nov 2026, 14:03 UTC, by the reader's clock."""
    try:
        zone = ZoneInfo(reader.timezone if reader else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def crash(data: dict[str, Any]) -> Crash | None:
    """The last frame of the application's own code, or the very last; None without a stack trace."""
    values = (data.get("exception") or {}).get("values") or []
    trace = (values[-1] if values else {}).get("stacktrace") or data.get("stacktrace") or {}
    frames = trace.get("frames") or []
    if not frames:
        return None
    frame = next((frame for frame in reversed(frames) if frame.get("in_app")), frames[-1])
    return Crash(_place(frame), _lines(frame))


def _place(frame: dict[str, Any]) -> str:
    name = (
        frame.get("filename") or frame.get("module") or frame.get("abs_path") or frame.get("package") or "?"
    )
    line = f":{frame['lineno']}" if frame.get("lineno") else ""
    function = f" in {frame['function']}" if frame.get("function") else ""
    return one_line(f"{name}{line}{function}")[:WIDTH]


def _lines(frame: dict[str, Any]) -> list[Line]:
    if not frame.get("context_line"):
        return []
    before = list(frame.get("pre_context") or [])[-AROUND:]
    after = list(frame.get("post_context") or [])[:AROUND]
    source = [str(text)[:WIDTH].expandtabs(4) for text in [*before, frame["context_line"], *after]]
    while len(source) > len(before) + 1 and not source[-1].strip():
        source.pop()
    indent = min((len(text) - len(text.lstrip()) for text in source if text.strip()), default=0)
    first = frame["lineno"] - len(before) if frame.get("lineno") else None
    return [
        Line(first + at if first is not None else None, text[indent:], at == len(before))
        for at, text in enumerate(source)
    ]


def one_line(text: str) -> str:
    """Without line breaks and other control characters, so that it fits a header or a row."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
