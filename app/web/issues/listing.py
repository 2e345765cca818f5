"""Which issues the list shows: what its address asks for, and one page of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from app.base import clock
from app.models import LISTED, Issue, IssueHour, Project

PAGE = 50
#: So many issues one action moves at most.
MOST = 1000
SORTS = {"last_seen": "Last seen", "first_seen": "First seen", "events": "Events", "users": "Users"}
TABS = {**{status.value: status.label for status in LISTED}, "all": "All"}


@dataclass(frozen=True)
class Asked:
    """The whole state of the list, as its address gives it; what makes no sense falls back to the default."""

    status: str = "unresolved"
    project: str = ""
    environment: str = ""
    query: str = ""
    sort: str = "last_seen"
    after: str = ""
    before: str = ""

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query or self.project or self.environment)


def asked(get: QueryDict) -> Asked:
    status, sort = get.get("status", ""), get.get("sort", "")
    return Asked(
        status=status if status in TABS else "unresolved",
        project=get.get("project", "").replace("\0", ""),
        environment=get.get("environment", "").replace("\0", ""),
        query=get.get("q", "").replace("\0", "").strip()[:200],
        sort=sort if sort in SORTS else "last_seen",
        after=get.get("after", ""),
        before=get.get("before", ""),
    )


def matching(asked: Asked, projects: list[Project]) -> QuerySet[Issue]:
    """The issues of these projects that the address asks for, unordered."""
    chosen = [each.pk for each in projects if asked.project in ("", each.slug)]
    issues = Issue.objects.filter(project__in=chosen)
    issues = issues.filter(status__in=LISTED if asked.status == "all" else [asked.status])
    for word in asked.query.split():
        issues = issues.filter(Q(title__icontains=word) | Q(culprit__icontains=word))
    if asked.environment:
        hours = IssueHour.objects.filter(issue=OuterRef("pk"), environment__name=asked.environment)
        issues = issues.filter(Exists(hours))
    return issues


@dataclass
class Page:
    """One page: rows, and the cursors of its neighbours ("" where there is none)."""

    issues: list[Issue] = field(default_factory=list)
    after: str = ""
    before: str = ""


def page(issues: QuerySet[Issue], asked: Asked, size: int = PAGE) -> Page:
    """One query; pages are cut by value and number, so that new events never shift a row to the next page."""
    back = _position(asked.sort, asked.before)
    start = back or _position(asked.sort, asked.after)
    if start is not None:
        value, number = start
        beyond = "gt" if back else "lt"
        issues = issues.filter(
            Q(**{f"{asked.sort}__{beyond}": value}) | Q(**{asked.sort: value, f"pk__{beyond}": number})
        )
    order = (asked.sort, "pk") if back else (f"-{asked.sort}", "-pk")
    rows = list(issues.select_related("assignee").order_by(*order)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if back:
        rows.reverse()
    return Page(
        rows,
        after=_cursor(asked.sort, rows[-1]) if rows and (more or back) else "",
        before=_cursor(asked.sort, rows[0]) if rows and (more if back else start) else "",
    )


def _cursor(sort: str, issue: Issue) -> str:
    value = getattr(issue, sort)
    return f"{clock.to_micros(value) if isinstance(value, datetime) else value}~{issue.pk}"


def _position(sort: str, cursor: str) -> tuple[datetime | int, int] | None:
    value, tilde, number = cursor.partition("~")
    if not (tilde and value.isdecimal() and number.isdecimal() and len(cursor) < 40):
        return None
    if sort in ("events", "users"):
        return int(value), int(number)
    at = clock.read_micros(value)
    return (at, int(number)) if at else None
