"""The catalogue tells the truth."""

from __future__ import annotations

import pytest

from tasks.application import app
from tasks.base import Task, task
from tasks.catalogue import BY_NAME, QUEUES, TASKS
from tasks.schedule import schedule


def ours() -> dict[str, Task]:
    app.loader.import_default_modules()
    return {name: made for name, made in app.tasks.items() if isinstance(made, Task)}


def test_every_task_of_the_catalogue_exists_and_no_other() -> None:
    assert set(ours()) == set(BY_NAME)


def test_every_task_says_what_it_does() -> None:
    assert [name for name, made in ours().items() if not (made.run.__doc__ or "").strip()] == []


def test_a_task_that_is_not_listed_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        task("events.forget")


def test_every_task_has_a_queue_and_every_queue_a_task() -> None:
    assert {spec.queue for spec in TASKS} == {queue.name for queue in QUEUES}


def test_a_task_goes_to_its_queue() -> None:
    for name, spec in BY_NAME.items():
        assert app.amqp.router.route({}, name)["queue"].name.endswith(spec.queue)


def test_what_the_clock_starts_is_in_the_schedule_and_expires_with_its_period() -> None:
    entries = schedule().values()
    assert {entry["task"] for entry in entries} == {spec.name for spec in TASKS if spec.every}
    for entry in entries:
        assert entry["schedule"] <= entry["options"]["expires"] <= max(2, entry["schedule"])


def test_a_heartbeat_goes_through_every_queue() -> None:
    beats = [entry for entry in schedule().values() if entry["task"] == "operations.heartbeat"]
    assert sorted(entry["args"][0] for entry in beats) == sorted(queue.name for queue in QUEUES)
    assert all(entry["options"]["queue"].endswith(entry["args"][0]) for entry in beats)
