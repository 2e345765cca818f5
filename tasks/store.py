"""Upkeep of the tables that grow."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from app.base import clock
from app.store import bases, checkins, partitions, training
from tasks.base import task


@task("store.rotate_partitions")
def rotate_partitions() -> None:
    """Makes the coming days' partitions and drops what retention has passed."""
    partitions.rotate(clock.now().date())
    bases.expire()
    checkins.expire(clock.now() - timedelta(days=settings.RETENTION_DAYS))


@task("store.train_dictionaries")
def train_dictionaries() -> None:
    """Gives each platform family a dictionary once there are bodies enough, and a newer one each day."""
    training.train()
