"""What groups of events move, until a task folds it into the counters.

Counters are shared: each group that moved them itself would hold rows that every other group waits for, and
would write a dozen rows for each event. So a group appends one row of arrays to each of these tables, in its
events' own transaction, and `app.store.counters` sums up many of them at once, deleting what it has counted
in the transaction that counts it. The n-th elements of a row's arrays belong to its n-th event.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Tally(models.Model):
    """One group's events as issues, hours, users, releases and outcomes count them; folded every second."""

    created = models.DateTimeField(db_default=Now())
    issues = ArrayField(models.BigIntegerField())
    at = ArrayField(models.BigIntegerField())  # µs
    environments = ArrayField(models.BigIntegerField())
    releases = ArrayField(models.BigIntegerField(null=True))
    users = ArrayField(models.BigIntegerField(null=True))
    # 0: an event of an issue that was there; 1: of one that this group made, and that counted it at once;
    # 2: the event that made it.
    kinds = ArrayField(models.SmallIntegerField())
    faces = models.TextField()  # JSON: what the newest event of each issue makes it look like
    outcomes = models.TextField()  # JSON: quantities for the usage page
    broken = models.BooleanField(default=False)  # cannot be counted: kept for a person


class TagTally(models.Model):
    """The tags of one group's events; by far the most numbers, so they are folded more seldom."""

    created = models.DateTimeField(db_default=Now())
    issues = ArrayField(models.BigIntegerField())
    at = ArrayField(models.BigIntegerField())  # µs
    tags = ArrayField(models.TextField())  # each the text of a bigint[]
    broken = models.BooleanField(default=False)


class SessionTally(models.Model):
    """What one group's sessions moved in the health of releases."""

    created = models.DateTimeField(db_default=Now())
    broken = models.BooleanField(default=False)  # cannot be counted: kept for a person
    moved = models.TextField()  # JSON: project, release, environment, hour in µs, ending, how many
