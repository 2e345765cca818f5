"""Issues: what events are grouped into, and everything counted for them."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from app.base.shortid import short_id
from app.event import LEVELS
from app.models.organization import Team
from app.models.project import Environment, Project
from app.models.release import Release


class Status(models.TextChoices):
    UNRESOLVED = "unresolved", "Unresolved"
    RESOLVED = "resolved", "Resolved"
    ARCHIVED = "archived", "Archived"
    MERGED = "merged", "Merged"  # into `merged_into`, where its events go
    DISCARDED = "discarded", "Discarded"  # to be deleted, see Tombstone


#: Those of issues that lists show and people act on.
LISTED = (Status.UNRESOLVED, Status.RESOLVED, Status.ARCHIVED)


class Substatus(models.TextChoices):
    NEW = "new", "New"
    ONGOING = "ongoing", "Ongoing"
    ESCALATING = "escalating", "Escalating"
    REGRESSED = "regressed", "Regressed"


class Issue(models.Model):
    project = models.ForeignKey(Project, models.CASCADE, related_name="issues")
    number = models.PositiveIntegerField()  # SHOP-1A is project SHOP, number 42, in base 32
    kind = models.CharField(max_length=12, default="error")
    level = models.PositiveSmallIntegerField(default=40)  # app.event.LEVELS
    platform = models.CharField(max_length=32, blank=True)
    title = models.CharField(max_length=300)
    culprit = models.CharField(max_length=200, blank=True)
    metadata = models.JSONField(default=dict)  # type, value, filename, function
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UNRESOLVED)
    substatus = models.CharField(max_length=10, choices=Substatus.choices, default=Substatus.NEW)
    created = models.DateTimeField(auto_now_add=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    events = models.BigIntegerField(default=0)
    users = models.BigIntegerField(default=0)
    # An event older than this cannot reopen the issue.
    resolved_at = models.DateTimeField(null=True)
    resolved_in = models.ForeignKey(Release, models.SET_NULL, null=True, related_name="+")
    first_release = models.ForeignKey(Release, models.SET_NULL, null=True, related_name="+")
    last_release = models.ForeignKey(Release, models.SET_NULL, null=True, related_name="+")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    assignee_team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+")
    # Never one that is merged itself: chains are flattened.
    merged_into = models.ForeignKey("self", models.CASCADE, null=True, related_name="merged", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="issue_number_once")]
        indexes = [
            models.Index(
                "merged_into", condition=models.Q(merged_into__isnull=False), name="issue_by_survivor"
            ),
            models.Index("project", "status", models.F("last_seen").desc(), name="issue_by_last_seen"),
            models.Index("project", models.F("first_seen").desc(), name="issue_by_first_seen"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def short_id(self) -> str:
        return short_id(self.project.slug, self.number)

    @property
    def level_name(self) -> str:
        return next((name for name, rank in LEVELS.items() if rank == self.level), "error")

    @property
    def is_listed(self) -> bool:
        return self.status in LISTED


class Tombstone(models.Model):
    """What is left of a discarded issue: its hashes name it for as long as their events are dropped."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    issue = models.OneToOneField(Issue, models.SET_NULL, null=True, related_name="tombstone")
    number = models.PositiveIntegerField()  # the issue's
    title = models.CharField(max_length=300)
    before = models.CharField(max_length=10)  # the issue's status, for those who think better of it
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField()
    purged = models.DateTimeField(null=True)  # since when the events are being deleted

    class Meta:
        indexes = [models.Index("created", condition=models.Q(issue__isnull=False), name="tombstone_due")]

    @property
    def short_id(self) -> str:
        return short_id(self.project.slug, self.number)


class IssueHash(models.Model):
    """A grouping hash of a project. The constraint is what makes two workers agree on one issue."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    hash = models.UUIDField()  # the 32 hex characters of MD5, in 16 bytes
    issue = models.ForeignKey(Issue, models.CASCADE, null=True, related_name="hashes")
    config = models.CharField(max_length=32)  # the grouping configuration that first made it
    variant = models.CharField(max_length=32)  # app, system, message, …: for the page that says why
    created = models.DateTimeField(auto_now_add=True)
    # "discarded": events with this hash are dropped and counted as filtered.
    state = models.CharField(max_length=10, default="active")
    tombstone = models.ForeignKey(
        Tombstone, models.SET_NULL, null=True, related_name="hashes", db_index=False
    )
    # The issue it belonged to before that was merged; None for the issue's own.
    origin = models.ForeignKey(
        Issue, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "hash"], name="issue_hash_once")]
        indexes = [
            models.Index("tombstone", condition=models.Q(tombstone__isnull=False), name="hash_by_tombstone")
        ]


class IssueSignature(models.Model):
    """What tells how alike two issues are (app.grouping.similarity), and the numbers it is found by.

    `bands` leaves out those that many issues share already: see app.store.similar.
    """

    issue = models.OneToOneField(Issue, models.CASCADE, primary_key=True, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    version = models.PositiveSmallIntegerField()
    signature = models.BinaryField()  # empty where nothing is known of the issue
    bands = ArrayField(models.BigIntegerField())
    updated = models.DateTimeField()

    class Meta:
        # Without the list of what is yet to be put into the index, which every question would have to read.
        indexes = [GinIndex(fields=["bands"], name="issue_signature_bands", fastupdate=False)]


class IssueHour(models.Model):
    """Events of an issue in one hour, per environment: sparklines, graphs and frequency rules."""

    pk = models.CompositePrimaryKey("issue", "hour", "environment")
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    hour = models.DateTimeField()
    environment = models.ForeignKey(
        Environment, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    events = models.PositiveIntegerField(default=0)


class IssueUser(models.Model):
    """That a user met an issue; `issue.users` counts the rows that were really inserted."""

    pk = models.CompositePrimaryKey("issue", "user_hash")
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    user_hash = models.BigIntegerField()  # first 64 bits of BLAKE2b over "id:7"
    first_seen = models.DateTimeField()


class TagValue(models.Model):
    """A tag's key and value, once per project; events name it by its number."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=200)
    value = models.CharField(max_length=200)
    first_seen = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "key", "value"], name="tag_value_once")]


class IssueTag(models.Model):
    """How many of an issue's events carry a tag.

    Like the two tables above it is written for every group of events, so its keys are not
    checked by the database.
    """

    pk = models.CompositePrimaryKey("issue", "tag")
    issue = models.ForeignKey(Issue, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    tag = models.ForeignKey(TagValue, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    events = models.BigIntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()


class Activity(models.Model):
    """What happened to an issue: first seen, regressed, resolved by whom. `cause` makes it happen once."""

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=24)  # first_seen, regressed, resolved, unresolved, assigned, comment
    cause = models.CharField(max_length=80)  # "event:<id>", "user:<id>:<uuid of the request>"
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "kind", "cause"], name="activity_once")]
        indexes = [models.Index("issue", models.F("at").desc(), name="activity_by_issue")]


class Notable(models.Model):
    """That an issue is new or came back, written with the event itself, kept until somebody was told.

    The queued task is only a hint: what a killed worker leaves here is found by a sweep.
    """

    issue = models.ForeignKey(Issue, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12)  # new, regressed, escalating
    event_id = models.UUIDField()
    day = models.DateField()
    created = models.DateTimeField()
    announced = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "kind", "event_id"], name="notable_once")]
        indexes = [models.Index("created", condition=models.Q(announced=None), name="notable_waiting")]
