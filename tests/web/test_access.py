"""Every address × every role. An address without a line here fails the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from app.base import clock
from app.models import (
    FailedTask,
    Feedback,
    Issue,
    Project,
    ProjectTeam,
    Quarantined,
    Role,
    TeamMembership,
    Tombstone,
    User,
)
from app.store import attachments
from tests.factories import DsnKeyFactory, MembershipFactory, ProjectFactory, UserFactory
from tests.web import scene

ROLES = ("anonymous", "outsider", "member", "admin", "manager", "owner", "staff")

#: What each role gets. A = to the sign-in page, otherwise the status. The project belongs to a team in which
#: only the admin is; the member sees another one. Staff runs the server but is in no organization.
PUBLIC = (200, 200, 200, 200, 200, 200, 200)
ANYONE_SIGNED_IN = ("A", 200, 200, 200, 200, 200, 200)
SOMEWHERE = ("A", 302, 302, 302, 302, 302, 200)  # home: staff is in no organization, and is told so
IN_ORGANIZATION = ("A", 404, 200, 200, 200, 200, 404)
IN_PROJECT = ("A", 404, 404, 200, 200, 200, 404)
MOVED_IN_ORGANIZATION = ("A", 404, 302, 302, 302, 302, 404)
MOVED_IN_PROJECT = ("A", 404, 404, 302, 302, 302, 404)
MANAGING_ORGANIZATION = ("A", 404, 403, 200, 200, 200, 404)
STAFF = ("A", 403, 403, 403, 403, 403, 200)
STAFF_MOVED = ("A", 403, 403, 403, 403, 403, 302)

TABLE: dict[str, tuple[str, tuple[Any, ...]]] = {
    "home": ("get", SOMEWHERE),
    "health": ("get", PUBLIC),
    "robots": ("get", PUBLIC),
    "favicon": ("get", (301,) * 7),
    "profile": ("get", ANYONE_SIGNED_IN),
    "admin-state": ("get", STAFF),
    "replay-quarantined": ("post", STAFF_MOVED),
    "replay-failed": ("post", STAFF_MOVED),
    "admin-mail": ("get", STAFF),
    "admin-letter": ("get", STAFF),
    "admin-letter-body": ("get", STAFF),
    "organization": ("get", MOVED_IN_ORGANIZATION),
    "issues": ("get", IN_ORGANIZATION),
    "bulk": ("post", MOVED_IN_ORGANIZATION),
    "undo": ("post", MOVED_IN_ORGANIZATION),
    "issue": ("get", IN_PROJECT),
    "issue-markdown": ("get", IN_PROJECT),
    "similar": ("get", IN_PROJECT),
    "compare": ("get", IN_PROJECT),
    "merge": ("get", IN_PROJECT),
    "split": ("post", MOVED_IN_PROJECT),
    "discard": ("post", MOVED_IN_PROJECT),
    "stop-discarding": ("post", MOVED_IN_PROJECT),
    "oldest-event": ("get", MOVED_IN_PROJECT),
    "event": ("get", IN_PROJECT),
    "event-json": ("get", IN_PROJECT),
    "attachment": ("get", IN_PROJECT),
    "feedback": ("get", IN_ORGANIZATION),
    "resolve-feedback": ("post", MOVED_IN_PROJECT),
    "logs": ("get", IN_ORGANIZATION),
    "crons": ("get", IN_ORGANIZATION),
    "cron": ("get", IN_PROJECT),
    "performance": ("get", IN_ORGANIZATION),
    "endpoint": ("get", IN_PROJECT),
    "trace": ("get", IN_ORGANIZATION),
    "blob": ("get", IN_PROJECT),
    "releases": ("get", IN_ORGANIZATION),
    "release": ("get", IN_PROJECT),
    "usage": ("get", IN_ORGANIZATION),
    "limits": ("get", IN_ORGANIZATION),
    "members": ("get", IN_ORGANIZATION),
    "new-project": ("get", MANAGING_ORGANIZATION),
    "start": ("get", IN_PROJECT),
    "waiting": ("get", IN_PROJECT),
    "project-settings": ("get", IN_PROJECT),
    "incoming": ("get", IN_PROJECT),
    "project-grouping": ("get", IN_PROJECT),
    "undo-regrouping": ("post", ("A", 404, 404, 404, 404, 404, 404)),  # nothing was applied
    "new-key": ("post", MOVED_IN_PROJECT),
    "change-key": ("post", MOVED_IN_PROJECT),
    "delete-key": ("get", IN_PROJECT),
    "short-id": ("get", MOVED_IN_PROJECT),
    "api-index": ("get", PUBLIC),
    # Those of the API know tokens and DSNs, not who is signed in here (tests/api).
    "api-check-ins": ("post", (401,) * 7),
    "api-check-in": ("put", (401,) * 7),
    "api-organization-check-ins": ("post", (401,) * 7),
    "api-organization-check-in": ("put", (401,) * 7),
    "api-user-feedback": ("post", (401,) * 7),
    "crash-dialog": ("get", (404,) * 7),  # without a DSN
    "browser-sdk": ("get", PUBLIC),
    "loader": ("get", PUBLIC),
    "loader-min": ("get", PUBLIC),
}
#: allauth's own; ours is only how they look (test_sign_in.py).
ACCOUNTS = "account_"


@dataclass
class World:
    people: dict[str, User | None]
    arguments: dict[str, Any]
    issue: Issue


@pytest.fixture
def world(shop: scene.Shop, tmp_path: Any, settings: Any) -> World:
    organization = shop.organization
    secret = ProjectFactory.create(organization=organization, slug="secret", name="Secret")
    key = DsnKeyFactory.create(project=secret)
    team = scene.team_of(organization)
    ProjectTeam.objects.create(project=secret, team=team)
    people: dict[str, User | None] = {"anonymous": None, "owner": shop.user}
    for role in (Role.MEMBER, Role.ADMIN, Role.MANAGER):
        membership = MembershipFactory.create(organization=organization, role=role)
        people[role.value] = membership.user
        if role == Role.ADMIN:
            TeamMembership.objects.create(team=team, membership=membership)
    people["outsider"] = MembershipFactory.create(role=Role.OWNER).user
    people["staff"] = UserFactory.create(is_staff=True)
    issue = scene.Shop(shop.user, organization, secret, key).happened()
    other = scene.Shop(shop.user, organization, secret, key).happened(type="ValueError")
    event = scene.latest(issue)
    secret_shop = scene.Shop(shop.user, organization, secret, key)
    scene.attached(secret_shop, event, "a.txt", b"secret")
    (file,) = attachments.listed(secret.pk, event.event_id, event.received)
    scene.said(secret_shop, "It broke", event.event_id)
    scene.used(secret_shop, "secret@1")
    scene.ran(secret_shop, "dump")
    settings.MAIL_FOLDER = tmp_path
    (tmp_path / "letter.eml").write_bytes(b"Subject: Hello\nTo: ada@example.com\n\nText\n")
    arguments = {
        "org": "acme", "project": "secret", "short_id": issue.short_id, "event_id": event.event_id,
        "mail_id": "letter", "number": file.id, "version": "secret@1", "slug": "dump",
        "trace_id": scene.TRACE, "organization": "acme", "check_in_id": "a" * 32,
        "public_key": key.public_key, "micros": clock.to_micros(event.received),
        "other": other.short_id,
    }  # fmt: skip
    return World(people, arguments | {"pk": key.pk}, issue)


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name or str(pattern.pattern)


def test_every_address_has_its_line() -> None:
    ours = {name for name in names(get_resolver().url_patterns) if not name.startswith(ACCOUNTS)}
    assert ours == set(TABLE)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_it_may(role: str, world: World, client: Client) -> None:
    if person := world.people[role]:
        client.force_login(person)
    got = {}
    for name, (method, _) in TABLE.items():
        ask: Any = client.get if method == "get" else client.post
        data = {"to": "resolved"} if name == "bulk" else {}
        got[name] = told(ask(address(name, world), data, headers={"HX-Request": "true"}))
    assert got == {name: expected[ROLES.index(role)] for name, (_, expected) in TABLE.items()}


def told(answer: Any) -> int | str:
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    return "A" if to_sign_in else int(answer.status_code)


def address(name: str, world: World) -> str:
    pattern = next(p for p in _patterns(get_resolver().url_patterns) if p.name == name)
    wanted = {key: world.arguments[key] for key in pattern.pattern.converters}
    if name == "short-id":
        return f"/{world.arguments['short_id']}"
    if name == "stop-discarding":
        stone = Tombstone.objects.filter(project=world.issue.project).first()
        wanted["pk"] = (stone or discarded(world.issue)).pk
    if name == "resolve-feedback":
        wanted["pk"] = Feedback.objects.get().pk
    if name == "replay-quarantined":
        wanted["pk"] = quarantined(world.issue.project).pk
    if name == "replay-failed":
        failed = {"task": "x", "args": [], "error": "e", "failed": clock.now()}
        wanted["pk"] = FailedTask.objects.get_or_create(message_id="m", defaults=failed)[0].pk
    return reverse(name, kwargs=wanted)


def discarded(issue: Issue) -> Tombstone:
    return Tombstone.objects.create(
        project=issue.project, number=7, title="", before="unresolved", created=clock.now()
    )


def quarantined(project: Project) -> Quarantined:
    return Quarantined.objects.create(
        project=project, digest="0" * 32, item=0, category="error", reason="no", frame=b"x",
        received=project.created,
    )  # fmt: skip


def _patterns(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns)
        else:
            yield pattern


@pytest.mark.django_db
def test_a_member_may_look_at_settings_but_not_change_them(shop: scene.Shop, client: Client) -> None:
    client.force_login(MembershipFactory.create(organization=shop.organization).user)
    for path, data in (
        ("/acme/shop/settings/", {"name": "X", "slug": "x"}),
        ("/acme/shop/settings/keys/", {"label": "X"}),
        (f"/acme/shop/settings/keys/{shop.key.pk}/", {"label": "X"}),
        (f"/acme/shop/settings/keys/{shop.key.pk}/delete/", {}),
    ):
        assert client.post(path, data).status_code == 403, path
    assert client.get("/acme/shop/settings/").status_code == 200
    shop.key.refresh_from_db()
    assert shop.key.label == "Default"


@pytest.mark.django_db
def test_nobody_moves_an_issue_they_do_not_see(world: World, client: Client) -> None:
    for role in ("outsider", "member"):
        person = world.people[role]
        assert person is not None
        client.force_login(person)
        org = person.memberships.get().organization.slug
        client.post(f"/{org}/issues/bulk/", {"id": world.issue.pk, "to": "resolved"})
    world.issue.refresh_from_db()
    assert world.issue.status == "unresolved"


@pytest.mark.django_db
def test_a_form_never_leads_to_another_site(shop: scene.Shop, ada: Client) -> None:
    answer = ada.post("/acme/issues/bulk/", {"to": "resolved", "next": "https://evil.example/"})
    assert answer["Location"] == "/acme/issues/"
