"""Migrations bring the tables the models describe, and keep to what an upgrade under load can bear."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader


@pytest.mark.django_db
def test_no_model_changed_without_a_migration() -> None:
    words = io.StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=words)
    assert "No changes detected" in words.getvalue()


@pytest.mark.django_db
def test_migrations_are_one_line_without_branches() -> None:
    graph = MigrationLoader(connection).graph
    assert len(graph.leaf_nodes("app")) == 1
    numbers = sorted(int(name[:4]) for app, name in graph.nodes if app == "app")
    assert numbers == list(range(1, len(numbers) + 1))
