"""The outbox: every message that has to leave, with its state and the receiver's answer."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from app.models.issue import Issue


class Notification(models.Model):
    """One message to one recipient by one channel, once per cause, written with the state it announces."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    cause = models.CharField(max_length=80)  # "new:<issue>", "regressed:<issue>:<event id>"
    recipient = models.CharField(
        max_length=254
    )  # address in the channel: an e-mail address, a webhook number
    channel = models.CharField(max_length=16)  # email, …
    kind = models.CharField(max_length=24)  # which message: issue_new, issue_regressed, …
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    issue = models.ForeignKey(Issue, models.CASCADE, null=True, related_name="+")
    data = models.JSONField(default=dict)  # what the message needs beside the issue: event id, day
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due = models.DateTimeField()  # not before; moved by retries
    claimed_until = models.DateTimeField(null=True)  # a sender that dies lets go when this has passed
    answer = models.TextField(blank=True)  # what the receiver said last
    created = models.DateTimeField(auto_now_add=True)
    sent = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cause", "recipient", "channel"], name="notification_once")
        ]
        indexes = [
            models.Index(
                "due", condition=models.Q(state__in=["pending", "sending"]), name="notification_waiting"
            )
        ]
