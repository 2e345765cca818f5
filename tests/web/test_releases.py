"""What is out, who uses it, and whether it holds."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from app.base import clock
from app.models import Environment
from app.web.releases import parsed
from app.web.templatetags.show import rate
from tests.factories import ProjectFactory, ReleaseProjectFactory
from tests.web import scene

DAY = 86_400_000_000


def row(page: str, version: str) -> str:
    """The texts of a release's row."""
    found = re.search(rf'<tr><th[^>]*><a[^>]*title="{re.escape(version)}".*?</tr>', page, re.DOTALL)
    assert found, page
    texts = re.sub(r"<[^>]+>", " ", found[0]).split()
    return " ".join(texts[:-1])  # without how long it has been there


def test_a_release_shows_its_health_and_its_share(shop: scene.Shop, ada: Client) -> None:
    scene.used(shop, "shop@1.0", (20, 0, 0, 0, 0), user="grace")
    scene.used(shop, "shop@2.0+7", (60, 10, 0, 0, 10), user="ada")
    scene.used(shop, "shop@2.0+7", (0, 0, 0, 0, 0), user="grace")
    page = ada.get("/acme/releases/").content.decode()
    assert row(page, "shop@2.0+7") == "2.0 (7) shop Shop 80% 87.5% 50% 10 0 0"
    assert row(page, "shop@1.0") == "1.0 shop Shop 20% 100% 100% 0 0 0"


def test_releases_without_sessions_show_their_errors(shop: scene.Shop, ada: Client) -> None:
    shop.happened(release="a" * 40)
    page = ada.get("/acme/releases/").content.decode()
    assert row(page, "a" * 40).startswith("aaaaaaaaaaaa Shop – – – 0 1 1")


def test_periods_environments_projects_and_words_narrow(shop: scene.Shop, ada: Client) -> None:
    other = ProjectFactory.create(organization=shop.organization, slug="till", name="Till")
    till = scene.Shop(shop.user, shop.organization, other, shop.key)
    scene.used(shop, "shop@1", days=3)
    scene.used(shop, "shop@1", (1, 0, 0, 0, 1), environment="staging")
    scene.used(till, "till@1")
    Environment.objects.create(project=shop.project, name="staging", first_seen=clock.now())
    assert "50%" in row(ada.get("/acme/releases/").content.decode(), "shop@1")
    assert "85.71%" in row(ada.get("/acme/releases/?period=7d").content.decode(), "shop@1")
    assert "100%" in row(
        ada.get("/acme/releases/?period=7d&environment=production").content.decode(), "shop@1"
    )
    assert "50%" in row(ada.get("/acme/releases/?period=7d&environment=staging").content.decode(), "shop@1")
    assert b"till@1" not in ada.get("/acme/releases/?project=shop").content
    assert b"shop@1" not in ada.get("/acme/releases/?q=TILL").content
    assert b"Nothing found" in ada.get("/acme/releases/?q=nothing%00").content


def test_a_release_s_page(shop: scene.Shop, ada: Client) -> None:
    issue = shop.happened(release="shop@1")
    scene.used(shop, "shop@1", (7, 1, 1, 1, 1))
    page = ada.get("/acme/releases/shop@1/").content.decode()
    assert "90.91%" in page
    assert issue.short_id in page
    assert "1 crashed sessions in 24 steps" in page
    assert ada.get("/acme/releases/nothing@1/").status_code == 404


@pytest.mark.parametrize("address", ["releases/a%00b/", "releases/?environment=%00", "releases/?period=%00"])
def test_what_no_database_can_hold_is_no_release(shop: scene.Shop, ada: Client, address: str) -> None:
    assert ada.get(f"/acme/{address}").status_code == (404 if "a%00b" in address else 200)


def test_a_release_of_projects_one_does_not_see_is_not_there(shop: scene.Shop, ada: Client) -> None:
    ReleaseProjectFactory.create(release__version="foreign@1")
    assert ada.get("/acme/releases/foreign@1/").status_code == 404
    assert b"foreign@1" not in ada.get("/acme/releases/").content


@pytest.mark.parametrize("version", ["a b", "ü@1", "x" * 250, "a%2Fb", "1?x"])
def test_any_version_has_a_page(shop: scene.Shop, ada: Client, version: str) -> None:
    scene.used(shop, version)
    page = ada.get("/acme/releases/").content.decode()
    (address,) = set(re.findall(r'href="(/acme/releases/[^"]+/)"', page))
    assert ada.get(address).status_code == 200


def test_the_list_asks_a_fixed_number_of_questions(
    shop: scene.Shop, ada: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        scene.used(shop, f"shop@{number}")
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        page = ada.get("/acme/releases/").content.decode()
    assert page.count("<tr><th scope") == 25
    assert "30 in all" in page


def test_versions_in_parts() -> None:
    assert parsed("shop@2.1.0+4") == ("shop", "2.1.0", "4")
    assert parsed("@scope/shop@1") == ("@scope/shop", "1", "")
    assert parsed("2.1") == ("", "2.1", "")
    assert parsed("a" * 40) == ("", "a" * 12, "")
    assert parsed("frontend@" + "0123456789ab" + "cdef" * 7).number == "0123456789ab"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (None, "–"),
        (1, "100%"),
        (0.999999, "99.99%"),
        (0.5, "50%"),
        (0, "0%"),
        (0.00001, "0.01%"),
        (0.12345, "12.35%"),
    ],
)
def test_rates_are_not_rounded_to_all_or_none(part: float | None, text: str) -> None:
    assert rate(part) == text
