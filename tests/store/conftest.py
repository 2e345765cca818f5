from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from app.store import bodies, names


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test begins as a new process would: no names and no dictionaries known."""
    names.forget()
    bodies.forget()
    yield
    names.forget()
    bodies.forget()


@pytest.fixture(autouse=True)
def no_events(request: pytest.FixtureRequest) -> None:
    """Django empties only the tables it made itself."""
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        request.getfixturevalue("transactional_db")
        with connection.cursor() as cursor:
            cursor.execute("delete from app_event; delete from app_applied")
