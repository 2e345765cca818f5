"""An empty installation gets one person who may do everything, and keeps what only the owner may read."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from app.accounts import tokens
from app.accounts.first_run import first_run
from app.models import DsnKey, Membership, Organization, Project, User
from tests.factories import MembershipFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA = tmp_path
    settings.BASE_URL = "https://errors.example"
    return tmp_path


def test_the_first_start_makes_an_owner_a_project_a_key_and_a_token_with_every_scope() -> None:
    result = first_run()
    user, project, key = User.objects.get(), Project.objects.get(), DsnKey.objects.get()
    assert result.is_new
    assert (result.organization, result.project) == ("main", "my-app")
    assert result.dsn == f"https://{key.public_key}@errors.example/{project.id}"
    assert result.email == user.email == "admin@localhost"
    assert result.password
    assert user.check_password(result.password)
    assert user.is_staff
    assert Membership.objects.get(user=user, organization=project.organization).role == "owner"
    found = tokens.find(result.token or "")
    assert found
    assert set(found.scopes) == set(tokens.SCOPES)


def test_every_later_start_answers_the_same_and_makes_nothing() -> None:
    first = first_run()
    again = first_run()
    assert not again.is_new
    assert (again.password, again.token, again.dsn) == (first.password, first.token, first.dsn)
    assert (User.objects.count(), Organization.objects.count(), Project.objects.count()) == (1, 1, 1)


def test_the_password_is_kept_for_the_owner_of_the_data_folder_only(data: Path) -> None:
    first_run()
    assert (data / "first_run.json").stat().st_mode & 0o777 == 0o600


def test_a_changed_password_is_not_shown_and_a_removed_token_is_replaced() -> None:
    first = first_run()
    user = User.objects.get()
    user.set_password("of my own choosing")
    user.save()
    user.tokens.all().delete()
    again = first_run()
    assert again.password is None
    assert again.token != first.token
    assert tokens.find(again.token or "")


@pytest.mark.parametrize("content", [None, "", "[]", '{"email": "x"}', "\0"])
def test_without_its_file_an_installation_in_use_is_left_as_it_is(data: Path, content: str | None) -> None:
    MembershipFactory.create()
    project = ProjectFactory.create()
    if content is not None:
        (data / "first_run.json").write_text(content)
    result = first_run()
    assert (result.is_new, result.email, result.password, result.token) == (False, None, None, None)
    assert (result.project, result.dsn) == (project.slug, None)


@pytest.mark.django_db(transaction=True)
def test_two_that_start_at_once_make_one_user() -> None:
    def start() -> bool:
        try:
            return first_run().is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(lambda _: start(), range(2))) == [False, True]
    assert User.objects.count() == 1


def test_prepare_shows_the_login_once_and_answers_scripts_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("prepare")
    shown = capsys.readouterr().out
    assert "Password" in shown
    assert "admin@localhost" in shown
    call_command("prepare")
    assert capsys.readouterr().out == "The database is ready.\n"
    call_command("prepare", "--json")
    assert json.loads(capsys.readouterr().out)["email"] == "admin@localhost"
