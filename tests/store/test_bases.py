"""Bodies of an issue are stored as what differs from another one of it, and read back whole."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from app.base import clock
from app.event import Event as Arriving
from app.models import BodyDictionary, Event, Issue, Project
from app.store import bases, bodies, read, training
from app.store.record import record
from tests.factories import ProjectFactory
from tests.store.samples import event

pytestmark = pytest.mark.django_db(transaction=True)

LINES = [f"    total_{number} = order_{number}.gross * {number}" for number in range(120)]


def sent(project: Project, count: int = 1, hashes: str = "a", **fields: Any) -> list[Arriving]:
    """Events that have much in common, stored one by one."""
    events = [
        event(project, hashes=hashes, data={"extra": {"lines": LINES, "id": uuid.uuid4().hex}}, **fields)
        for _ in range(count)
    ]
    for one in events:
        record([one])
    return events


def sizes() -> list[int]:
    return [len(bytes(body)) for body in Event.objects.order_by("received").values_list("body", flat=True)]


def assert_all_come_back(project: Project, events: list[Arriving]) -> None:
    for one in events:
        row = read.event(project.pk, one.event_id, clock.day_of(one.received))
        assert row is not None
        assert (row.data, row.tags) == (one.data, one.tags)


def test_from_the_third_event_on_a_body_is_a_fraction_of_the_first_one() -> None:
    project = ProjectFactory.create()
    events = sent(project, 5)
    first, second, *others = sizes()
    assert first == pytest.approx(second, abs=60)
    assert max(others) < first / 3
    assert BodyDictionary.objects.count() == 1
    bodies.forget()
    assert_all_come_back(project, events)


def test_a_group_of_one_new_issue_has_a_base_at_once() -> None:
    project = ProjectFactory.create()
    events = [event(project, data={"extra": {"lines": LINES, "number": number}}) for number in range(20)]
    record(events)
    assert max(sizes()) < 300
    assert_all_come_back(project, events)


def test_another_process_uses_the_base_that_is_there() -> None:
    project = ProjectFactory.create()
    events = sent(project, 3)
    bodies.forget()
    events += sent(project)
    assert BodyDictionary.objects.count() == 1
    assert sizes()[-1] < sizes()[0] / 3
    assert_all_come_back(project, events)


def test_projects_do_not_share_a_base_and_it_goes_with_its_project() -> None:
    one, other = ProjectFactory.create(), ProjectFactory.create()
    sent(one, 3)
    sent(other, 3)
    assert BodyDictionary.objects.count() == 2
    Event.objects.filter(project=one).delete()
    one.delete()
    assert BodyDictionary.objects.get().project == other


def test_after_a_week_a_base_is_replaced_and_what_it_served_stays_readable() -> None:
    project = ProjectFactory.create()
    before = sent(project, 4)
    with time_machine.travel(clock.now() + bases.USED + timedelta(minutes=1), tick=True):
        after = sent(project, 5)
    assert list(BodyDictionary.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
    assert len(set(Event.objects.filter(dictionary__isnull=False).values_list("dictionary", flat=True))) == 2
    bodies.forget()
    assert_all_come_back(project, before + after)


def test_a_base_is_deleted_when_no_event_can_name_it_any_more() -> None:
    sent(ProjectFactory.create(), 3)
    assert bases.expire() == 0
    with time_machine.travel(clock.now() + timedelta(days=90 + 7 + 2)):
        assert bases.expire() == 0
    with time_machine.travel(clock.now() + timedelta(days=90 + 7 + 4)):
        assert bases.expire() == 1


def test_training_makes_one_dictionary_a_day_and_older_rows_stay_readable() -> None:
    project = ProjectFactory.create()
    words = [f"issue-{number}" for number in range(training.FEWEST)]
    events = [
        event(project, hashes=word, data={"extra": {"lines": LINES[:40], "word": word}}) for word in words
    ]
    record(events[:-1])
    assert training.train() == []
    record(events[-1:])
    (first,) = training.train()
    assert (first.family, first.version) == ("python", 1)
    assert training.train() == []
    bodies.forget()
    events += sent(project, hashes="later")
    assert Event.objects.filter(dictionary=first.pk).count() == 1
    with time_machine.travel(clock.now() + training.RENEWED + timedelta(minutes=1)):
        record([event(project, hashes=word, data={"extra": {"lines": LINES}}) for word in words])
        (second,) = training.train()
    assert second.version == 2
    bodies.forget()
    assert_all_come_back(project, events)
    with time_machine.travel(clock.now() + timedelta(days=200)):
        bases.expire()
    assert BodyDictionary.objects.get(project=None) == second
    assert Issue.objects.count() == len(words) + 1
