"""What projects' people chose, as the workers know it."""

from __future__ import annotations

import pytest

from app.options import DEFAULT, Filters, Options
from app.store.choices import FRESH, Chosen
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_choices_are_known_within_seconds() -> None:
    clock = Clock()
    chosen = Chosen(clock)
    plain, choosy = ProjectFactory.create(), ProjectFactory.create(options={"filters": {"localhost": True}})
    found = chosen.now()
    assert found(plain.pk) is found(0) is DEFAULT
    assert found(choosy.pk) == Options(filters=Filters(localhost=True))
    assert found(choosy.pk).scrubbing is DEFAULT.scrubbing
    plain.options = {"off": ["session"]}
    plain.save()
    assert chosen.now()(plain.pk) is DEFAULT
    clock.now += FRESH
    assert chosen.now()(plain.pk).off == {"session"}
    assert found(plain.pk) is DEFAULT, "a group is read by the rules it began with"


@pytest.mark.parametrize("stored", [{"filters": {"localhost": "maybe"}}, {"off": 7}, [], "x"])
def test_what_makes_no_sense_is_not_chosen(stored: object) -> None:
    project = ProjectFactory.create(options=stored)
    assert Chosen().now()(project.pk) is DEFAULT


def test_what_is_written_out_and_the_default_is_the_default() -> None:
    project = ProjectFactory.create(options={"scrubbing": {"defaults": True}, "off": [], "later": 1})
    assert Chosen().now()(project.pk) is DEFAULT
