"""Days are made ahead and on demand, and dropped whole."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from app.store import partitions

TODAY = date(2031, 3, 1)  # far from the days other tests write to

pytestmark = pytest.mark.django_db


def days(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select relid::regclass::text from pg_partition_tree(%s::regclass) where isleaf", [table]
        )
        return [name for (name,) in cursor.fetchall()]


def test_rotation_makes_yesterday_to_a_week_ahead_for_events_and_applied_counts() -> None:
    made = partitions.rotate(TODAY).created
    expected = [TODAY + timedelta(days=ahead) for ahead in range(-1, 8)]
    assert made == sorted(f"{table}_{day:%Y%m%d}" for day in expected for table in partitions.TABLES)


def test_a_second_rotation_on_the_same_day_changes_nothing() -> None:
    partitions.rotate(TODAY)
    assert partitions.rotate(TODAY) == partitions.Rotated([], [], [])


def test_days_older_than_the_retention_are_dropped_whole(settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    kept, old = TODAY - timedelta(days=30), TODAY - timedelta(days=31)
    partitions.create([kept, old])
    dropped = partitions.rotate(TODAY).dropped
    assert {f"app_event_{old:%Y%m%d}", f"app_applied_{old:%Y%m%d}"} <= set(dropped)
    assert f"app_event_{old:%Y%m%d}" not in days("app_event")
    assert f"app_event_{kept:%Y%m%d}" in days("app_event")


def test_a_day_has_the_parents_indexes_and_keeps_bodies_in_the_row() -> None:
    partitions.create([TODAY])
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_index where indrelid = 'app_event_20310301'::regclass")
        assert cursor.fetchone() == (3,)
        cursor.execute(
            "select c.reloptions, a.attstorage from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relname = 'app_event_20310301' and a.attname = 'body'"
        )
        assert cursor.fetchone() == (["toast_tuple_target=8160"], "e")
