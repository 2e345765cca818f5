from __future__ import annotations

from django.test import Client

from app.models import DsnKey, User
from tests.factories import DsnKeyFactory, ProjectFactory
from tests.web import scene


def test_a_project_is_renamed_and_its_page_moves_along(shop: scene.Shop, ada: Client) -> None:
    answer = ada.post(
        "/acme/shop/settings/", {"name": "Store", "slug": "Store", "platform": "go"}, follow=True
    )
    assert answer.redirect_chain == [("/acme/store/settings/", 302)]
    assert b"Saved" in answer.content
    shop.project.refresh_from_db()
    assert (shop.project.name, shop.project.slug, shop.project.platform) == ("Store", "store", "go")


def test_a_short_name_that_is_taken_reserved_or_odd_is_refused(shop: scene.Shop, ada: Client) -> None:
    ProjectFactory.create(organization=shop.organization, slug="taken")
    for slug in ("taken", "issues", "a b", "", "x" * 51):
        answer = ada.post("/acme/shop/settings/", {"name": "Shop", "slug": slug, "platform": ""})
        assert answer.status_code == 400, slug
        assert answer.content.count(b'class="errors"') == 1
    shop.project.refresh_from_db()
    assert shop.project.slug == "shop"


def test_keys_are_made_renamed_switched_off_and_deleted(shop: scene.Shop, ada: Client) -> None:
    ada.post("/acme/shop/settings/keys/", {"label": "Staging"})
    key = DsnKey.objects.get(label="Staging")
    ada.post(f"/acme/shop/settings/keys/{key.pk}/", {"label": "Old"})
    key.refresh_from_db()
    assert (key.label, key.is_active) == ("Old", False)
    assert b">Off</span>" in ada.get("/acme/shop/settings/").content
    ada.post(f"/acme/shop/settings/keys/{key.pk}/", {"label": "Old", "active": "on"})
    key.refresh_from_db()
    assert key.is_active
    assert b"for good" in ada.get(f"/acme/shop/settings/keys/{key.pk}/delete/").content
    assert DsnKey.objects.filter(pk=key.pk).exists(), "asking deletes nothing"
    ada.post(f"/acme/shop/settings/keys/{key.pk}/delete/")
    assert not DsnKey.objects.filter(pk=key.pk).exists()


def test_a_key_without_a_name_is_refused_in_words(shop: scene.Shop, ada: Client) -> None:
    for path in ("/acme/shop/settings/keys/", f"/acme/shop/settings/keys/{shop.key.pk}/"):
        assert b"A key needs a name" in ada.post(path, {"label": "x" * 65}, follow=True).content
    assert DsnKey.objects.get().label == "Default"


def test_a_key_of_another_project_is_not_here(shop: scene.Shop, ada: Client) -> None:
    foreign = DsnKeyFactory.create()
    assert ada.post(f"/acme/shop/settings/keys/{foreign.pk}/", {"label": "x"}).status_code == 404
    assert ada.post(f"/acme/shop/settings/keys/{foreign.pk}/delete/").status_code == 404
    assert DsnKey.objects.filter(pk=foreign.pk, label="Default").exists()


def test_a_person_changes_name_and_zone(shop: scene.Shop, ada: Client) -> None:
    ada.post("/profile/", {"name": "Countess", "timezone": "Europe/Oslo"})
    user = User.objects.get(pk=shop.user.pk)
    assert (user.name, user.timezone) == ("Countess", "Europe/Oslo")
    assert ada.post("/profile/", {"name": "", "timezone": "Mars/Olympus"}).status_code == 400


def test_a_zone_that_no_longer_exists_breaks_no_page(shop: scene.Shop, ada: Client) -> None:
    User.objects.update(timezone="Mars/Olympus")
    shop.happened()
    assert b"UTC" in ada.get("/acme/issues/").content


def test_members_are_listed_with_their_roles(shop: scene.Shop, ada: Client) -> None:
    page = ada.get("/acme/members/").content
    assert b"ada@example.com" in page
    assert b"<td>Owner</td>" in page
