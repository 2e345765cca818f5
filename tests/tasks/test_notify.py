"""From a new issue to one mail for each member, whatever dies on the way."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from app.base import clock
from app.models import Notable, Notification
from tests.factories import IssueFactory, MembershipFactory, ProjectFactory, UserFactory
from tests.notifications.smtp import Server, smtp_server
from tests.tasks.crews import Crew, database_url, eventually

ISSUES, PEOPLE = 25, 2


@pytest.fixture
def post() -> Iterator[tuple[Server, int]]:
    with smtp_server() as both:
        yield both


@pytest.fixture
def mailing_crew(
    broker: str, transactional_db: None, tmp_path: Path, post: tuple[Server, int]
) -> Iterator[Crew]:
    workers = Crew(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{post[1]}")
    workers.start()
    yield workers
    workers.stop()
    print(workers.log())  # shown when the test fails


def happen(count: int) -> list[int]:
    """So many new issues in a project of two people, as the store leaves them when it dies right after."""
    project = ProjectFactory.create()
    for number in range(PEOPLE):
        MembershipFactory.create(
            organization=project.organization, user=UserFactory.create(email=f"p{number}@example.com")
        )
    now = clock.now()
    rows = [
        Notable(
            issue=IssueFactory.create(project=project),
            kind="new",
            event_id=uuid.uuid4(),
            day=now.date(),
            created=now,
        )
        for _ in range(count)
    ]
    return [row.pk for row in Notable.objects.bulk_create(rows)]


def unsent() -> int:
    return Notification.objects.exclude(state="sent").count() + Notable.objects.filter(announced=None).count()


def test_what_the_store_left_behind_becomes_one_mail_each(
    mailing_crew: Crew, post: tuple[Server, int]
) -> None:
    happen(3)
    eventually(lambda: Notification.objects.count() == 3 * PEOPLE and not unsent(), 60)
    times = Counter(letter["Message-ID"] for letter in post[0].letters)
    assert len(times) == 3 * PEOPLE
    assert set(times.values()) == {1}


ANNOUNCE = """
import json, sys, django
django.setup()
from tasks.alerts import announce
for row in json.loads(sys.argv[1]):
    announce([row])
"""


@pytest.mark.needs("amqp")
@pytest.mark.parametrize("broker", ["amqp"], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_announcing_twice_and_dying_at_any_moment_tells_everyone_once(
    broker: str, tmp_path: Path, post: tuple[Server, int]
) -> None:
    """Four processes announce the same rows; each is killed at a random moment; then the workers come."""
    ids, chance = happen(ISSUES), random.Random(7)
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "QUEUE_URL": settings.QUEUE_URL,
        "QUEUE_PREFIX": settings.QUEUE_PREFIX,
        "DJANGO_SETTINGS_MODULE": "app.settings",
    }
    for _ in range(2):
        pair = [
            subprocess.Popen([sys.executable, "-c", ANNOUNCE, str(ids)], env=environment, cwd=settings.ROOT)
            for _ in range(2)
        ]
        before = Notable.objects.filter(announced=None).count()
        end = time.monotonic() + 20
        while Notable.objects.filter(announced=None).count() > before - chance.randint(1, 8):
            if time.monotonic() > end or all(process.poll() is not None for process in pair):
                break
        for process in pair:
            process.kill()
            process.wait(5)
    workers = Crew(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{post[1]}")
    workers.start()
    try:
        eventually(lambda: Notification.objects.count() == ISSUES * PEOPLE and not unsent(), 60)
    finally:
        workers.stop()
    times = Counter((letter["To"], letter["References"]) for letter in post[0].letters)
    assert len(times) == ISSUES * PEOPLE
    assert set(times.values()) == {1}


def test_the_commands_tell_what_there_is(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("queues", "apply")
    call_command("queues", "show")
    call_command("tasks")
    told = capsys.readouterr().out
    assert "events            0 waiting" in told
    assert "notify.send_email" in told
