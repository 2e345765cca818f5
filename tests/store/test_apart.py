"""One impossible event costs nobody but itself; what is no event's fault is blamed on none."""

from __future__ import annotations

import pytest
from django.db import OperationalError, ProgrammingError, connection

from app.base import clock
from app.event import Counted, Refused
from app.models import Event, Issue, IssueHash, Notable, Outcome, Quarantined
from app.store.apart import record_apart
from tests.factories import DsnKeyFactory, ProjectFactory
from tests.store.samples import event, fold

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "impossible",
    [
        {"title": "NUL \0"},
        {"title": "surrogate \ud800"},
        {"event_id": "not hexadecimal"},
        {"level": "no level"},
        {"timestamp": 2**80},
        {"tags": {"key": "NUL \0"}},
        {"culprit": "NUL \0", "hashes": "alone"},
        {"environment": "NUL \0"},
        {"grouping": None},
        pytest.param({"data": {"not": object()}}, id="not JSON"),  # its address is no name for a test
    ],
    ids=str,
)
def test_neighbours_of_an_impossible_event_are_stored(impossible: dict[str, object]) -> None:
    project = ProjectFactory.create()
    good = [event(project) for _ in range(6)]
    bad = event(project, **impossible)  # type: ignore[arg-type]
    recorded = record_apart([*good[:3], bad, *good[3:]])
    stored, culprits = recorded.stored, recorded.culprits
    assert [one.event_id for one in stored] == [one.event_id for one in good]
    (culprit,) = culprits
    assert culprit.event is bad
    assert culprit.reason.startswith("Storing failed with ")
    fold()
    assert Event.objects.count() == Issue.objects.get().events == 6
    assert Notable.objects.count() == 1


def test_several_impossible_events_are_all_found() -> None:
    project = ProjectFactory.create()
    group = [event(project, title="NUL \0" if place in {0, 5, 6, 11} else "fine") for place in range(12)]
    recorded = record_apart(group)
    stored, culprits = recorded.stored, recorded.culprits
    assert len(stored) == Event.objects.count() == 8
    assert [one.event for one in culprits] == [group[0], group[5], group[6], group[11]]


def test_what_came_beside_an_impossible_event_is_counted_once() -> None:
    key = DsnKeyFactory.create()
    now = clock.micros()
    counted = [Counted(key.project_id, key.pk, "session", "filtered", "unsupported", now, 3)]
    refused = [
        Refused(
            project_id=key.project_id,
            key_id=key.pk,
            received=now,
            reason="Not JSON \0 \ud800.",
            category="error",
            frame=b"bytes",
            item=0,
        )
    ]
    record_apart([event(key.project, key), event(key.project, key, title="\0")], refused, counted)
    assert Quarantined.objects.get().reason == "Not JSON  ?."
    fold()
    outcomes = dict(Outcome.objects.values_list("outcome", "quantity"))
    assert outcomes == {"accepted": 1, "invalid": 1, "filtered": 3}


def test_a_refusal_by_a_key_that_was_deleted_is_kept() -> None:
    project = ProjectFactory.create()
    one = Refused(
        project_id=project.pk,
        key_id=987_654,
        received=clock.micros(),
        reason="Not JSON.",
        category="error",
        frame=b"bytes",
        item=0,
    )
    record_apart([], [one])
    assert Quarantined.objects.get().key_id is None


def test_a_missing_table_is_no_events_fault() -> None:
    project = ProjectFactory.create()
    with connection.cursor() as cursor:
        cursor.execute("alter table app_tally rename to app_tally_away")
    try:
        with pytest.raises(ProgrammingError):
            record_apart([event(project), event(project)])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("alter table app_tally_away rename to app_tally")
    assert IssueHash.objects.count() == 0


def test_a_standby_is_waited_for() -> None:
    project = ProjectFactory.create()
    with connection.cursor() as cursor:
        cursor.execute("set default_transaction_read_only = on")
    try:
        with pytest.raises(OperationalError):
            record_apart([event(project)])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("set default_transaction_read_only = off")
