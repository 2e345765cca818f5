"""Releases belong to an organization and are seen in its projects."""

from __future__ import annotations

from django.db import models

from app.models.organization import Organization
from app.models.project import Project


class Release(models.Model):
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="releases")
    version = models.CharField(max_length=250)
    created = models.DateTimeField()
    released = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "version"], name="release_once")]

    def __str__(self) -> str:
        return self.version


class ReleaseProject(models.Model):
    """A release as one project saw it."""

    release = models.ForeignKey(Release, models.CASCADE, related_name="in_projects")
    project = models.ForeignKey(Project, models.CASCADE, related_name="in_releases")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    events = models.BigIntegerField(default=0)
    new_issues = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "project"], name="release_project_once")]


class ReleaseHealth(models.Model):
    """Sessions of a release that began in one hour, by how they ended."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    release = models.ForeignKey(Release, models.CASCADE, related_name="+")
    environment = models.CharField(max_length=64, blank=True)
    hour = models.DateTimeField()
    healthy = models.BigIntegerField(default=0)
    errored = models.BigIntegerField(default=0)
    unhandled = models.BigIntegerField(default=0)
    abnormal = models.BigIntegerField(default=0)
    crashed = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "release", "environment", "hour"], name="release_health_once"
            )
        ]
        indexes = [models.Index(fields=["project", "hour"], name="release_health_by_hour")]
