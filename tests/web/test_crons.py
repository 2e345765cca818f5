"""Jobs and their runs, as people see them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from app.item import Schedule
from app.models import Monitor
from tests.factories import ProjectFactory
from tests.web import scene

HOURLY = Schedule(crontab="0 * * * *", margin=5, max_runtime=30)


def rows(page: str) -> list[str]:
    found = re.findall(r"<tr><th scope.*?</tr>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([("ok", 0.1)], "OK"),
        ([("ok", 0.2), ("error", 0.1)], "Failed"),
        ([("in_progress", 0.1)], "Running"),
        ([("in_progress", 0.9)], "Timed out"),
        ([("ok", 3)], "Late"),
    ],
)
def test_the_state_of_a_job(shop: scene.Shop, ada: Client, runs: list[tuple[str, float]], state: str) -> None:
    every = Schedule(every=1, unit="hour", margin=5, max_runtime=30)
    for status, hours in runs:
        scene.ran(
            shop, "dump", status, hours, schedule=every, duration=None if status == "in_progress" else 1500
        )
    (row,) = rows(ada.get("/acme/crons/").content.decode())
    assert row.startswith(f"dump Shop {state} production every hour")


def test_environments_stand_apart_and_projects_narrow(shop: scene.Shop, ada: Client) -> None:
    till = ProjectFactory.create(organization=shop.organization, slug="till", name="Till")
    scene.ran(shop, "dump", "ok")
    scene.ran(shop, "dump", "error", environment="staging")
    scene.ran(scene.Shop(shop.user, shop.organization, till, shop.key), "close", "ok")
    found = rows(ada.get("/acme/crons/").content.decode())
    assert [row.split(" as it likes")[0] for row in found] == [
        "dump Shop OK production", "dump Shop Failed staging", "close Till OK production",
    ]  # fmt: skip
    assert len(rows(ada.get("/acme/crons/?project=till").content.decode())) == 1


def test_a_job_s_page_lists_its_runs(shop: scene.Shop, ada: Client) -> None:
    for number in range(105):
        scene.ran(shop, "dump", "error" if number == 0 else "ok", number, schedule=HOURLY)
    page = ada.get("/acme/crons/shop/dump/").content.decode()
    runs = rows(page)
    assert len(runs) == 100
    assert " Failed trace production shop@1 1.5 s" in runs[0]
    assert "0 * * * * (UTC)" in page
    assert "30 runs, 1 of them failed" in page
    assert len(rows(ada.get("/acme/crons/shop/dump/?page=2").content.decode())) == 5
    assert ada.get("/acme/crons/shop/other/").status_code == 404


def test_a_job_whose_runs_are_gone_or_whose_schedule_is_odd_is_shown(shop: scene.Shop, ada: Client) -> None:
    scene.ran(shop, "dump", schedule=HOURLY)
    monitor = Monitor.objects.get()
    monitor.check_ins.all().delete()
    assert "Never ran" in rows(ada.get("/acme/crons/").content.decode())[0]
    assert b"No run is kept" in ada.get("/acme/crons/shop/dump/").content
    Monitor.objects.update(schedule={"crontab": 7})
    assert ada.get("/acme/crons/").status_code == ada.get("/acme/crons/shop/dump/").status_code == 200


def test_the_list_asks_a_fixed_number_of_questions(
    shop: scene.Shop, ada: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        scene.ran(shop, f"job-{number}")
    with django_assert_max_num_queries(9):
        assert len(rows(ada.get("/acme/crons/").content.decode())) == 20
