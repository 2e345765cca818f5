"""Issues like one, and why two of them are apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from app.grouping import group
from app.models import Issue, ProjectTeam, Role
from app.store import similar
from app.store.record import record
from tests.factories import DsnKeyFactory, IssueFactory, MembershipFactory, ProjectFactory
from tests.store.samples import fold
from tests.web import scene

Budget = Callable[..., Any]
NAMES = ("wsgi", "view", "cart", "order", "total", "tax")


def happened(shop: scene.Shop, *names: str, kind: str = "KeyError", **more: Any) -> Issue:
    """An issue grouped as the pipeline does, and compared."""
    django = scene.frame("get_response", "django/core/handlers/base.py", 197, in_app=False)
    frames = [django, *(scene.frame(name, f"shop/{name}.py", 7) for name in names)]
    one = {"type": kind, "value": "no such rate", "stacktrace": {"frames": frames}}
    event = scene.an_event(shop.project, shop.key, type=kind, data={"exception": {"values": [one]}}, **more)
    event.grouping = group(event)
    stored = record([event])[0]
    fold()
    assert stored.issue_id is not None
    similar.update([stored.issue_id])
    return Issue.objects.select_related("project").get(pk=stored.issue_id)


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("<code>", "`").replace("</code>", "`").split())


@pytest.fixture
def pair(shop: scene.Shop) -> tuple[Issue, Issue]:
    return happened(shop, *NAMES, "charge"), happened(shop, *NAMES, "refund")


def test_the_list_tells_how_alike_and_leads_to_the_issue_and_to_the_comparison(
    pair: tuple[Issue, Issue], ada: Client
) -> None:
    one, other = pair
    Issue.objects.filter(pk=other.pk).update(status="resolved", events=1234)
    page = text_of(ada.get(f"/acme/issues/{one.short_id}/similar/"))
    assert f'href="/acme/issues/{other.short_id}/"' in page
    assert f'href="/acme/issues/{one.short_id}/compare/{other.short_id}/"' in page
    assert "very similar" in page or "nearly the same" in page
    assert "Resolved" in page
    assert "1.2k" in page


def test_it_says_when_there_is_none_and_when_it_is_not_yet_known(shop: scene.Shop, ada: Client) -> None:
    lone = happened(shop, *NAMES)
    assert "No other issue of Shop is like it" in text_of(ada.get(f"/acme/issues/{lone.short_id}/similar/"))
    fresh = shop.happened()
    assert "has not been compared yet" in text_of(ada.get(f"/acme/issues/{fresh.short_id}/similar/"))


def test_the_issue_s_page_links_the_list_and_costs_no_query_for_it(
    pair: tuple[Issue, Issue], ada: Client, django_assert_max_num_queries: Budget
) -> None:
    path = f"/acme/issues/{pair[0].short_id}/"
    page = text_of(ada.get(path))
    assert f'hx-get="{path}similar/"' in page
    assert f'href="{path}similar/"' in page
    with django_assert_max_num_queries(14):
        ada.get(path)


def test_both_pages_cost_few_queries(
    pair: tuple[Issue, Issue], shop: scene.Shop, ada: Client, django_assert_max_num_queries: Budget
) -> None:
    one, other = pair
    for number in range(8):
        happened(shop, *NAMES, f"f{number}")
    for path in (f"{one.short_id}/similar/", f"{one.short_id}/compare/{other.short_id}/"):
        ada.get(f"/acme/issues/{path}")
        with django_assert_max_num_queries(9):
            ada.get(f"/acme/issues/{path}")


def test_two_issues_are_told_apart_in_a_sentence_and_side_by_side(
    pair: tuple[Issue, Issue], ada: Client
) -> None:
    one, other = pair
    page = text_of(ada.get(f"/acme/issues/{one.short_id}/compare/{other.short_id}/"))
    assert (
        "They differ in 1 of 7 frames that count: `charge` is only in the first, "
        "`refund` is only in the second." in page
    )
    assert page.count('<li class="same">') == 7
    assert page.count('<li class="differs">') == 1
    assert page.count("1 part that does not count") == 2  # the framework's frame and the message
    assert page.count("Grouped by the type") == 2


def test_nothing_of_an_event_can_become_html(shop: scene.Shop, ada: Client) -> None:
    evil = "<script>alert(1)</script>"
    one, other = happened(shop, *NAMES, evil), happened(shop, *NAMES, kind=evil)
    for path in (f"{one.short_id}/similar/", f"{one.short_id}/compare/{other.short_id}/"):
        page = ada.get(f"/acme/issues/{path}").content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_issues_of_two_projects_are_compared_and_never_called_similar(
    pair: tuple[Issue, Issue], shop: scene.Shop, ada: Client
) -> None:
    project = ProjectFactory.create(organization=shop.organization, slug="till", name="Till")
    till = scene.Shop(shop.user, shop.organization, project, DsnKeyFactory.create(project=project))
    one, other = pair[0], happened(till, *NAMES, "charge")
    page = text_of(ada.get(f"/acme/issues/{one.short_id}/compare/{other.short_id}/"))
    assert "They are in different projects, and an issue is always in one." in page
    assert "Nothing that counts differs" in page
    assert other.short_id not in text_of(ada.get(f"/acme/issues/{one.short_id}/similar/"))


def test_an_issue_is_not_compared_with_one_that_is_not_seen(
    pair: tuple[Issue, Issue], shop: scene.Shop, client: Client
) -> None:
    secret = ProjectFactory.create(organization=shop.organization, slug="secret")
    ProjectTeam.objects.create(project=secret, team=scene.team_of(shop.organization))
    hidden = IssueFactory.create(project=secret)
    client.force_login(MembershipFactory.create(organization=shop.organization, role=Role.MEMBER).user)
    one, other = pair
    assert client.get(f"/acme/issues/{one.short_id}/compare/{other.short_id}/").status_code == 200
    for path in (f"{one.short_id}/compare/{hidden.short_id}", f"{hidden.short_id}/compare/{one.short_id}"):
        assert client.get(f"/acme/issues/{path}/").status_code == 404


def test_an_issue_is_not_compared_with_itself(pair: tuple[Issue, Issue], ada: Client) -> None:
    short_id = pair[0].short_id
    answer = ada.get(f"/acme/issues/{short_id}/compare/{short_id.lower()}/")
    assert answer["Location"] == f"/acme/issues/{short_id}/"


def test_an_issue_whose_events_are_gone_is_said_to_have_none(
    pair: tuple[Issue, Issue], shop: scene.Shop, ada: Client
) -> None:
    gone = IssueFactory.create(project=shop.project, number=900)
    page = text_of(ada.get(f"/acme/issues/{pair[0].short_id}/compare/{gone.short_id}/"))
    assert f"No event of {gone.short_id} is kept that says how it was grouped." in page
    assert "none is kept" in page
