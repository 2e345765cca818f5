"""Jobs that carry what belongs to issues from one to another, and how far they are."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from app.models.issue import Issue
from app.models.project import Project


class IssueMove(models.Model):
    """A merge or its opposite. The hashes moved with this row; events and counters follow in small steps."""

    class Kind(models.TextChoices):
        MERGE = "merge", "Merge"
        UNMERGE = "unmerge", "Unmerge"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    survivor = models.ForeignKey(Issue, models.CASCADE, related_name="+")
    others = ArrayField(models.BigIntegerField())  # the issues that went into it, or that come out of it
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    cause = models.CharField(max_length=80, unique=True)  # "user:<id>:<uuid of the request>"
    state = models.CharField(max_length=4, choices=State.choices, default=State.OPEN)
    done = models.BigIntegerField(default=0)  # events
    total = models.BigIntegerField(default=0)
    # Merge: the state each source had; unmerge: which hash goes where. And where the work stands.
    data = models.JSONField(default=dict)
    created = models.DateTimeField()
    touched = models.DateTimeField()  # when its last step ended
    finished = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index("project", "id", condition=models.Q(state="open"), name="move_open")]


class MoveUser(models.Model):
    """A user who still has events in the issue that others are split off from; only while that goes on."""

    pk = models.CompositePrimaryKey("move", "user_hash")
    move = models.ForeignKey(IssueMove, models.CASCADE, related_name="+", db_index=False)
    user_hash = models.BigIntegerField()
