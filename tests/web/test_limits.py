"""Quotas and spikes, chosen and seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from app.base import clock
from app.models import Outcome, RateLimit
from app.options import OrganizationOptions, read
from tests.factories import MembershipFactory, ProjectFactory
from tests.web import scene

PAGE = "/acme/usage/limits/"


def chosen(shop: scene.Shop) -> OrganizationOptions:
    shop.organization.refresh_from_db()
    return read(shop.organization.options, OrganizationOptions)


def test_quotas_are_chosen_and_shown_again(shop: scene.Shop, ada: Client) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    Outcome.objects.create(
        project=shop.project, key_id=1, category="error", hour=hour, outcome="accepted", quantity=42000
    )
    answer = ada.post(PAGE, {"error": "50000", "replay": "0", "spike_protection": "on"}, follow=True)
    assert b"Saved" in answer.content
    assert chosen(shop) == OrganizationOptions(quotas={"error": 50000, "replay": 0})
    page = ada.get(PAGE).content.decode()
    assert 'value="50000"' in page
    assert "42,000" in page
    ada.post(PAGE, {"error": ""})
    assert chosen(shop) == OrganizationOptions(spike_protection=False)


@pytest.mark.parametrize("value", ["-1", "many", "1.5", "9" * 20])
def test_what_is_no_number_is_refused(shop: scene.Shop, ada: Client, value: str) -> None:
    answer = ada.post(PAGE, {"error": value})
    assert answer.status_code == 400
    assert answer.content.count(b'class="errors"') == 1
    assert chosen(shop) == OrganizationOptions()


def test_members_look_and_do_not_change(shop: scene.Shop, client: Client) -> None:
    client.force_login(MembershipFactory.create(organization=shop.organization).user)
    assert b"You may look, not change" in client.get(PAGE).content
    assert client.post(PAGE, {"error": "1"}).status_code == 403


def test_what_is_refused_now_is_said_on_the_usage_page(shop: scene.Shop, ada: Client) -> None:
    now = clock.now()
    foreign = ProjectFactory.create(name="Elsewhere")
    for project, category, hours, scope, reason in (
        (shop.project, "error", 1, "project", "spike"),
        (shop.project, "log_item", 200, "organization", "quota_exceeded"),
        (shop.project, "span", -1, "project", "spike"),
        (foreign, "error", 1, "project", "spike"),
    ):
        until = now + timedelta(hours=hours)
        RateLimit.objects.create(project=project, category=category, until=until, scope=scope, reason=reason)
    page = ada.get("/acme/usage/").content.decode()
    assert "Errors of Shop are refused until" in page
    assert "quota is used up" in page
    assert page.count('class="notice"') == 2
    assert "Elsewhere" not in page
