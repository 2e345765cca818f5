"""The crash dialog and the loader, as a page asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from app.models import DsnKey, Feedback
from tests.web import scene

pytestmark = pytest.mark.django_db
EVENT = "b" * 32
FIELDS = {"name": "Grace", "email": "grace@example.com", "comments": "It broke"}


@pytest.fixture
def shop() -> scene.Shop:
    return scene.shop()


def address(shop: scene.Shop, **query: str) -> str:
    dsn = f"https://{shop.key.public_key}@tocsin.example/{shop.project.pk}"
    return f"/api/embed/error-page/?{urlencode({'dsn': dsn, 'eventId': EVENT, **query})}"


def test_the_dialog_is_a_script_that_says_what_the_page_wants(shop: scene.Shop, client: Client) -> None:
    told = {"title": "</script><b>Oh</b>", "name": "Grace", "labelSubmit": "Abschicken"}
    answer = client.get(address(shop, **told), headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Access-Control-Allow-Origin"] == "https://shop.example"
    text = answer.content.decode()
    assert "</script>" not in text
    assert "Abschicken" in text
    assert "Tell us" not in text


def test_what_is_written_is_kept(shop: scene.Shop, client: Client) -> None:
    answer = client.post(address(shop), FIELDS, headers={"Origin": "https://shop.example"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, "https://shop.example")
    said = Feedback.objects.get(project=shop.project)
    assert (said.message, said.name, said.email) == ("It broke", "Grace", "grace@example.com")
    assert said.event_id is not None
    assert said.event_id.hex == EVENT
    client.post(address(shop), FIELDS | {"comments": "again"})
    assert Feedback.objects.get().message == "again"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"email": "x"},
        {"comments": " "},
        {"name": "x" * 129},
        {"email": "a" * 70 + "@b.example"},
    ],
)
def test_what_is_missing_or_too_long_is_named(
    shop: scene.Shop, client: Client, changes: dict[str, str]
) -> None:
    answer = client.post(address(shop), FIELDS | changes)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(changes)
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    ("query", "status"),
    [({"eventId": ""}, 400), ({"eventId": "x"}, 400), ({"dsn": ""}, 404), ({"dsn": "https://a@b/1"}, 404),
     ({"dsn": "https://[/1"}, 404)],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_addresses_that_lead_nowhere(
    shop: scene.Shop, client: Client, query: dict[str, str], status: int, method: str
) -> None:
    assert (
        getattr(client, method)(address(shop, **query), FIELDS if method == "post" else None).status_code
        == status
    )


def test_only_allowed_pages(shop: scene.Shop, client: Client) -> None:
    shop.project.options = {"origins": ["shop.example"]}
    shop.project.save()
    for headers, status in (
        ({"Origin": "https://shop.example"}, 200), ({"Origin": "https://evil.example"}, 403),
        ({"Referer": "https://evil.example/x"}, 403), ({}, 200),
    ):  # fmt: skip
        assert client.post(address(shop), FIELDS, headers=headers).status_code == status
        assert client.get(address(shop), headers=headers).status_code == status


def test_a_browser_asks_first(shop: scene.Shop, client: Client) -> None:
    answer = client.options(address(shop), headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert "POST" in answer["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("name", [".js", ".min.js"])
def test_the_loader_knows_its_project(
    shop: scene.Shop, client: Client, settings: Settings, name: str
) -> None:
    settings.BASE_URL = "https://tocsin.example/errors"
    answer = client.get(f"/js-sdk-loader/{shop.key.public_key}{name}")
    text = answer.content.decode()
    assert f"https://{shop.key.public_key}@tocsin.example/errors/{shop.project.pk}" in text
    assert f"https://tocsin.example/errors/api/{shop.project.pk}/envelope/" in text
    assert "max-age=3600" in answer["Cache-Control"]
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_key_that_is_none_or_off_gets_a_script_that_does_nothing(shop: scene.Shop, client: Client) -> None:
    DsnKey.objects.update(is_active=False)
    for key in ("a" * 32, shop.key.public_key):
        answer = client.get(f"/js-sdk-loader/{key}.min.js")
        assert answer.status_code == 200
        assert answer.content.startswith(b"/*")
        assert b"function" not in answer.content


def test_a_bundle_is_served_by_ourselves(
    shop: scene.Shop, client: Client, settings: Settings, tmp_path: Path
) -> None:
    assert client.get("/js-sdk-loader/sdk.js").content.startswith(b"/*")
    settings.BROWSER_SDK = str(tmp_path / "bundle.min.js")
    assert client.get("/js-sdk-loader/sdk.js").content.startswith(b"/*")
    (tmp_path / "bundle.min.js").write_bytes(b"Sentry = {}")
    assert client.get("/js-sdk-loader/sdk.js").content == b"Sentry = {}"
    loader: Any = client.get(f"/js-sdk-loader/{shop.key.public_key}.js")
    assert b"/js-sdk-loader/sdk.js" in loader.content
