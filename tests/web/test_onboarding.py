from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from app.accounts.dsn import dsn
from app.accounts.projects import RESERVED, create_project
from app.models import DsnKey, Project
from app.web.onboarding.platforms import PLATFORMS, SNIPPETS, steps
from tests.factories import MembershipFactory, UserFactory
from tests.web import scene

DSN = "https://0123456789abcdef0123456789abcdef@errors.example.com/sub/42"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_platform_has_steps_that_carry_the_dsn(platform: str) -> None:
    found = steps(platform, DSN)
    assert len(found) >= 2
    assert all(step.title and step.code and step.language for step in found)
    code = "\n".join(step.code for step in found)
    assert DSN in code
    assert not re.search(r"\{(dsn|key|store)\}", code)


def test_no_snippet_is_without_a_platform() -> None:
    assert {path.stem for path in SNIPPETS.glob("*.txt")} == set(PLATFORMS)


@pytest.mark.parametrize("platform", [name for name in PLATFORMS if name.startswith("python")])
def test_the_python_snippets_are_python(platform: str) -> None:
    for step in steps(platform, DSN):
        if step.language == "py":
            compile(step.code, platform, "exec")


def test_the_command_for_something_else_names_the_real_address() -> None:
    code = steps("other", DSN)[-1].code
    assert "'https://errors.example.com/sub/api/42/store/'" in code
    assert "sentry_key=0123456789abcdef0123456789abcdef" in code


def test_a_dsn_stands_under_the_address_people_reach_us_at(shop: scene.Shop, settings: Any) -> None:
    settings.BASE_URL = "https://errors.example.com/tocsin"
    assert dsn(shop.key) == f"https://{shop.key.public_key}@errors.example.com/tocsin/{shop.project.pk}"


def test_home_leads_to_what_is_to_be_done_next(shop: scene.Shop, ada: Client) -> None:
    assert ada.get("/")["Location"] == "/acme/shop/start/"
    shop.happened()
    assert ada.get("/")["Location"] == "/acme/issues/"
    Project.objects.all().delete()
    assert ada.get("/")["Location"] == "/acme/projects/new/"
    ada.force_login(MembershipFactory.create(organization=shop.organization).user)
    assert ada.get("/")["Location"] == "/acme/issues/"


@pytest.mark.django_db
def test_who_is_in_no_organization_is_told_so(client: Client) -> None:
    client.force_login(UserFactory.create(email="alone@example.com"))
    assert b"invite alone@example.com" in client.get("/").content


def test_a_project_gets_its_platform_and_a_key(shop: scene.Shop, ada: Client) -> None:
    answer = ada.post("/acme/projects/new/", {"platform": "go", "name": "Größe & Co"})
    project = Project.objects.get(name="Größe & Co")
    assert answer["Location"] == f"/acme/{project.slug}/start/"
    assert (project.slug, project.platform, project.keys.count()) == ("groe-co", "go", 1)


def test_a_form_with_nothing_in_it_is_shown_again_with_what_is_missing(shop: scene.Shop, ada: Client) -> None:
    answer = ada.post("/acme/projects/new/", {"platform": "fortran", "name": " "})
    assert answer.status_code == 400
    assert answer.content.count(b'class="errors"') == 2
    assert Project.objects.count() == 1


def test_slugs_are_numbered_and_never_our_own_words(shop: scene.Shop) -> None:
    made = [
        create_project(shop.organization, name, "").slug
        for name in ("Shop", "Shop", "日本", "Issues", "x" * 64)
    ]
    assert made[:3] == ["shop-2", "shop-3", "project"]
    assert made[3] == "issues-1"
    assert not RESERVED & set(made)
    assert len(made[4]) <= 50


def test_another_platform_is_an_address(shop: scene.Shop, ada: Client) -> None:
    assert b"go get github.com/getsentry/sentry-go" in ada.get("/acme/shop/start/?platform=go").content
    assert b"SENTRY_DSN" in ada.get("/acme/shop/start/?platform=fortran").content


def test_without_an_active_key_the_page_says_so(shop: scene.Shop, ada: Client) -> None:
    DsnKey.objects.update(is_active=False)
    assert b"switched off" in ada.get("/acme/shop/start/").content


def test_the_poll_answers_nothing_until_there_is_an_issue(shop: scene.Shop, ada: Client) -> None:
    ask = {"HX-Request": "true"}
    assert ada.get("/acme/shop/start/waiting/", headers=ask).status_code == 204
    issue = shop.happened()
    answer = ada.get("/acme/shop/start/waiting/", headers=ask)
    assert f'href="/acme/issues/{issue.short_id}/"'.encode() in answer.content
    assert ada.get("/acme/shop/start/waiting/").status_code == 404


def test_without_javascript_the_waiting_page_reloads_itself(shop: scene.Shop, ada: Client) -> None:
    reload = b'<noscript><meta http-equiv="refresh" content="5"></noscript>'
    assert reload in ada.get("/acme/shop/start/").content
    shop.happened()
    page = ada.get("/acme/shop/start/").content
    assert reload not in page
    assert b"The first event has arrived" in page
