"""What the task layer keeps in the database: work that is due later, and work that failed for good."""

from __future__ import annotations

from django.db import models


class DueTask(models.Model):
    """A task to queue at a time. Nothing is ever delayed inside the broker (see tasks/catalogue.py)."""

    task = models.CharField(max_length=64)
    args = models.JSONField(default=list)
    body = models.BinaryField(null=True)  # a group of events, which is bytes and has no JSON
    due = models.DateTimeField(db_index=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    key = models.CharField(max_length=120, unique=True)  # the same work is due once
    created = models.DateTimeField(auto_now_add=True)


class FailedTask(models.Model):
    """A task that used up its retries or came back as a dead letter; kept for a person to replay."""

    task = models.CharField(max_length=64)
    message_id = models.CharField(max_length=64, unique=True)
    args = models.JSONField(null=True)  # None when the message could not be read
    body = models.BinaryField(null=True)  # the raw message, when that is all there is
    error = models.TextField()
    failed = models.DateTimeField(auto_now_add=True)
    replayed = models.DateTimeField(null=True)


class Heartbeat(models.Model):
    """When each queue last did some work: how the server tells its own state."""

    queue = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)
