"""How long things take: endpoints with percentiles, one of them over time, one trace as a waterfall."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from app.base import clock
from app.base.text import like
from app.models import Project
from app.normalize.logs import identifier
from app.normalize.spans import FINE
from app.normalize.transactions import unpacked
from app.store import attachments, durations, traces
from app.store.durations import Asked, Endpoint
from app.web import periods
from app.web.issues.values import pairs
from app.web.periods import Period
from app.web.shell import Place, in_organization, shown

OFFERED = ("6h", "24h", "7d", "30d")
SORTS = {
    "total": ("Time in all", lambda row: row.endpoint.total),
    "p95": ("p95", lambda row: row.p95 or 0),
    "count": ("How often", lambda row: row.endpoint.count),
    "failed": ("Failures", lambda row: row.failure_rate),
}
PAGE = 100
#: Transactions of a trace whose files are looked for, one statement each.
MOST_WITH_FILES = 5
#: What a step of depth is drawn as.
INDENT = "\N{EM SPACE}" * 2


class Row(NamedTuple):
    """An endpoint as its line shows it; durations in µs."""

    endpoint: Endpoint
    project: Project
    per_minute: float
    p50: int | None
    p95: int | None
    failure_rate: float
    share: float  # of the time that all endpoints shown took


class Bar(NamedTuple):
    """One span of a waterfall; µs, and thousandths of the whole."""

    indent: str
    op: str
    name: str
    service: str
    start: int
    duration: int
    left: float
    wide: float
    has_failed: bool
    status: str
    details: list[Any]


@in_organization
def performance(request: HttpRequest, place: Place) -> HttpResponse:
    chosen = place.chosen(request)
    now = periods.asked(request, OFFERED)
    words = request.GET.get("q", "").strip()[:200].replace("\0", "")
    sort = request.GET.get("sort", "total")
    sort = sort if sort in SORTS else "total"
    asked = Asked(
        projects=[each.pk for each in ([chosen] if chosen else place.projects)],
        since=now.period.since,
        environment=now.environment,
        words=like(words) if words else None,
    )
    rows = _rows(durations.endpoints(asked), place, now.period)
    rows.sort(key=SORTS[sort][1], reverse=True)
    context = shown(
        place,
        section="performance",
        rows=rows[:PAGE],
        beyond=max(len(rows) - PAGE, 0),
        chosen=chosen,
        words=words,
        sort=sort,
        sorts=[(value, label) for value, (label, _) in SORTS.items()],
        **periods.choices(place, now, OFFERED),
    )
    return render(request, "performance/list.html", context)


@in_organization
def endpoint(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    """One name and op, as the query says: names hold anything."""
    found = place.project(project)
    now = periods.asked(request, OFFERED)
    name, op = request.GET.get("name", "").replace("\0", ""), request.GET.get("op", "").replace("\0", "")
    asked = Asked(projects=[found.pk], since=now.period.since, environment=now.environment, name=name, op=op)
    rows = _rows(durations.endpoints(asked), place, now.period)
    steps = durations.steps(asked, now.period.step, now.period.steps)
    context = shown(
        place,
        section="performance",
        project=found,
        name=name,
        op=op,
        row=rows[0] if rows else None,
        counts=[sum(histogram.values()) for histogram in steps],
        p50=[durations.percentile(histogram, 0.5) or 0 for histogram in steps],
        p95=[durations.percentile(histogram, 0.95) or 0 for histogram in steps],
        slowest=[(row, row.status not in FINE) for row in traces.slowest(asked)] if rows else [],
        **periods.choices(place, now, OFFERED),
    )
    return render(request, "performance/endpoint.html", context)


@in_organization
def trace(request: HttpRequest, place: Place, trace_id: str) -> HttpResponse:
    found = identifier(trace_id, 32)
    if not found:
        raise Http404("That is no trace: one has 32 hexadecimal digits.")
    projects = [each.pk for each in place.projects]
    rows, spans = traces.of_trace(projects, found, clock.read_micros(request.GET.get("at", "")))
    names = {project.pk: project.name for project in place.projects}
    bars = _waterfall(rows, spans, names)
    context = shown(
        place,
        section="performance",
        trace_id=found,
        bars=bars,
        rows=rows,
        length=max((bar.start + bar.duration for bar in bars), default=0),
        is_cut=len(rows) == traces.MOST_OF_TRACE or len(spans) == traces.MOST_SPANS,
        about=_about(rows),
        files=_files(rows, place),
    )
    return render(request, "performance/trace.html", context)


# -- lists -------------------------------------------------------------------------------------------------


def _rows(found: list[Endpoint], place: Place, period: Period) -> list[Row]:
    projects = {project.pk: project for project in place.projects}
    minutes = period.long / timedelta(minutes=1)
    total = sum(one.total for one in found) or 1
    return [
        Row(
            endpoint=one,
            project=projects[one.project_id],
            per_minute=one.count / minutes,
            p50=one.percentile(0.5),
            p95=one.percentile(0.95),
            failure_rate=one.failed / one.count if one.count else 0,
            share=one.total / total,
        )
        for one in found
    ]


# -- one trace ---------------------------------------------------------------------------------------------


class _Node(NamedTuple):
    span_id: str
    parent_id: str
    op: str
    name: str
    service: str
    started: int  # µs since the epoch
    duration: int
    status: str
    details: list[Any]


def _waterfall(rows: list[traces.Row], spans: list[traces.SpanRow], names: dict[int, str]) -> list[Bar]:
    """Every span once, each below its parent, in the order of their beginning."""
    nodes: dict[str, _Node] = {}
    for node in _nodes(rows, spans, names):
        nodes.setdefault(node.span_id, node)
    if not nodes:
        return []
    children: dict[str, list[_Node]] = {}
    for node in nodes.values():
        parent = node.parent_id if node.parent_id in nodes and node.parent_id != node.span_id else ""
        children.setdefault(parent, []).append(node)
    begins = min(node.started for node in nodes.values())
    ends = max(node.started + node.duration for node in nodes.values())
    whole = max(ends - begins, 1)
    ordered: list[Bar] = []
    stack = [(node, 0) for node in _in_order(children.get("", []))]
    waiting = dict(nodes)
    while stack or waiting:
        # Those that are each other's parents hang on nothing: they come last, at the margin.
        node, depth = stack.pop() if stack else (next(iter(waiting.values())), 0)
        if waiting.pop(node.span_id, None):
            ordered.append(_bar(node, depth, begins, whole))
            stack += [(child, depth + 1) for child in _in_order(children.get(node.span_id, []))]
    return ordered


def _in_order(nodes: list[_Node]) -> list[_Node]:
    """The last first, as a stack wants them."""
    return sorted(nodes, key=lambda node: node.started)[::-1]


def _bar(node: _Node, depth: int, begins: int, whole: int) -> Bar:
    left = 1000 * (node.started - begins) / whole
    return Bar(
        indent=INDENT * min(depth, 16),
        op=node.op,
        name=node.name,
        service=node.service,
        start=node.started - begins,
        duration=node.duration,
        left=round(left, 2),
        wide=round(max(1000 * node.duration / whole, 2), 2),
        has_failed=node.status not in FINE,
        status=node.status,
        details=node.details,
    )


def _nodes(rows: list[traces.Row], spans: list[traces.SpanRow], names: dict[int, str]) -> list[_Node]:
    found = [
        _Node(
            span.span_id,
            span.parent_id,
            span.op,
            span.name,
            names[span.project_id],
            clock.to_micros(span.started),
            span.duration,
            span.status,
            pairs(span.attributes),
        )
        for span in spans
    ]
    for row in rows:
        service, began = names[row.project_id], clock.to_micros(row.started)
        found.append(
            _Node(row.span_id, row.parent_id, row.op, row.name, service, began, row.duration, row.status, [])
        )
        found += [
            _inner(inner, row, service, began) for inner in (unpacked(row.body).spans if row.body else ())
        ]
    return found


def _inner(told: dict[str, Any], row: traces.Row, service: str, began: int) -> _Node:
    return _Node(
        told["span_id"],
        told.get("parent_span_id", "") or row.span_id,
        told.get("op", ""),
        told.get("description", ""),
        service,
        began + told["start"],
        told["duration"],
        told.get("status", ""),
        pairs({**told.get("tags", {}), **told.get("data", {})}),
    )


class File(NamedTuple):
    """A profile or another file of a transaction."""

    project: str  # its short name
    event_id: str
    micros: int
    file: attachments.Listed


def _files(rows: list[traces.Row], place: Place) -> list[File]:
    slugs = {project.pk: project.slug for project in place.projects}
    return [
        File(slugs[row.project_id], row.event_id.hex, clock.to_micros(row.started), file)
        for row in rows[:MOST_WITH_FILES]
        for file in attachments.listed(row.project_id, row.event_id.hex, row.started)
    ]


def _about(rows: list[traces.Row]) -> list[tuple[str, list[Any]]]:
    """What the first transaction says beside its spans."""
    whole = next((row for row in rows if row.body), None)
    if whole is None or whole.body is None:
        return []
    told = unpacked(whole.body)
    data = told.data
    measured = {name: f"{one['value']:g} {one['unit']}".strip() for name, one in told.measurements.items()}
    parts = {
        "Measurements": measured,
        "Tags": data.get("tags", {}),
        "User": data.get("user", {}),
        "Request": data.get("request", {}),
        **{f"Context: {name}": each for name, each in data.get("contexts", {}).items() if name != "trace"},
    }
    return [(name, pairs(each)) for name, each in parts.items() if each]
