"""Projects and the keys SDKs send with."""

from __future__ import annotations

import secrets

from django.db import models

from app.models.organization import Organization, Team


class Project(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="projects")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=64)
    platform = models.CharField(max_length=32, blank=True)  # as chosen in onboarding: "python-django"
    created = models.DateTimeField(auto_now_add=True)
    first_event = models.DateTimeField(null=True)  # set once, by the store
    # The number the next issue of this project gets (SHOP-1A); moved by the store under the row's lock.
    next_issue = models.PositiveIntegerField(default=1)
    teams = models.ManyToManyField(Team, through="ProjectTeam", related_name="projects")
    # Grouping: the configuration in use, and the one before it while its hashes still count.
    grouping = models.CharField(max_length=32, default="2026-11")
    grouping_before = models.CharField(max_length=32, blank=True)
    grouping_before_until = models.DateTimeField(null=True)
    options = models.JSONField(default=dict, db_default={}, blank=True)  # app.options.Options

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="project_slug_once")]

    def __str__(self) -> str:
        return self.slug


class ProjectTeam(models.Model):
    project = models.ForeignKey(Project, models.CASCADE)
    team = models.ForeignKey(Team, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "team"], name="project_team_once")]


def new_key() -> str:
    return secrets.token_hex(16)


class DsnKey(models.Model):
    """A public key that may send to a project; several can live side by side while one is replaced."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="keys")
    public_key = models.CharField(max_length=32, unique=True, default=new_key)
    label = models.CharField(max_length=64, default="Default")
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)
    # At most `rate_limit` events per `rate_window` seconds; None = no limit.
    rate_limit = models.PositiveIntegerField(null=True)
    rate_window = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.label} {self.public_key[:6]}…"


class Environment(models.Model):
    """A name events came from; "" is the environment of events that named none."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="environments")
    name = models.CharField(max_length=64, blank=True)
    first_seen = models.DateTimeField()
    is_hidden = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="environment_once")]

    def __str__(self) -> str:
        return self.name or "(none)"


class RateLimit(models.Model):
    """A category of which a project may send nothing for a time; the accepting side goes by it."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="limits")
    category = models.CharField(max_length=24)
    until = models.DateTimeField()
    scope = models.CharField(max_length=12)  # "organization" or "project"
    reason = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "category"], name="rate_limit_once")]
