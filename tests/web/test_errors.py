"""What a person meets where something went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError as CacheAway

from tests.factories import PASSWORD, MembershipFactory
from tests.web import scene


def test_a_404_says_what_is_not_there_and_leads_on(shop: scene.Shop, ada: Client) -> None:
    page = ada.get("/acme/issues/SHOP-99/")
    assert page.status_code == 404
    assert b"may have been deleted, or merged" in page.content
    assert b'href="/"' in page.content
    assert b"There is nothing at this address." in ada.get("/a/b/c/d/").content


def test_a_404_keeps_djangos_own_words_back(shop: scene.Shop, ada: Client) -> None:
    page = ada.get("/acme/shop/settings/keys/999/delete/").content
    assert b"matches the given query" not in page


def test_a_403_says_who_can_help(shop: scene.Shop, client: Client) -> None:
    client.force_login(MembershipFactory.create(organization=shop.organization).user)
    page = client.get("/acme/projects/new/")
    assert page.status_code == 403
    assert b"Only an owner, manager or admin" in page.content


def test_a_500_carries_a_number_that_is_in_the_log(
    shop: scene.Shop, ada: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("app.web.members.render", explode)
    ada.raise_request_exception = False
    page = ada.get("/acme/members/")
    assert page.status_code == 500
    number = page.content.decode().split("<code>")[1].split("</code>")[0]
    assert number in caplog.text
    assert b"boom" not in page.content


def test_a_form_that_is_too_large_says_so(shop: scene.Shop, ada: Client) -> None:
    answer = ada.post("/profile/", {"name": "x" * 3_000_000})
    assert answer.status_code == 413
    assert b"Too large" in answer.content


def test_a_form_without_its_token_is_told_how_to_go_on(shop: scene.Shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(shop.user)
    answer = client.post("/profile/", {"name": "x"})
    assert answer.status_code == 403
    assert b"This form is too old" in answer.content


def test_health_tells_which_part_does_not_answer(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/_health/").json() == {"status": "ok", "database": "ok", "cache": "ok"}

    def away(*_args: Any, **_kwargs: Any) -> None:
        raise CacheAway("refused")

    monkeypatch.setattr(cache, "get", away)
    answer = client.get("/_health/")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "database": "ok", "cache": "failing"}


def test_nothing_here_is_for_crawlers(client: Client) -> None:
    assert client.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"


def test_nobody_registers_by_themselves(db: None, client: Client) -> None:
    assert b"By invitation" in client.get("/accounts/signup/").content


def test_signing_in_and_out(shop: scene.Shop, client: Client) -> None:
    wrong = client.post("/accounts/login/", {"login": shop.user.email, "password": "wrong"})
    assert b'role="alert"' in wrong.content
    client.post("/accounts/login/", {"login": shop.user.email.upper(), "password": PASSWORD})
    assert client.get("/acme/issues/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/acme/issues/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "login",
        "logout",
        "password/reset",
        "password/reset/done",
        "inactive",
        "password/change",
        "email",
        "confirm-email",
        "signup",
    ],
)
def test_every_page_of_signing_in_is_ours(path: str, shop: scene.Shop, ada: Client, client: Client) -> None:
    browser = ada if path in ("logout", "password/change", "email") else Client()
    page = browser.get(f"/accounts/{path}/").content
    assert b'class="entrance"' in page


def test_a_password_is_reset_by_mail(shop: scene.Shop, client: Client, mailoutbox: list[Any]) -> None:
    client.post("/accounts/password/reset/", {"email": shop.user.email})
    [mail] = mailoutbox
    link = next(word for word in mail.body.split() if "/accounts/password/reset/key/" in word)
    form = client.get(link, follow=True)
    assert b"Choose a new password" in form.content
    new = "an entirely new password"
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert client.login(email=shop.user.email, password=new)


def test_every_answer_carries_the_strict_policy(shop: scene.Shop, ada: Client) -> None:
    for path in ("/acme/issues/", "/accounts/login/", "/nope/"):
        policy = ada.get(path)["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


TEMPLATES = Path(__file__).parent.parent.parent / "templates"


def test_no_template_has_script_or_style_in_it() -> None:
    for path in TEMPLATES.rglob("*.html"):
        if path.parts[-2] == "mail":
            continue
        text = path.read_text()
        assert " style=" not in text, path
        assert "<style" not in text, path
        assert " onclick" not in text, path
        assert "|safe" not in text, path
        assert text.count("<script") == text.count("<script src") + text.count("<script defer src"), path
