"""Runs of jobs: made, finished, found again; each once."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from app.base import clock
from app.event import Counted
from app.item import CheckIn, Once, Schedule
from app.models import CheckIn as Run
from app.models import Monitor, Project
from app.store import checkins
from app.store.record import record
from tests.factories import ProjectFactory

pytestmark = pytest.mark.django_db(transaction=True)
RUN = "83a7c03ed0a04e1b97e2e3b18d38f244"


@pytest.fixture
def project() -> Project:
    found: Project = ProjectFactory.create()
    return found


def said(project: Project, status: Any = "in_progress", ago: float = 0, **changes: Any) -> CheckIn:
    values: dict[str, Any] = {
        "received": clock.micros() - round(ago * 1e6), "check_in_id": RUN, "slug": "dump", "duration": None,
        "environment": "production", "release": "", "trace_id": "", "schedule": None, **changes,
    }  # fmt: skip
    return CheckIn(project_id=project.pk, status=status, **values)


def tell(*found: CheckIn) -> None:
    count = Counted(found[0].project_id, 0, "monitor", "accepted", "", found[0].received, len(found))
    record([], onces=[Once(uuid.uuid4().hex, [count], list(found))])


def runs() -> list[tuple[str, int | None]]:
    return list(Run.objects.order_by("started").values_list("status", "duration"))


@pytest.mark.parametrize("together", [True, False])
def test_a_run_is_begun_and_finished(project: Project, together: bool) -> None:
    first, last = said(project, ago=90), said(project, "ok", ago=30)
    if together:
        tell(last, first)
    else:
        tell(first)
        tell(last)
    run = Run.objects.get()
    assert run.status == "ok"
    assert run.duration == pytest.approx(60_000, abs=1000)
    assert run.finished is not None
    assert (run.finished - run.started).total_seconds() == pytest.approx(60, abs=1)


def test_what_is_finished_does_not_change(project: Project) -> None:
    tell(said(project, "error", duration=500))
    tell(said(project, "ok"))
    tell(said(project))
    assert runs() == [("error", 500)]


def test_a_run_may_be_told_of_when_it_is_over(project: Project) -> None:
    tell(said(project, "ok", duration=2000))
    run = Run.objects.get()
    assert run.finished is not None
    assert run.finished - run.started == timedelta(seconds=2)


@pytest.mark.parametrize("together", [True, False])
def test_without_a_name_the_newest_open_run_is_meant(project: Project, together: bool) -> None:
    told = [
        said(project, ago=50, check_in_id="1" * 32), said(project, ago=40, check_in_id="2" * 32),
        said(project, ago=30, check_in_id="3" * 32, environment="staging"),
        said(project, "ok", ago=10, check_in_id=""),
        said(project, "error", ago=5, check_in_id="", slug="other"),
    ]  # fmt: skip
    if together:
        tell(*told)
    else:
        for one in told:
            tell(one)
    found = {run.check_in_id.hex[0]: run.status for run in Run.objects.filter(monitor__slug="dump")}
    assert found == {"1": "in_progress", "2": "ok", "3": "in_progress"}
    assert Run.objects.get(monitor__slug="other").status == "error"


def test_a_monitor_is_made_by_its_first_check_in_and_learns_its_schedule(project: Project) -> None:
    tell(said(project))
    assert Monitor.objects.get().schedule is None
    tell(said(project, schedule=Schedule(crontab="0 3 * * *")))
    tell(said(project))
    assert Monitor.objects.get().schedule == {"crontab": "0 3 * * *"}
    tell(said(project, schedule=Schedule(every=2)), said(project))
    assert Monitor.objects.get().schedule == {"every": 2}


def test_a_job_that_names_itself_anew_each_time_is_dropped(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkins, "_MONITORS", checkins._MONITORS.replace(str(checkins.MOST), "2"))
    for number in range(4):
        tell(said(project, slug=f"job-{number}", check_in_id=f"{number}" * 32))
    tell(said(project, "ok", slug="job-0", check_in_id="0" * 32))
    assert sorted(Monitor.objects.values_list("slug", flat=True)) == ["job-0", "job-1"]
    assert sorted(runs()) == sorted([("ok", Run.objects.get(status="ok").duration), ("in_progress", None)])


def test_what_is_delivered_twice_is_kept_once(project: Project) -> None:
    one = said(project, "ok", check_in_id="", duration=5)
    count = Counted(project.pk, 0, "monitor", "accepted", "", one.received, 1)
    once = Once(uuid.uuid4().hex, [count], [one])
    record([], onces=[once])
    record([], onces=[once])
    assert runs() == [("ok", 5)]


def test_groups_at_the_same_time_agree(project: Project) -> None:
    ids = [uuid.uuid4().hex for _ in range(40)]

    def work(status: str, order: list[str]) -> None:
        for start in range(0, 40, 4):
            tell(
                *(
                    said(project, status, check_in_id=one, slug=f"job-{one[0]}")
                    for one in order[start : start + 4]
                )
            )
        connection.close()

    workers = [
        threading.Thread(target=work, args=["in_progress", ids]),
        threading.Thread(target=work, args=["ok", ids[::-1]]),
        threading.Thread(target=work, args=["ok", ids]),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [status for status, _ in runs()] == ["ok"] * 40


def test_old_runs_are_forgotten(project: Project) -> None:
    tell(said(project, "ok", ago=3 * 86400, check_in_id="1" * 32), said(project, "ok"))
    assert checkins.expire(clock.now() - timedelta(days=2)) == 1
    assert Run.objects.get().check_in_id.hex == RUN
