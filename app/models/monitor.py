"""Jobs that run by the clock, and what they say of their runs."""

from __future__ import annotations

from django.db import models

from app.models.project import Project


class Monitor(models.Model):
    """One job. It is made by its first check-in."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="monitors")
    slug = models.CharField(max_length=50)
    name = models.CharField(max_length=128)
    schedule = models.JSONField(null=True)  # app.item.Schedule; None when the job never said
    created = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "slug"], name="monitor_once")]

    def __str__(self) -> str:
        return self.slug


class CheckIn(models.Model):
    """One run of a job in one environment. Once it is finished it does not change."""

    monitor = models.ForeignKey(Monitor, models.CASCADE, related_name="check_ins", db_index=False)
    check_in_id = models.UUIDField()
    environment = models.CharField(max_length=64)
    status = models.CharField(max_length=12)  # in_progress, ok, error
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True)
    duration = models.BigIntegerField(null=True)  # ms
    release = models.CharField(max_length=250, blank=True)
    trace_id = models.UUIDField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["monitor", "check_in_id"], name="check_in_once")]
        indexes = [
            models.Index(fields=["monitor", "environment", "-started"], name="check_in_newest"),
            models.Index(fields=["started"], name="check_in_by_age"),
        ]
