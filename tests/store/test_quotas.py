"""Who sends too much, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.base import clock
from app.models import Organization, Outcome, Project, RateLimit
from app.store import quotas
from tests.factories import OrganizationFactory, ProjectFactory

pytestmark = pytest.mark.django_db


def project(organization: Organization | None = None, **more: Any) -> Project:
    old = clock.now() - timedelta(days=30)
    organization = organization or OrganizationFactory.create()
    found: Project = ProjectFactory.create(organization=organization, first_event=old, **more)
    return found


def sent(
    one: Project, quantity: int, at: datetime | None = None, category: str = "error", **more: Any
) -> None:
    hour = (at or clock.now()).replace(minute=0, second=0, microsecond=0)
    outcome = {"outcome": "accepted", "reason": "", "key_id": 1} | more
    Outcome.objects.create(project=one, category=category, hour=hour, quantity=quantity, **outcome)


def limits() -> set[tuple[int, str, str, str]]:
    quotas.check()
    return set(RateLimit.objects.values_list("project_id", "category", "scope", "reason"))


# -- quotas ------------------------------------------------------------------------------------------------


def test_an_organization_beyond_its_quota_sends_nothing_more_this_month() -> None:
    organization = OrganizationFactory.create(options={"quotas": {"error": 100}})
    first, second, other = project(organization), project(organization), project()
    sent(first, 60)
    sent(second, 39)
    sent(other, 1000)
    assert limits() == set()
    sent(second, 1, key_id=2)
    assert limits() == {(one.pk, "error", "organization", "quota_exceeded") for one in (first, second)}
    until = RateLimit.objects.values_list("until", flat=True).distinct().get()
    assert until > clock.now()
    assert (until.day, until.hour) == (1, 0)
    assert until - clock.now() <= timedelta(days=31)


def test_last_month_and_what_was_not_accepted_do_not_count() -> None:
    one = project(OrganizationFactory.create(options={"quotas": {"error": 100, "log_item": 5}}))
    sent(one, 1000, clock.now().replace(day=1) - timedelta(days=1))
    sent(one, 1000, outcome="filtered", reason="localhost")
    sent(one, 4, category="log_item")
    assert limits() == set()


def test_a_quota_that_was_raised_or_taken_back_holds_no_longer() -> None:
    organization = OrganizationFactory.create(options={"quotas": {"error": 10}})
    one = project(organization)
    sent(one, 10)
    assert len(limits()) == 1
    organization.options = {"quotas": {"error": 11}}
    organization.save()
    assert limits() == set()


def test_a_quota_of_nothing_keeps_nothing() -> None:
    one = project(OrganizationFactory.create(options={"quotas": {"replay": 0}}))
    assert limits() == {(one.pk, "replay", "organization", "quota_exceeded")}


# -- spikes ------------------------------------------------------------------------------------------------


def spiking(most: int, now: int, **more: Any) -> Project:
    one = project(more.pop("organization", None))
    sent(one, most, clock.now() - timedelta(days=3), **more)
    sent(one, now, **more)
    return one


def test_ten_times_what_ever_came_in_an_hour_is_a_spike() -> None:
    one = spiking(20_000, 200_001)
    assert limits() == {(one.pk, "error", "project", "spike")}
    until = RateLimit.objects.get().until
    assert until.minute == 0
    assert timedelta(0) < until - clock.now() <= timedelta(hours=1)


@pytest.mark.parametrize(("most", "now"), [(20_000, 200_000), (10, 100_000), (1_000_000, 9_000_000)])
def test_what_is_no_spike(most: int, now: int) -> None:
    spiking(most, now)
    assert limits() == set()


def test_a_project_without_a_past_is_left_alone() -> None:
    one = project()
    sent(one, 10_000_000)
    young = ProjectFactory.create(first_event=clock.now() - timedelta(hours=3))
    sent(young, 1, clock.now() - timedelta(hours=2))
    sent(young, 10_000_000)
    assert limits() == set()


def test_who_wants_no_protection_has_none() -> None:
    spiking(1, 500_000, organization=OrganizationFactory.create(options={"spike_protection": False}))
    assert limits() == set()


def test_attachments_of_spikes_are_judged_for_themselves() -> None:
    one = spiking(1, 500_000, category="attachment")
    assert limits() == {(one.pk, "attachment", "project", "spike")}


def test_two_at_once_write_the_same() -> None:
    spiking(1, 500_000)
    assert limits() == limits()
    assert RateLimit.objects.count() == 1
