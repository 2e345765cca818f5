"""An issue as Markdown, for a person to paste or a language model to read."""

from __future__ import annotations

from app.models import Issue
from app.store.read import EventRow
from app.web.issues.crumbs import timeline
from app.web.issues.request import request_of
from app.web.issues.stack import Trace, traces

CRUMBS = 10


def document(issue: Issue, event: EventRow | None, url: str) -> str:
    """Facts, stack trace, breadcrumbs, tags and request, in this order."""
    parts = [f"# {one_line(issue.title)}", _facts(issue, event, url)]
    if event is not None:
        parts += [_stack(event), _crumbs(event), _tags(event), _request(event)]
    return "\n\n".join(part for part in parts if part) + "\n"


def raw_stack(found: list[Trace]) -> str:
    """All traces as text, the most recent call first."""
    lines: list[str] = []
    for at, trace in enumerate(found):
        lines.append(("caused by " if at and trace.type and trace.number < 1000 else "") + trace.headline)
        for frame in trace.frames:
            mark = "" if frame.in_app else "  (framework)"
            lines.append(f"  {frame.place} in {frame.function}{mark}")
            if frame.hit.strip() and frame.in_app:
                lines.append(f"    {frame.hit.strip()}")
    return "\n".join(lines)


def one_line(text: str) -> str:
    return " ".join(text.split())


def fenced(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any inside."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _facts(issue: Issue, event: EventRow | None, url: str) -> str:
    facts = [
        f"{issue.short_id} in {issue.project.name}: {url}",
        f"Culprit: `{one_line(issue.culprit)}`" if issue.culprit else "",
        f"Level: {issue.level_name}, {issue.status}",
        f"Seen: {issue.events:,} events, {issue.users:,} users",
        f"First seen: {issue.first_seen:%Y-%m-%d %H:%M:%S} UTC" + _in(issue.first_release),
        f"Last seen: {issue.last_seen:%Y-%m-%d %H:%M:%S} UTC" + _in(issue.last_release),
    ]
    if event is not None:
        facts.append(f"Event: {event.event_id} at {event.timestamp:%Y-%m-%d %H:%M:%S} UTC")
    return "\n".join(f"- {fact}" for fact in facts if fact)


def _in(release: object) -> str:
    return f" in {one_line(str(release))}" if release else ""


def _stack(event: EventRow) -> str:
    text = raw_stack(traces(event.data, event.body.platform))
    return f"## Stack trace\n\n{fenced(text)}" if text else ""


def _crumbs(event: EventRow) -> str:
    crumbs = timeline(event.data, event.title, event.data.get("level", "error"), event.timestamp.isoformat())[
        -CRUMBS:
    ]
    lines = [f"- {crumb.at} {crumb.category}: {one_line(crumb.message)}" for crumb in crumbs]
    return "## Breadcrumbs\n\n" + "\n".join(lines) if lines else ""


def _tags(event: EventRow) -> str:
    lines = [f"- {key}: {one_line(value)}" for key, value in sorted(event.tags.items())]
    return "## Tags\n\n" + "\n".join(lines) if lines else ""


def _request(event: EventRow) -> str:
    found = request_of(event.data)
    return f"## Request\n\n{fenced(found.curl, 'sh')}" if found else ""
