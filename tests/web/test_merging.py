"""Merging, splitting and discarding from the pages, and what old addresses lead to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from app.base import clock
from app.models import Issue, IssueHash, IssueMove, Tombstone
from app.store import discard, moves, similar
from app.store.merge import merge
from app.store.record import record
from tests.factories import IssueFactory, MembershipFactory, ProjectFactory
from tests.store.samples import fold
from tests.web import scene


def finish() -> None:
    move = IssueMove.objects.filter(state="open").order_by("pk").first()
    while move is not None:
        move = moves.advance(move.pk, 0)


def undo(ada: Client, page: Any) -> str:
    [back] = re.findall(r'name="back" value="([^"]+)"', page.content.decode())
    return ada.post("/acme/issues/undo/", {"back": back}, follow=True).content.decode()


@pytest.fixture
def two(shop: scene.Shop) -> tuple[Issue, Issue]:
    """A smaller and a larger one."""
    small = shop.happened(fingerprint="small", value="small")
    for _ in range(2):
        large = shop.happened(fingerprint="large", value="large")
    return small, large


def merged(two: tuple[Issue, Issue]) -> tuple[Issue, Issue]:
    small, large = two
    merge([small.pk, large.pk], None, None, "user:1:m")
    finish()
    return small, large


def test_the_ticked_ones_are_merged_into_the_largest_and_undo_brings_them_back(
    two: tuple[Issue, Issue], ada: Client
) -> None:
    small, large = two
    page = ada.post("/acme/issues/bulk/", {"id": [small.pk, large.pk], "to": "merged"}, follow=True)
    assert f"2 issues merged into {large.short_id}" in page.content.decode()
    assert [issue for issue, _ in page.context["rows"]] == [large]
    finish()
    assert Issue.objects.get(pk=large.pk).events == 3
    assert "on their way back" in undo(ada, page)
    finish()
    assert list(Issue.objects.order_by("pk").values_list("events", "status")) == [
        (1, "unresolved"),
        (2, "unresolved"),
    ]
    assert "can no longer be undone. Nothing of this merge is left" in undo(ada, page)


def test_one_alone_and_those_of_two_projects_are_refused_in_words(
    two: tuple[Issue, Issue], shop: scene.Shop, ada: Client
) -> None:
    small, _ = two
    other = IssueFactory.create(project=ProjectFactory.create(organization=shop.organization, slug="blog"))
    for ids, said in (([small.pk], "takes two"), ([small.pk, other.pk], "different projects")):
        page = ada.post("/acme/issues/bulk/", {"id": ids, "to": "merged"}, follow=True)
        assert said in page.content.decode()
    assert not IssueMove.objects.exists()


def test_a_merged_issue_is_in_no_list_and_in_no_bulk_action(two: tuple[Issue, Issue], ada: Client) -> None:
    small, large = merged(two)
    for status in ("unresolved", "all"):
        page = ada.get(f"/acme/issues/?status={status}")
        assert [issue.pk for issue, _ in page.context["rows"]] == [large.pk]
    assert "Merged" not in {label for _, label in page.context["tabs"]}
    page = ada.post("/acme/issues/bulk/", {"id": [small.pk], "to": "archived"}, follow=True)
    assert b"Nothing to change" in page.content


def test_all_addresses_of_a_merged_issue_lead_to_the_survivor(two: tuple[Issue, Issue], ada: Client) -> None:
    event = scene.latest(two[0])
    small, large = merged(two)
    old, new = f"/acme/issues/{small.short_id}", f"/acme/issues/{large.short_id}"
    for path in (
        "/", ".md", "/merge/", "/events/oldest/", f"/events/{event.event_id}/",
        f"/events/{event.event_id}/json/", f"/events/{event.event_id}/files/1/", "/?view=raw",
    ):  # fmt: skip
        answer = ada.get(old + path)
        assert (answer.status_code, answer["Location"]) == (302, new + path)
    assert ada.get(f"/{small.short_id}", follow=True).redirect_chain[-1][0] == f"{new}/"
    assert ada.get(f"{new}/events/{event.event_id}/").status_code == 200


def test_an_event_that_is_still_on_its_way_is_shown_with_the_survivor(
    two: tuple[Issue, Issue], ada: Client
) -> None:
    small, large = two
    event = scene.latest(small)
    merge([small.pk, large.pk], None, None, "user:1:m")
    page = ada.get(f"/acme/issues/{large.short_id}/events/{event.event_id}/").content.decode()
    assert "Being merged: 0 of about 1 events so far" in page
    finish()
    assert "Being merged" not in ada.get(f"/acme/issues/{large.short_id}/").content.decode()


def test_the_survivor_tells_what_happened_to_both(two: tuple[Issue, Issue], ada: Client) -> None:
    small, large = merged(two)
    page = ada.get(f"/acme/issues/{large.short_id}/").content.decode()
    assert f"merged in {small.short_id}" in page
    assert page.count("First seen <span") == page.count("First seen</span>") == 1


def test_on_its_page_one_chooses_which_stays(two: tuple[Issue, Issue], ada: Client) -> None:
    small, large = two
    similar.update([small.pk, large.pk])
    path = f"/acme/issues/{large.short_id}/merge/"
    assert small.title in ada.get(path).content.decode(), "it is offered, being similar"
    answer = ada.post(path, {"other": small.short_id.lower(), "keep": "other"})
    assert answer["Location"] == f"/acme/issues/{small.short_id}/"
    finish()
    assert Issue.objects.get(pk=small.pk).events == 3


@pytest.mark.parametrize(
    ("other", "said"),
    [("", "takes two"), ("nonsense", "no issue&#x27;s number"), ("SHOP-ZZ", "no issue SHOP-ZZ"),
     ("BLOG-1", "different projects"), ("shop-\0", "number")],
)  # fmt: skip
def test_what_cannot_be_merged_is_said(other: str, said: str, two: tuple[Issue, Issue], ada: Client) -> None:
    page = ada.post(f"/acme/issues/{two[0].short_id}/merge/", {"other": other}, follow=True)
    assert said in page.content.decode()


def test_the_hashes_of_a_merged_issue_are_split_off_again(two: tuple[Issue, Issue], ada: Client) -> None:
    small, large = merged(two)
    page = ada.get(f"/acme/issues/{large.short_id}/merge/").content.decode()
    assert f"From {small.short_id}" in page
    hashes = IssueHash.objects.filter(origin=small.pk).values_list("hash", flat=True)
    answer = ada.post(
        f"/acme/issues/{large.short_id}/split/", {"hash": [each.hex for each in hashes]}, follow=True
    )
    assert f"Split off into {small.short_id}" in answer.content.decode()
    assert b"Being split" in answer.content
    assert b"Being split" in ada.get(f"/acme/issues/{small.short_id}/").content
    finish()
    assert ada.get(f"/acme/issues/{small.short_id}/").status_code == 200
    assert "on their way back" in undo(ada, answer)
    finish()
    assert Issue.objects.get(pk=large.pk).events == 3


def test_splitting_nothing_everything_or_nonsense_is_refused_in_words(
    two: tuple[Issue, Issue], ada: Client
) -> None:
    path = f"/acme/issues/{two[0].short_id}/split/"
    every = [row.hash.hex for row in IssueHash.objects.filter(issue=two[0])]
    assert b"Tick what is to be split off" in ada.post(path, {"hash": ["x", "\0"]}, follow=True).content
    assert b"Something has to stay" in ada.post(path, {"hash": every}, follow=True).content


def test_discarding_asks_first_and_can_be_undone(two: tuple[Issue, Issue], ada: Client) -> None:
    issue, _ = two
    path = f"/acme/issues/{issue.short_id}/"
    assert "Delete and discard future events" in ada.get(path).content.decode()
    page = ada.post(f"{path}discard/", follow=True)
    assert f"{issue.short_id} discarded" in page.content.decode()
    assert "Resolve this issue" not in page.content.decode()
    assert [each.pk for each, _ in ada.get("/acme/issues/?status=all").context["rows"]] == [two[1].pk]
    assert "Undone" in undo(ada, page)
    assert Issue.objects.get(pk=issue.pk).status == "unresolved"
    assert "can no longer be undone" in undo(ada, page)


def test_the_settings_list_what_is_discarded_and_stop_it(
    two: tuple[Issue, Issue], shop: scene.Shop, ada: Client
) -> None:
    assert b"Discarded" not in ada.get("/acme/shop/settings/").content
    (stone,) = discard.discard([two[0].pk], shop.user.pk, "user:1:a")
    shop_event = scene.an_event(shop.project, shop.key, fingerprint="small")
    record([shop_event])
    fold()
    page = ada.get("/acme/shop/settings/").content.decode()
    assert two[0].short_id in page
    assert "1 so far in all" in page
    path = f"/acme/shop/settings/discarded/{stone.pk}/"
    assert f"{two[0].short_id} is back" in ada.post(path, follow=True).content.decode()
    assert ada.post(path).status_code == 404


def test_after_its_day_only_new_events_come_back(two: tuple[Issue, Issue], ada: Client) -> None:
    page = ada.post(f"/acme/issues/{two[0].short_id}/discard/", follow=True)
    Tombstone.objects.update(created=clock.now() - 2 * discard.GRACE)
    discard.purge(60)
    assert ada.get(f"/acme/issues/{two[0].short_id}/").status_code == 404
    assert "those from before were deleted" in undo(ada, page)
    assert not Tombstone.objects.exists()


def test_whoever_may_resolve_may_merge_split_and_discard(two: tuple[Issue, Issue], client: Client) -> None:
    small, large = two
    client.force_login(MembershipFactory.create(organization=small.project.organization).user)
    client.post("/acme/issues/bulk/", {"id": [small.pk, large.pk], "to": "merged"})
    finish()
    client.post(f"/acme/issues/{large.short_id}/discard/")
    assert Issue.objects.get(pk=large.pk).status == "discarded"


def test_nobody_merges_issues_of_others(two: tuple[Issue, Issue], client: Client) -> None:
    small, large = two
    outsider = MembershipFactory.create().user
    client.force_login(outsider)
    org = outsider.memberships.get().organization.slug
    client.post(f"/{org}/issues/bulk/", {"id": [small.pk, large.pk], "to": "merged"})
    assert client.post(f"/acme/issues/{large.short_id}/discard/").status_code == 404
    assert not IssueMove.objects.exists()
    assert not Tombstone.objects.exists()
