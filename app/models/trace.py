"""What is counted of transactions; they themselves are in partitions (app.store.traces)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from app.models.project import Project


class TransactionHour(models.Model):
    """Transactions of one name that began in one hour, with a histogram of how long they took."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    op = models.CharField(max_length=64)
    environment = models.CharField(max_length=64, blank=True)
    hour = models.DateTimeField()
    count = models.BigIntegerField()
    failed = models.BigIntegerField()
    total = models.BigIntegerField()  # µs of all of them
    buckets = ArrayField(models.SmallIntegerField())  # app.store.traces.bucket, those that have any
    counts = ArrayField(models.BigIntegerField())  # of the same length

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "hour", "name", "op", "environment"], name="transaction_hour_once"
            )
        ]


class SpanTally(models.Model):
    """What one group's transactions add to the hours."""

    created = models.DateTimeField(db_default=Now())
    broken = models.BooleanField(default=False)  # cannot be counted: kept for a person
    moved = models.TextField()  # JSON
