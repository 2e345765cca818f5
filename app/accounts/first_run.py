"""What an empty installation begins with: a person, an organization, a team, a project and its key."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from app.accounts import tokens
from app.accounts.dsn import dsn
from app.models import (
    DsnKey,
    Membership,
    Organization,
    Project,
    ProjectTeam,
    Role,
    Team,
    TeamMembership,
    User,
)

EMAIL = "admin@localhost"
# Serialises two containers that start at once (first bytes of "tocsin1", as a number).
LOCK = 0x746F6373696E31


@dataclass
class Secrets:
    """What only we know of the first user, kept readable for the owner of the data folder alone."""

    email: str
    password: str
    token: str


@dataclass
class FirstRun:
    """Where to send errors and how to sign in; None for what a person has since changed or removed."""

    is_new: bool
    url: str
    organization: str | None
    project: str | None
    dsn: str | None
    email: str | None
    password: str | None
    token: str | None


def first_run() -> FirstRun:
    """Make the first rows when there are none yet; safe to call at every start."""
    place = settings.DATA / "first_run.json"
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        known = read(place)
        is_new = not Organization.objects.exists() and not User.objects.exists()
        if is_new:
            # Written before the commit: a crash in between leaves a file too many, never an unknown password.
            write(place, known := create())
        elif known:
            known = with_living_token(place, known)
    return describe(is_new, known)


def create() -> Secrets:
    """The first rows, by one person who owns and runs everything."""
    password = secrets.token_urlsafe(12)
    user = User.objects.create_superuser(EMAIL, password, name="Admin")
    organization = Organization.objects.create(slug="main", name="Main")
    owner = Membership.objects.create(organization=organization, user=user, role=Role.OWNER)
    team = Team.objects.create(organization=organization, slug="everyone", name="Everyone")
    TeamMembership.objects.create(team=team, membership=owner, role="admin")
    project = Project.objects.create(organization=organization, slug="my-app", name="My app")
    ProjectTeam.objects.create(project=project, team=team)
    DsnKey.objects.create(project=project)
    return Secrets(EMAIL, password, tokens.create(user, "First run", tokens.SCOPES))


def with_living_token(place: Path, known: Secrets) -> Secrets:
    """The same secrets; with a new token when the first user's was removed."""
    user = User.objects.filter(email=known.email, is_active=True).first()
    if user is not None and tokens.find(known.token) is None:
        known.token = tokens.create(user, "First run", tokens.SCOPES)
        write(place, known)
    return known


def describe(is_new: bool, known: Secrets | None) -> FirstRun:
    project = Project.objects.select_related("organization").order_by("id").first()
    key = DsnKey.objects.filter(project=project, is_active=True).order_by("id").first()
    user = User.objects.filter(email=known.email, is_active=True).first() if known else None
    return FirstRun(
        is_new=is_new,
        url=settings.BASE_URL,
        organization=project.organization.slug if project else None,
        project=project.slug if project else None,
        dsn=dsn(key) if key else None,
        email=user.email if user else None,
        password=known.password if known and user and user.check_password(known.password) else None,
        token=known.token if known and user else None,
    )


def read(place: Path) -> Secrets | None:
    try:
        return Secrets(**json.loads(place.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def write(place: Path, known: Secrets) -> None:
    """Replaced as a whole, and never readable for others in between."""
    unfinished = place.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(asdict(known)))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(place)
