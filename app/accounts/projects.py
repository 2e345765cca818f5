"""Making a project: its row and its first key, in one go."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from app.models import DsnKey, Organization, Project

#: Words that stand in addresses where a project's slug may stand.
RESERVED = frozenset((
    "alerts", "crons", "feedback", "files", "issues", "logs", "members", "monitors", "new", "performance",
    "profiles", "projects", "releases", "replays", "settings", "teams", "traces", "usage",
))  # fmt: skip
ATTEMPTS = 50


def create_project(organization: Organization, name: str, platform: str) -> Project:
    """The project with one key; its slug is made from the name, numbered when that is taken."""
    base = slugify(name)[:40].strip("-") or "project"
    for attempt in range(1, ATTEMPTS):
        slug = base if attempt == 1 and base not in RESERVED else f"{base}-{attempt}"
        try:
            with transaction.atomic():
                project = Project.objects.create(
                    organization=organization, slug=slug, name=name, platform=platform
                )
                DsnKey.objects.create(project=project)
        except IntegrityError:
            continue
        return project
    raise IntegrityError(f"{ATTEMPTS} projects are called {base} already")
