from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from app.base import clock
from app.models import Environment, Issue, ProjectTeam
from app.web.issues import listing
from tests.factories import IssueFactory, MembershipFactory, ProjectFactory
from tests.web import scene

Budget = Callable[..., Any]


def titles(answer: Any) -> list[str]:
    return [issue.title for issue, _ in answer.context["rows"]]


def test_the_list_costs_at_most_eight_queries(
    shop: scene.Shop, ada: Client, django_assert_max_num_queries: Budget
) -> None:
    shop.happened_often(60)
    ada.get("/acme/issues/")
    with django_assert_max_num_queries(8):
        page = ada.get("/acme/issues/?environment=production&q=e")
    assert page.context["page"].after


def test_each_tab_shows_its_state_only(shop: scene.Shop, ada: Client) -> None:
    for status in ("unresolved", "resolved", "archived"):
        IssueFactory.create(project=shop.project, status=status, title=status)
    assert titles(ada.get("/acme/issues/")) == ["unresolved"]
    assert titles(ada.get("/acme/issues/?status=resolved")) == ["resolved"]
    assert titles(ada.get("/acme/issues/?status=archived")) == ["archived"]
    assert len(titles(ada.get("/acme/issues/?status=all"))) == 3


def test_every_word_of_a_search_must_be_in_title_or_culprit(shop: scene.Shop, ada: Client) -> None:
    IssueFactory.create(project=shop.project, title="KeyError: 'gross'", culprit="shop.pay in charge")
    IssueFactory.create(project=shop.project, title="KeyError: 'net'", culprit="shop.cart in total")
    assert titles(ada.get("/acme/issues/?q=keyerror+CHARGE")) == ["KeyError: 'gross'"]
    assert titles(ada.get("/acme/issues/?q=%25")) == []


@pytest.mark.parametrize("sort", listing.SORTS)
def test_each_order_puts_the_largest_first(sort: str, shop: scene.Shop, ada: Client) -> None:
    now = clock.now()
    for number in (2, 1, 3):
        values = {
            "last_seen": now - timedelta(hours=9),
            "first_seen": now - timedelta(days=9),
            "events": 5,
            "users": 5,
        }
        values[sort] = number if isinstance(values[sort], int) else now - timedelta(hours=5 - number)
        IssueFactory.create(project=shop.project, title=str(number), **values)
    assert titles(ada.get(f"/acme/issues/?sort={sort}")) == ["3", "2", "1"]


@pytest.mark.parametrize("sort", listing.SORTS)
def test_pages_show_every_issue_once_forward_and_back(
    sort: str, shop: scene.Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = clock.now()
    for number in range(11):
        last_seen = same if number % 3 else same - timedelta(minutes=number)
        IssueFactory.create(
            project=shop.project,
            last_seen=last_seen,
            first_seen=last_seen,
            events=number // 4,
            users=number // 3,
        )
    forward, asked = [], listing.Asked(sort=sort)
    pages = []
    while True:
        page = listing.page(Issue.objects.all(), asked, size=3)
        pages.append([issue.pk for issue in page.issues])
        forward += pages[-1]
        if not page.after:
            break
        asked = listing.Asked(sort=sort, after=page.after)
    assert len(forward) == len(set(forward)) == 11
    assert forward == [i.pk for i in Issue.objects.order_by(f"-{sort}", "-pk")]
    back = listing.page(Issue.objects.all(), listing.Asked(sort=sort, before=page.before), size=3)
    assert [issue.pk for issue in back.issues] == pages[-2]
    assert back.after
    first = listing.page(Issue.objects.all(), listing.Asked(sort=sort), size=3)
    assert first.before == ""


def test_a_new_event_does_not_shift_rows_to_the_next_page(shop: scene.Shop) -> None:
    for number in range(6):
        IssueFactory.create(project=shop.project, last_seen=clock.now() - timedelta(minutes=10 + number))
    first = listing.page(Issue.objects.all(), listing.Asked(), size=3)
    Issue.objects.filter(pk=first.issues[2].pk).update(last_seen=clock.now())
    second = listing.page(Issue.objects.all(), listing.Asked(after=first.after), size=3)
    assert not {issue.pk for issue in first.issues} & {issue.pk for issue in second.issues}


@pytest.mark.parametrize(
    "query",
    [
        "sort=nonsense&status=nonsense&after=x~y&before=~", "after=99999999999999999999999~1",
        "after=1~99999999999999999999",
        "sort=events&after=9999999999999999999999~5", "q=%00&project=%00&environment=%00", "q=" + "x" * 5000,
        "after=٣~٣", "sort=users&before=²~1",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_still_shows_a_list(query: str, shop: scene.Shop, ada: Client) -> None:
    IssueFactory.create(project=shop.project)
    assert ada.get(f"/acme/issues/?{query}").status_code == 200


def test_the_environment_narrows_the_list(shop: scene.Shop, ada: Client) -> None:
    shop.happened(type="A", fingerprint="a", environment="staging")
    shop.happened(type="B", fingerprint="b", environment="production")
    page = ada.get("/acme/issues/?environment=staging")
    assert titles(page) == ["A: 'gross'"]
    assert page.context["environments"] == ["production", "staging"]
    Environment.objects.filter(name="production").update(is_hidden=True)
    assert ada.get("/acme/issues/").context["environments"] == ["staging"]


def test_a_project_narrows_the_list_and_a_foreign_one_shows_nothing(shop: scene.Shop, ada: Client) -> None:
    other = ProjectFactory.create(organization=shop.organization, slug="blog")
    foreign = ProjectFactory.create(slug="foreign")
    IssueFactory.create(project=shop.project, title="shop")
    IssueFactory.create(project=other, title="blog")
    IssueFactory.create(project=foreign, title="foreign")
    assert titles(ada.get("/acme/issues/?project=blog")) == ["blog"]
    assert titles(ada.get("/acme/issues/?project=foreign")) == []
    assert sorted(titles(ada.get("/acme/issues/"))) == ["blog", "shop"]


def test_issues_of_another_teams_project_are_not_listed(shop: scene.Shop, client: Client) -> None:
    ProjectTeam.objects.create(project=shop.project, team=scene.team_of(shop.organization))
    IssueFactory.create(project=shop.project)
    client.force_login(MembershipFactory.create(organization=shop.organization).user)
    assert titles(client.get("/acme/issues/")) == []


def test_a_sparkline_has_a_bar_per_hour_and_says_its_total(shop: scene.Shop, ada: Client) -> None:
    shop.happened()
    shop.happened(ago=timedelta(hours=5))
    page = ada.get("/acme/issues/").content.decode()
    [line] = re.findall(r'<svg class="spark".*?</svg>', page)
    assert line.count("<rect") == 24
    assert 'aria-label="2 events in the last 24 hours, at most 1 in one"' in page


def test_times_are_relative_with_the_exact_one_in_the_viewers_zone(shop: scene.Shop, ada: Client) -> None:
    shop.user.timezone = "Asia/Kolkata"
    shop.user.save()
    shop.happened(ago=timedelta(minutes=3, seconds=5))
    page = ada.get("/acme/issues/").content.decode()
    assert re.search(r'<time datetime="[^"]+" title="[^"]+ IST">3m</time>', page)


def test_counts_are_compact_and_exact_on_hover(shop: scene.Shop, ada: Client) -> None:
    IssueFactory.create(project=shop.project, events=42_612, users=999_950)
    page = ada.get("/acme/issues/").content.decode()
    assert '<span title="42,612 events">42.6k</span>' in page
    assert '<span title="999,950 users">1m</span>' in page


def test_states_are_told_in_words(shop: scene.Shop, ada: Client) -> None:
    for substatus in ("new", "regressed", "escalating", "ongoing"):
        IssueFactory.create(project=shop.project, substatus=substatus)
    page = ada.get("/acme/issues/").content.decode()
    assert [page.count(f">{word}</span>") for word in ("New", "Regressed", "Escalating", "Ongoing")] == [
        1,
        1,
        1,
        0,
    ]


def test_bulk_moves_and_undo_restores_exactly(shop: scene.Shop, ada: Client) -> None:
    states = [("unresolved", "regressed"), ("archived", "ongoing"), ("resolved", "ongoing")]
    made = [IssueFactory.create(project=shop.project, status=s, substatus=sub) for s, sub in states]
    answer = ada.post("/acme/issues/bulk/", {"id": [i.pk for i in made], "to": "resolved"}, follow=True)
    assert set(Issue.objects.values_list("status", flat=True)) == {"resolved"}
    assert b"2 issues resolved" in answer.content
    [back] = re.findall(r'name="back" value="([^"]+)"', answer.content.decode())
    answer = ada.post("/acme/issues/undo/", {"back": back}, follow=True)
    assert b"Undone for 2 issues" in answer.content
    assert [(i.status, i.substatus) for i in Issue.objects.order_by("pk")] == states


def test_all_that_match_are_moved_not_only_the_page(shop: scene.Shop, ada: Client) -> None:
    for number in range(listing.PAGE + 7):
        IssueFactory.create(project=shop.project, title=f"KeyError {number}")
    IssueFactory.create(project=shop.project, title="something else")
    IssueFactory.create(title="KeyError of somebody else")
    path = "/acme/issues/?q=keyerror"
    assert f"all {listing.PAGE + 7} that match" in ada.get(path).content.decode()
    some = Issue.objects.filter(title="KeyError 3").values_list("pk", flat=True)
    answer = ada.post(
        "/acme/issues/bulk/",
        {"id": list(some), "matching": "on", "to": "archived", "next": path},
        follow=True,
    )
    assert f"{listing.PAGE + 7} issues archived" in answer.content.decode()
    assert set(Issue.objects.exclude(status="archived").values_list("title", flat=True)) == {
        "something else",
        "KeyError of somebody else",
    }
    [back] = re.findall(r'name="back" value="([^"]+)"', answer.content.decode())
    ada.post("/acme/issues/undo/", {"back": back})
    assert not Issue.objects.filter(status="archived").exists()


def test_undo_leaves_alone_what_others_changed_since(shop: scene.Shop, ada: Client) -> None:
    one, two = (IssueFactory.create(project=shop.project) for _ in range(2))
    page = ada.post("/acme/issues/bulk/", {"id": [one.pk, two.pk], "to": "resolved"}, follow=True)
    ada.post("/acme/issues/bulk/", {"id": [two.pk], "to": "archived"})
    [back] = re.findall(r'name="back" value="([^"]+)"', page.content.decode())
    answer = ada.post("/acme/issues/undo/", {"back": back}, follow=True)
    assert b"Undone for 1 issue; 1 changed meanwhile" in answer.content
    assert [i.status for i in Issue.objects.order_by("pk")] == ["unresolved", "archived"]


def test_a_forged_or_foreign_undo_changes_nothing(shop: scene.Shop, ada: Client, client: Client) -> None:
    issue = IssueFactory.create(project=shop.project)
    page = ada.post("/acme/issues/bulk/", {"id": [issue.pk], "to": "resolved"}, follow=True)
    [back] = re.findall(r'name="back" value="([^"]+)"', page.content.decode())
    other = Client()
    other.force_login(MembershipFactory.create(organization=shop.organization).user)
    for sender, text in ((ada, back[:-2] + "xx"), (ada, ""), (other, back)):
        assert (
            b"can no longer be undone"
            in sender.post("/acme/issues/undo/", {"back": text}, follow=True).content
        )
    issue.refresh_from_db()
    assert issue.status == "resolved"


def test_an_unknown_state_is_a_clear_refusal(shop: scene.Shop, ada: Client) -> None:
    answer = ada.post("/acme/issues/bulk/", {"to": "exploded"})
    assert answer.status_code == 400
    assert b"resolved, unresolved, archived or merged" in answer.content


def test_odd_numbers_in_a_form_are_passed_over(shop: scene.Shop, ada: Client) -> None:
    issue = IssueFactory.create(project=shop.project)
    ids = [str(issue.pk), "x", "-1", "9" * 30, "²", ""]
    assert ada.post("/acme/issues/bulk/", {"id": ids, "to": "archived"}).status_code == 302
    issue.refresh_from_db()
    assert issue.status == "archived"


def test_an_empty_list_says_what_to_do_next(shop: scene.Shop, ada: Client) -> None:
    page = ada.get("/acme/issues/").content.decode()
    assert "Waiting for your first event" in page
    assert shop.key.public_key in page
    IssueFactory.create(project=shop.project, status="resolved")
    assert b"Nothing is broken" in ada.get("/acme/issues/").content
    assert b"Clear the filters" in ada.get("/acme/issues/?q=zzz").content
    shop.project.delete()
    assert b"Create a project" in ada.get("/acme/issues/").content


def test_nothing_of_an_event_can_become_html(shop: scene.Shop, ada: Client) -> None:
    shop.happened(type="<script>alert(1)</script>", value='"><img src=x>', culprit="<b>x</b>")
    page = ada.get("/acme/issues/").content
    assert b"<script>alert" not in page
    assert b"<img src=x" not in page
    assert b"<b>x</b>" not in page
