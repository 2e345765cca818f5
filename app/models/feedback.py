"""What people said: about an error they met, or just so."""

from __future__ import annotations

from django.db import models

from app.models.project import Project


class Feedback(models.Model):
    """One message. A report about an event has the event's id, so that a later one takes its place.

    The issue is looked up when the page is shown: the event may come after what is said of it.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    feedback_id = models.UUIDField()
    event_id = models.UUIDField(null=True)  # of the error it is about
    message = models.TextField()
    name = models.CharField(max_length=128, blank=True)
    email = models.CharField(max_length=75, blank=True)
    url = models.CharField(max_length=1024, blank=True)
    source = models.CharField(max_length=50)
    environment = models.CharField(max_length=64, blank=True)
    created = models.DateTimeField()
    resolved = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "feedback_id"], name="feedback_once")]
        indexes = [
            models.Index(fields=["project", "-created"], name="feedback_newest"),
            models.Index(fields=["project", "event_id"], name="feedback_by_event"),
        ]

    def __str__(self) -> str:
        return self.message[:80]
