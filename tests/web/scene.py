"""A small shop in trouble: rows as the pipeline would leave them, written through the store itself."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app import item
from app.base import clock
from app.base.json import encode
from app.base.zstandard import zstd
from app.event import Component, Counted, Event, Grouping, Level, Note, Variant
from app.item import Attachment, Item, Once
from app.models import DsnKey, Issue, Organization, Project, Role, Team, User
from app.store import durations, partitions, read, sessions, traces
from app.store.read import EventRow
from app.store.record import record
from tests.factories import (
    DsnKeyFactory,
    MembershipFactory,
    OrganizationFactory,
    ProjectFactory,
    UserFactory,
)
from tests.store.samples import fold

ERRORS = (
    ("KeyError", "'gross'", "shop.payments.stripe in charge"),
    (
        "IntegrityError",
        'duplicate key value violates unique constraint "orders_number"',
        "shop.orders.models in save",
    ),
    ("TypeError", "Cannot read properties of undefined (reading 'price')", "cart.tsx in CartLine"),
    ("TimeoutError", "SMTP server did not answer in 10 s", "shop.mail in send"),
    ("SoftTimeLimitExceeded", "build_invoice", "tasks.invoices in build"),
    ("ChunkLoadError", "Loading chunk 482 failed", "webpack/runtime in load"),
    ("OperationalError", "server closed the connection unexpectedly", "shop.reports in monthly"),
)


@dataclass
class Shop:
    """An organization with one person and one project, and what happened there."""

    user: User
    organization: Organization
    project: Project
    key: DsnKey

    def happened(self, **changes: Any) -> Issue:
        """Stores one event and gives the issue it went to."""
        event = an_event(self.project, self.key, **changes)
        stored = record([event])[0]
        fold()
        assert stored.issue_id is not None, stored
        return Issue.objects.select_related("project").get(pk=stored.issue_id)

    def happened_often(self, issues: int = 26) -> None:
        """Many issues, the newest first, some with several events."""
        events = []
        for number in range(issues):
            kind, value, culprit = ERRORS[number % len(ERRORS)]
            for repeat in range(1 + (number * 7) % 5):
                ago = timedelta(minutes=number * 13, hours=repeat * 3)
                level: Level = ("error", "warning", "fatal", "info")[number % 4]
                events.append(
                    an_event(
                        self.project,
                        self.key,
                        type=kind,
                        value=value,
                        culprit=culprit,
                        ago=ago,
                        level=level,
                        fingerprint=f"{kind}-{number}",
                        user=f"id:{repeat}",
                    )
                )
        record(events)
        fold()


def shop(role: str = Role.OWNER) -> Shop:
    partitions.rotate(clock.now().date())
    organization = OrganizationFactory.create(slug="acme", name="Acme")
    user = UserFactory.create(email="ada@example.com")
    MembershipFactory.create(organization=organization, user=user, role=role)
    project = ProjectFactory.create(
        organization=organization, slug="shop", name="Shop", platform="python-django"
    )
    return Shop(user, organization, project, DsnKeyFactory.create(project=project))


def team_of(organization: Organization, slug: str = "backend") -> Team:
    return Team.objects.create(organization=organization, slug=slug, name=slug.title())


def an_event(
    project: Project,
    key: DsnKey,
    *,
    type: str = "KeyError",  # noqa: A002
    value: str = "'gross'",
    culprit: str = "shop.payments.stripe in charge",
    fingerprint: str = "",
    ago: timedelta = timedelta(seconds=30),
    level: Level = "error",
    environment: str = "production",
    release: str = "shop@4.2.1",
    user: str = "id:7",
    data: dict[str, Any] | None = None,
    notes: list[Note] | None = None,
    tags: dict[str, str] | None = None,
    platform: str = "python",
) -> Event:
    at = clock.to_micros(clock.now() - ago)
    digest = hashlib.md5((fingerprint or f"{type}{culprit}").encode(), usedforsecurity=False).hexdigest()
    event_id = uuid.uuid4().hex
    whole = data if data is not None else payload(type, value, at)
    return Event(
        project_id=project.pk,
        key_id=key.pk,
        event_id=event_id,
        kind="error",
        received=at,
        timestamp=at,
        level=level,
        platform=platform,
        title=f"{type}: {value}" if value else type,
        culprit=culprit,
        metadata={"type": type, "value": value},
        environment=environment,
        release=release,
        transaction="/checkout/",
        tags={"environment": environment, "release": release, "level": level, "browser": "Chrome 141"}
        | (tags or {}),
        user=user,
        data={"event_id": event_id, "platform": platform, "level": level} | whole,
        notes=notes or [],
        grouping=grouping(digest),
    )


def grouping(digest: str) -> Grouping:
    tree = Component(
        "exception",
        True,
        [
            Component("type", True, ["KeyError"]),
            Component(
                "stacktrace",
                True,
                [
                    Component("frame", True, ["shop.payments.stripe", "charge"]),
                    Component("frame", False, ["django.core.handlers.base"], hint="not in app"),
                ],
            ),
            Component("value", False, ["'gross'"], hint="the stack counts instead"),
        ],
    )
    return Grouping(
        "2026-11",
        [digest],
        [
            Variant("app", digest, tree),
            Variant("system", hashlib.md5(digest.encode(), usedforsecurity=False).hexdigest()),
        ],
        ["{{ default }}"],
    )


def frame(function: str, filename: str, line: int, in_app: bool = True, **more: Any) -> dict[str, Any]:
    module = filename.removesuffix(".py").replace("/", ".")
    return {
        "function": function,
        "filename": filename,
        "module": module,
        "lineno": line,
        "in_app": in_app,
        **more,
    }


def charge_frame() -> dict[str, Any]:
    return frame(
        "charge",
        "shop/payments/stripe.py",
        88,
        pre_context=[
            "def charge(order: Order) -> Receipt:",
            '    """Takes the money."""',
            "    card = order.customer.card",
        ],
        context_line='    amount = order.totals["gross"] * 100',
        post_context=["    return gateway.charge(card.token, amount)  # cents", "", ""],
        vars={
            "order": "<Order 81723 state='paid'>",
            "card": "[Filtered]",
            "totals": {"net": "12.00", "tax": "2.40"},
        },
    )


def payload(kind: str, value: str, at: int) -> dict[str, Any]:
    """An event's data with a bit of everything a page shows."""
    moment = clock.from_micros(at)
    times = [f"{moment - timedelta(seconds=ago):%Y-%m-%dT%H:%M:%S.%fZ}" for ago in (4, 2, 1)]
    django = [
        frame(
            "get_response",
            "django/core/handlers/base.py",
            197,
            in_app=False,
            context_line="response = wrapped()",
        ),
        frame("inner", "django/core/handlers/exception.py", 55, in_app=False),
        frame("__call__", "gunicorn/workers/sync.py", 177, in_app=False),
    ]
    checkout = frame(
        "checkout",
        "shop/views/cart.py",
        142,
        pre_context=["def checkout(request):"],
        context_line="    receipt = charge(cart.order())",
        post_context=["    return redirect(receipt)"],
    )
    return {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        "exception": {
            "values": [
                {
                    "type": "LookupError",
                    "value": "no total",
                    "module": "shop.totals",
                    "stacktrace": {
                        "frames": [
                            frame("total", "shop/totals.py", 12, context_line="raise LookupError('no total')")
                        ]
                    },
                },
                {
                    "type": kind,
                    "value": value,
                    "mechanism": {"type": "django", "handled": False},
                    "stacktrace": {"frames": [*django, checkout, charge_frame()]},
                },
            ]
        },
        "breadcrumbs": {
            "values": [
                {
                    "timestamp": times[0],
                    "type": "default",
                    "category": "query",
                    "level": "info",
                    "message": "SELECT … FROM orders WHERE id = 81723",
                },
                {
                    "timestamp": times[1],
                    "type": "http",
                    "category": "httplib",
                    "level": "info",
                    "data": {
                        "method": "GET",
                        "url": "https://api.stripe.com/v1/customers",
                        "status_code": 200,
                    },
                },
                {
                    "timestamp": times[2],
                    "category": "shop.payments",
                    "level": "warning",
                    "message": "order has no gross total",
                },
            ]
        },
        "request": {
            "url": "https://shop.example/checkout/",
            "method": "POST",
            "query_string": [["step", "2"]],
            "headers": [["User-Agent", "Mozilla/5.0"], ["Content-Type", "application/json"]],
            "cookies": [["theme", "dark"], ["sessionid", "[Filtered]"]],
            "data": {"order": 81723},
            "env": {"SERVER_NAME": "web-3"},
        },
        "user": {"id": "7", "email": "ada@example.com", "ip_address": "203.0.113.7"},
        "contexts": {
            "browser": {"type": "browser", "name": "Chrome", "version": "141"},
            "runtime": {"type": "runtime", "name": "CPython", "version": "3.13.1"},
            "trace": {"type": "trace", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        },
        "extra": {"cart": ["socks", "hat"], "attempt": 2},
        "modules": {"django": "5.2", "stripe": "11.0"},
        "sdk": {"name": "sentry.python.django", "version": "2.75.0"},
    }


def latest(issue: Issue) -> EventRow:
    event = read.latest(issue)
    assert event is not None
    return event


def attached(shop: Shop, event: EventRow, name: str, content: bytes, content_type: str = "") -> None:
    """A file of an event, as the worker writes it."""
    keep(
        Attachment(
            project_id=shop.project.pk, received=clock.to_micros(event.received), event_id=event.event_id,
            name=name, content_type=content_type, kind="event.attachment", content=content,
        )
    )  # fmt: skip


def said(shop: Shop, message: str, event_id: str = "", **more: Any) -> None:
    """What a person said, about an event or just so."""
    given = {"name": "Grace Hopper", "email": "grace@example.com", "url": "", "environment": "production"}
    keep(
        item.Feedback(
            project_id=shop.project.pk, received=clock.micros(), feedback_id=event_id or uuid.uuid4().hex,
            event_id=event_id, message=message, source="widget", **(given | more),
        )
    )  # fmt: skip


def logged(shop: Shop, body: str, severity: int = 9, **more: Any) -> None:
    given: dict[str, Any] = {"timestamp": clock.micros(), "trace_id": "", "attributes": {}}
    keep(
        item.Log(
            project_id=shop.project.pk, received=clock.micros(), span_id="", severity=severity, body=body,
            environment="production", release="shop@1", **(given | more),
        )
    )  # fmt: skip


def used(shop: Shop, release: str, counts: Any = (5, 0, 0, 0, 0), days: int = 0, **more: Any) -> None:
    """Sessions that a server counted, as the page shows them."""
    at = clock.micros() - days * 86_400_000_000
    given: dict[str, Any] = {"user": f"user {days}", "environment": "production"}
    keep(
        item.Sessions(
            project_id=shop.project.pk, received=at, started=at, release=release, counts=counts,
            **(given | more),
        )
    )  # fmt: skip
    sessions.fold()


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def served(shop: Shop, name: str = "/pay", duration: int = 250_000, **more: Any) -> None:
    """A transaction with two spans, one inside the other, and a streamed one."""
    at = more.pop("started", clock.micros() - 5_000_000)
    inner = [
        {"span_id": "b" * 16, "parent_span_id": "a" * 16, "op": "http.client", "description": "GET /rates",
         "start": duration // 10, "duration": duration // 2, "status": "ok", "data": {"retries": 2}},
        {"span_id": "c" * 16, "parent_span_id": "b" * 16, "op": "db", "description": "select 1",
         "start": duration // 5, "duration": duration // 4, "status": "internal_error"},
    ]  # fmt: skip
    data = {"user": {"id": "7"}, "contexts": {"os": {"name": "Linux"}}}
    body = zstd.compress(encode(item.Told(data, inner, {"lcp": {"value": 1, "unit": ""}})))
    given: dict[str, Any] = {
        "trace_id": TRACE, "span_id": "a" * 16, "parent_id": "", "op": "http.server", "status": "ok",
        "environment": "production", "release": "shop@1",
    }  # fmt: skip
    keep(
        item.Transaction(
            project_id=shop.project.pk, received=clock.micros(), event_id=uuid.uuid4().hex, name=name,
            started=at, duration=duration, spans=2, body=body, **(given | more),
        )
    )  # fmt: skip
    streamed = given | {"span_id": "d" * 16, "parent_id": "a" * 16, "op": "queue.publish"} | more
    keep(
        item.Span(
            project_id=shop.project.pk, received=clock.micros(), name="orders", started=at + 100,
            duration=duration // 9, is_segment=False, attributes={"partition": 3}, **streamed,
        )
    )  # fmt: skip
    durations.fold()


def profiled(shop: Shop) -> None:
    """A profile of the latest transaction."""
    (row, *_), _ = traces.of_trace([shop.project.pk], TRACE)
    keep(
        Attachment(
            project_id=shop.project.pk, received=clock.micros(), event_id=row.event_id.hex,
            name="profile.json", content_type="application/json", kind="profile", content=b'{"version":"1"}',
        )
    )  # fmt: skip


def ran(shop: Shop, slug: str, status: Any = "ok", hours: float = 0, **more: Any) -> None:
    """A run of a job, as the page shows it."""
    at = clock.micros() - round(hours * 3_600_000_000)
    given: dict[str, Any] = {
        "duration": 1500,
        "environment": "production",
        "trace_id": TRACE,
        "schedule": None,
    }
    keep(
        item.CheckIn(
            project_id=shop.project.pk, received=at, check_in_id=uuid.uuid4().hex, slug=slug, status=status,
            release="shop@1", **(given | more),
        )
    )  # fmt: skip


def keep(one: Item) -> None:
    count = Counted(one.project_id, 0, "default", "filtered", "scene", one.received, 1)
    record([], onces=[Once(uuid.uuid4().hex, [count], [one])])
