"""Events in daily partitions, the dictionaries their bodies are compressed with, and what was refused."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from app.models.issue import Issue
from app.models.project import DsnKey, Environment, Project
from app.models.release import Release


class BodyDictionary(models.Model):
    """What bodies are compressed with; never deleted while an event names it.

    Either trained from many bodies of a platform family, or a base: one body, itself compressed, of the issue
    with this grouping hash, which its other events differ little from.
    """

    family = models.CharField(
        max_length=32, blank=True
    )  # platform family the samples came from; "" for a base
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="+", db_index=False)
    hash = models.UUIDField(null=True)
    version = models.PositiveIntegerField()
    content = models.BinaryField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["family", "version"], condition=models.Q(project=None), name="body_dictionary_once"
            ),
            models.UniqueConstraint(fields=["project", "hash", "version"], name="body_base_once"),
        ]


class Event(models.Model):
    """One stored event. PostgreSQL partitions the table by `day` (of receipt); days are dropped whole.

    The database constraint on (day, project, event id) is what makes a redelivered group change nothing.
    The foreign keys are not constraints in the database: they would cost the hot path and keep partitions
    alive.
    """

    pk = models.CompositePrimaryKey("day", "project", "event_id")
    day = models.DateField()
    project = models.ForeignKey(
        Project, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    event_id = models.UUIDField()
    issue = models.ForeignKey(Issue, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    received = models.DateTimeField()
    timestamp = models.DateTimeField()
    level = models.PositiveSmallIntegerField()
    environment = models.ForeignKey(
        Environment, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    release = models.ForeignKey(
        Release, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    user_hash = models.BigIntegerField(null=True)
    title = models.CharField(max_length=300)
    tags = ArrayField(models.BigIntegerField())  # TagValue numbers
    dictionary = models.IntegerField(null=True)  # BodyDictionary number; None = plain zstd
    body = models.BinaryField()  # zstd of the normalised event as JSON (app.store.bodies)

    class Meta:
        managed = False  # its table is made by the migration, in SQL: Django cannot say PARTITION BY
        db_table = "app_event"


class Applied(models.Model):
    """Groups of counts that were folded already (partitioned by day like events)."""

    pk = models.CompositePrimaryKey("day", "key")
    day = models.DateField()
    key = models.UUIDField()

    class Meta:
        managed = False
        db_table = "app_applied"


class Quarantined(models.Model):
    """An event that could not be processed: its bytes as they were accepted and the reason, for replay."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    key = models.ForeignKey(DsnKey, models.SET_NULL, null=True, related_name="+")
    digest = models.UUIDField()  # of frame and item: a redelivered group quarantines once
    item = models.IntegerField()  # index in its envelope, -1 for the whole request
    category = models.CharField(max_length=24)
    reason = models.TextField()
    frame = models.BinaryField()
    received = models.DateTimeField()
    created = models.DateTimeField(auto_now_add=True)
    replayed = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="quarantined_once")]


class Outcome(models.Model):
    """How many of what came to which end, per hour: the usage page."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    key = models.ForeignKey(DsnKey, models.SET_NULL, null=True, related_name="+", db_constraint=False)
    hour = models.DateTimeField()
    category = models.CharField(max_length=24)
    outcome = models.CharField(
        max_length=20
    )  # accepted, filtered, rate_limited, invalid, abuse, client_discard
    reason = models.CharField(max_length=64, blank=True)
    quantity = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "hour", "category", "outcome", "reason", "key"],
                name="outcome_once",
                nulls_distinct=False,
            )
        ]
