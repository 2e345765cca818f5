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


class Regrouping(models.Model):
    """That a project's rules are applied to the events it has: each goes where it would go if it came now."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    cause = models.CharField(max_length=80, unique=True)  # "user:<id>:<uuid of the request>"
    state = models.CharField(max_length=4, choices=State.choices, default=State.OPEN)
    before = models.JSONField(default=dict)  # app.options.Grouping that the events were grouped by, for undo
    undone_by = models.OneToOneField("self", models.SET_NULL, null=True, related_name="undoes")
    done = models.BigIntegerField(default=0)  # events
    total = models.BigIntegerField(default=0)
    moved = models.BigIntegerField(default=0)  # events that are in another issue now
    # The rules, where the work stands, and what was merged in the end.
    data = models.JSONField(default=dict)
    created = models.DateTimeField()
    touched = models.DateTimeField()  # when its last step ended
    finished = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state="open"), name="one_regrouping_at_a_time"
            )
        ]


class RegroupedIssue(models.Model):
    """How many events an issue gave to another one; gone when what follows from that is done."""

    pk = models.CompositePrimaryKey("regrouping", "source", "target")
    regrouping = models.ForeignKey(Regrouping, models.CASCADE, related_name="+", db_index=False)
    source = models.BigIntegerField()
    target = models.BigIntegerField()
    events = models.BigIntegerField(default=0)
