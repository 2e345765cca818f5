"""Check-ins and reports by API: with a DSN or a token, of projects that one may speak for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from app.accounts import tokens
from app.models import CheckIn, DsnKey, Feedback, Monitor, Role, User
from tests.factories import DsnKeyFactory, MembershipFactory, UserFactory
from tests.web import scene

pytestmark = pytest.mark.django_db
EVENT = "b" * 32
CONFIG = {"schedule": {"type": "crontab", "value": "15 2 * * *"}}


@pytest.fixture
def shop() -> scene.Shop:
    return scene.shop()


def with_dsn(key: DsnKey) -> dict[str, str]:
    return {"Authorization": f"DSN https://{key.public_key}@tocsin.example/{key.project_id}"}


def with_token(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(user, 'cli', ['project:read'])}"}


def post(client: Client, path: str, told: Any, headers: dict[str, str]) -> Any:
    return client.post(f"/api/0/{path}", told, content_type="application/json", headers=headers)


def put(client: Client, path: str, told: Any, headers: dict[str, str]) -> Any:
    return client.put(f"/api/0/{path}", told, content_type="application/json", headers=headers)


# -- check-ins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["", "organizations/acme/"])
def test_a_run_is_begun_and_finished(shop: scene.Shop, client: Client, where: str) -> None:
    begun = post(
        client,
        f"{where}monitors/dump/checkins/",
        {"status": "in_progress", "monitor_config": CONFIG},
        with_dsn(shop.key),
    )
    assert begun.status_code == 201
    assert begun.json()["status"] == "in_progress"
    done = put(
        client,
        f"{where}monitors/dump/checkins/{begun.json()['id']}/",
        {"status": "ok", "duration": 3},
        with_dsn(shop.key),
    )
    assert (done.status_code, done.json()["status"], done.json()["duration"]) == (200, "ok", 3000)
    assert Monitor.objects.get(project=shop.project).schedule == {"crontab": "15 2 * * *"}


def test_the_latest_is_the_newest_that_runs(shop: scene.Shop, client: Client) -> None:
    headers = with_dsn(shop.key)
    post(client, "monitors/dump/checkins/", {"status": "in_progress"}, headers)
    second = post(
        client, "monitors/dump/checkins/", {"status": "in_progress", "environment": "staging"}, headers
    )
    done = put(client, "monitors/dump/checkins/latest/", {"status": "error"}, headers).json()
    assert (done["id"], done["status"], done["environment"]) == (second.json()["id"], "error", "staging")


def test_a_token_speaks_for_jobs_that_its_owner_sees(shop: scene.Shop, client: Client) -> None:
    post(client, "monitors/dump/checkins/", {"status": "ok"}, with_dsn(shop.key))
    mine = with_token(shop.user)
    assert post(client, "monitors/dump/checkins/", {"status": "ok"}, mine).status_code == 201
    assert post(client, "monitors/other/checkins/", {"status": "ok"}, mine).status_code == 404
    stranger = with_token(MembershipFactory.create(role=Role.OWNER).user)
    assert post(client, "monitors/dump/checkins/", {"status": "ok"}, stranger).status_code == 404
    assert (
        post(client, "organizations/acme/monitors/dump/checkins/", {"status": "ok"}, mine).status_code == 201
    )
    assert CheckIn.objects.count() == 3


@pytest.mark.parametrize("told", [{}, {"status": "fine"}, [], "x", {"status": ["ok"]}])
def test_what_is_no_check_in_is_refused_in_words(shop: scene.Shop, client: Client, told: Any) -> None:
    answer = post(client, "monitors/dump/checkins/", told, with_dsn(shop.key))
    assert answer.status_code == 400
    assert "detail" in answer.json()
    assert not CheckIn.objects.exists()


def test_what_is_not_there(shop: scene.Shop, client: Client) -> None:
    headers = with_dsn(shop.key)
    for run in ("latest", "x", uuid.uuid4().hex):
        assert put(client, f"monitors/dump/checkins/{run}/", {"status": "ok"}, headers).status_code == 404
    assert (
        post(client, "organizations/other/monitors/a/checkins/", {"status": "ok"}, headers).status_code == 404
    )


def test_wrong_keys(shop: scene.Shop, client: Client) -> None:
    foreign = DsnKeyFactory.create()
    wrong = [
        "DSN", "DSN x", f"DSN https://{'a' * 32}@h/{shop.project.pk}", "DSN https://[/1", "DSN https://a%00@h/1",
        f"DSN https://{foreign.public_key}@h/{shop.project.pk}", "Bearer nothing", "Basic x", "",
    ]  # fmt: skip
    for authorization in wrong:
        answer = post(client, "monitors/a/checkins/", {"status": "ok"}, {"Authorization": authorization})
        assert answer.status_code == 401, authorization
    DsnKey.objects.update(is_active=False)
    assert post(client, "monitors/a/checkins/", {"status": "ok"}, with_dsn(shop.key)).status_code == 401


def test_a_project_that_wants_no_check_ins_keeps_none(shop: scene.Shop, client: Client) -> None:
    shop.project.options = {"off": ["monitor"]}
    shop.project.save()
    assert post(client, "monitors/dump/checkins/", {"status": "ok"}, with_dsn(shop.key)).status_code == 404
    assert not CheckIn.objects.exists()


# -- reports -----------------------------------------------------------------------------------------------

SAID = {"event_id": EVENT, "name": "Grace", "email": "grace@example.com", "comments": "It broke"}
PATH = "projects/acme/shop/user-feedback/"


@pytest.mark.parametrize("by", ["dsn", "token"])
def test_a_report_is_kept(shop: scene.Shop, client: Client, by: str) -> None:
    answer = post(client, PATH, SAID, with_dsn(shop.key) if by == "dsn" else with_token(shop.user))
    assert answer.status_code == 200
    assert answer.json() == {
        "eventID": EVENT,
        "name": "Grace",
        "email": "grace@example.com",
        "comments": "It broke",
    }
    post(client, PATH, SAID | {"comments": "It still does"}, with_dsn(shop.key))
    assert Feedback.objects.get(project=shop.project).message == "It still does"


def test_reports_that_say_too_little(shop: scene.Shop, client: Client) -> None:
    for missing in SAID:
        answer = post(client, PATH, {**SAID, missing: ""}, with_dsn(shop.key))
        assert answer.status_code == 400
        assert missing in answer.json()
    assert post(client, PATH, {**SAID, "event_id": "x"}, with_dsn(shop.key)).status_code == 400
    assert post(client, PATH, [], with_dsn(shop.key)).status_code == 400
    assert not Feedback.objects.exists()


def test_reports_go_to_one_s_own_projects(shop: scene.Shop, client: Client) -> None:
    assert post(client, PATH, SAID, with_dsn(DsnKeyFactory.create())).status_code == 404
    assert post(client, PATH, SAID, with_token(UserFactory.create())).status_code == 404
    assert post(client, PATH, SAID, {}).status_code == 401
    assert not Feedback.objects.exists()
