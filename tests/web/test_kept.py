"""Pages of what came beside events: files, feedback, logs, and the count of all of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from app.base import clock
from app.models import DsnKey, Feedback, Outcome
from tests.factories import OrganizationFactory, ProjectFactory
from tests.store.samples import fold
from tests.web import scene

Budget = Callable[[int], AbstractContextManager[Any]]
PNG = bytes.fromhex("89504e470d0a1a0a")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


# -- files -------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(shop: scene.Shop) -> Any:
    return scene.latest(shop.happened())


def files(shop: scene.Shop, event: Any) -> list[tuple[Any, bool]]:
    client = Client()
    client.force_login(shop.user)
    found: list[tuple[Any, bool]] = client.get("/acme/issues/SHOP-1/").context["files"]
    return found


def test_the_issue_shows_the_files_of_its_event_and_draws_images(
    shop: scene.Shop, ada: Client, broken: Any
) -> None:
    scene.attached(shop, broken, "screenshot.png", PNG, "image/png")
    scene.attached(shop, broken, "<b>df</b>.txt", b"100 %", "text/plain")
    page = text(ada, "/acme/issues/SHOP-1/")
    assert "2 files" in page
    assert "&lt;b&gt;df&lt;/b&gt;.txt" in page
    assert page.count('<img class="shot"') == 1


@pytest.mark.parametrize(
    ("name", "content_type", "shown"),
    [
        ("a.png", "image/png", "image/png"),
        ("a.txt", "text/plain", "text/plain; charset=utf-8"),
        ("game.log", "", "text/plain; charset=utf-8"),
        ("hierarchy.json", "application/json", "text/plain; charset=utf-8"),
        ("a.html", "text/html", None),
        ("a.svg", "image/svg+xml", None),
        ("a.dmp", "application/x-dmp", None),
        ("a.png", "text/html", None),
        ("a.js", "text/javascript", None),
    ],
)
def test_only_harmless_files_are_shown_and_never_as_what_could_run(  # noqa: PLR0917 fixtures
    shop: scene.Shop, ada: Client, broken: Any, name: str, content_type: str, shown: str | None
) -> None:
    scene.attached(shop, broken, name, b"<script>alert(1)</script>", content_type)
    ((file, _),) = files(shop, broken)
    path = f"/acme/issues/SHOP-1/events/{broken.event_id}/files/{file.id}/"
    answer = ada.get(f"{path}?show")
    assert answer["Content-Type"] == (shown or "application/octet-stream")
    assert answer["Content-Disposition"].startswith("inline" if shown else "attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    answer = ada.get(path)
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.content == b"<script>alert(1)</script>"


def test_a_file_of_another_event_is_not_there(shop: scene.Shop, ada: Client, broken: Any) -> None:
    scene.attached(shop, broken, "a.txt", b"x")
    ((file, _),) = files(shop, broken)
    other = scene.latest(shop.happened(fingerprint="other"))
    assert ada.get(f"/acme/issues/SHOP-2/events/{other.event_id}/files/{file.id}/").status_code == 404
    assert ada.get(f"/acme/issues/SHOP-1/events/{broken.event_id}/files/{file.id + 9}/").status_code == 404


# -- feedback ----------------------------------------------------------------------------------------------


def test_feedback_stands_beside_the_error_it_is_about(shop: scene.Shop, ada: Client, broken: Any) -> None:
    scene.said(shop, "I clicked <Pay>", broken.event_id)
    for path in ("/acme/feedback/", "/acme/issues/SHOP-1/"):
        page = text(ada, path)
        assert "I clicked &lt;Pay&gt;" in page
        assert "Grace Hopper" in page
    assert "SHOP-1" in text(ada, "/acme/feedback/")


def test_a_later_report_about_an_event_takes_the_place_of_the_earlier(shop: scene.Shop, broken: Any) -> None:
    scene.said(shop, "first", broken.event_id)
    Feedback.objects.update(resolved=clock.now())
    scene.said(shop, "second", broken.event_id)
    assert [(row.message, row.resolved) for row in Feedback.objects.all()] == [("second", None)]


def test_feedback_without_an_error_or_before_it_is_kept(shop: scene.Shop, ada: Client) -> None:
    scene.said(shop, "just so")
    scene.said(shop, "too early", "c" * 32)
    page = text(ada, "/acme/feedback/")
    assert "just so" in page
    assert "too early" in page


def test_what_is_dealt_with_is_out_of_the_way(shop: scene.Shop, ada: Client) -> None:
    scene.said(shop, "I cannot pay")
    path = f"/acme/feedback/{Feedback.objects.get().pk}/resolve/"
    assert ada.post(path, {"next": "/acme/feedback/?page=1"})["Location"] == "/acme/feedback/?page=1"
    assert "Nothing is waiting for you" in text(ada, "/acme/feedback/")
    assert "I cannot pay" in text(ada, "/acme/feedback/?status=resolved")
    assert ada.post(path, {"next": "https://evil.example/"})["Location"] == "/acme/feedback/"
    assert "I cannot pay" in text(ada, "/acme/feedback/")


def test_the_feedback_of_others_cannot_be_resolved(shop: scene.Shop, ada: Client) -> None:
    stranger = ProjectFactory.create(organization=OrganizationFactory.create(slug="other"))
    row = Feedback.objects.create(
        project=stranger, feedback_id="a" * 32, message="x", source="x", created=clock.now()
    )
    assert ada.post(f"/acme/feedback/{row.pk}/resolve/").status_code == 404


# -- logs --------------------------------------------------------------------------------------------------


def bodies(client: Client, query: str = "") -> list[str]:
    return [row.body for row, *_ in client.get(f"/acme/logs/?{query}").context["rows"]]


def test_logs_are_found_by_words_severity_trace_and_time(shop: scene.Shop, ada: Client) -> None:
    scene.logged(shop, "drawer open", 13, attributes={"till": "north"})
    scene.logged(shop, "card 100% refused", 17, trace_id=TRACE)
    old = clock.micros() - 3 * 86_400_000_000
    scene.logged(shop, "three days ago", timestamp=old)
    assert bodies(ada) == ["card 100% refused", "drawer open"]
    assert bodies(ada, "period=7d") == ["card 100% refused", "drawer open", "three days ago"]
    assert bodies(ada, "q=DRAWER") == ["drawer open"]
    assert bodies(ada, "q=0%25+r") == ["card 100% refused"]
    assert bodies(ada, "q=d_a") == []
    assert bodies(ada, "level=error") == ["card 100% refused"]
    assert bodies(ada, f"trace={TRACE}") == ["card 100% refused"]
    assert bodies(ada, "level=loud&period=ever&before=x&trace=z&project=shop") == bodies(ada)
    assert bodies(ada, "project=nothing") == []
    assert "north" in text(ada, "/acme/logs/")


def test_older_records_are_a_page_away(shop: scene.Shop, ada: Client) -> None:
    now = clock.micros()
    for number in range(103):
        scene.logged(shop, f"line {number}", timestamp=now - number)
    first = ada.get("/acme/logs/")
    second = bodies(ada, f"before={first.context['older']}")
    assert len(first.context["rows"]) == 100
    assert second == ["line 100", "line 101", "line 102"]


def test_the_logs_of_others_are_not_shown(shop: scene.Shop, ada: Client) -> None:
    stranger = ProjectFactory.create(organization=OrganizationFactory.create(slug="other"))
    scene.logged(scene.Shop(shop.user, stranger.organization, stranger, shop.key), "not yours")
    assert bodies(ada) == []
    assert bodies(ada, f"project={stranger.slug}") == []


# -- usage -------------------------------------------------------------------------------------------------


def test_usage_tells_what_came_and_what_became_of_it(shop: scene.Shop, ada: Client) -> None:
    def came(category: str, outcome: str, quantity: int, reason: str = "", **more: Any) -> None:
        row = {"project": shop.project, "key": shop.key, "hour": clock.now(), **more}
        Outcome.objects.create(category=category, outcome=outcome, quantity=quantity, reason=reason, **row)

    came("error", "accepted", 1200)
    came("error", "rate_limited", 30, "key_quota")
    came("replay", "filtered", 4, "unsupported")
    came("error", "accepted", 5000, hour=clock.now() - timedelta(days=3))
    context = ada.get("/acme/usage/").context
    assert [(line.name, line.numbers[:3], sum(line.bars)) for line in context["lines"]] == [
        ("Errors", [1200, 0, 30], 1200),
        ("Replays", [0, 4, 0], 0),
    ]
    assert context["reasons"] == [
        ("Errors", "Rate limited", "key quota", 30),
        ("Replays", "Filtered", "unsupported", 4),
    ]
    assert context["senders"] == [(shop.project, shop.key.label, 1200, 34)]
    week = ada.get("/acme/usage/?period=7d&project=shop").context["lines"]
    assert (week[0].numbers[0], week[0].bars) == (6200, [0, 0, 0, 5000, 0, 0, 1200])
    DsnKey.objects.all().delete()
    assert "a key that is deleted" in text(ada, "/acme/usage/")


def test_the_usage_of_others_is_not_counted(shop: scene.Shop, ada: Client) -> None:
    stranger = ProjectFactory.create(organization=OrganizationFactory.create(slug="other"))
    Outcome.objects.create(
        project=stranger, hour=clock.now(), category="error", outcome="accepted", quantity=7
    )
    assert "Nothing came in this time" in text(ada, "/acme/usage/")


# -- what it costs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "most"), [("feedback", 8), ("logs", 5), ("usage", 9)])
def test_each_page_costs_the_same_however_much_there_is(
    shop: scene.Shop, ada: Client, django_assert_max_num_queries: Budget, path: str, most: int
) -> None:
    for number in range(12):
        event = scene.latest(shop.happened(fingerprint=str(number)))
        scene.said(shop, f"message {number}", event.event_id)
        scene.logged(shop, f"line {number}")
    fold()
    with django_assert_max_num_queries(most):
        assert ada.get(f"/acme/{path}/").status_code == 200


@pytest.mark.parametrize("path", ["feedback", "logs", "usage"])
def test_an_empty_page_says_what_will_be_there(shop: scene.Shop, ada: Client, path: str) -> None:
    assert 'class="empty"' in text(ada, f"/acme/{path}/")
