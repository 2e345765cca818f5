from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from app.base import clock
from app.models import DueTask, FailedTask, Heartbeat, Outcome, Quarantined, User
from tasks.catalogue import QUEUES
from tests.factories import NotificationFactory
from tests.web import scene


@pytest.fixture
def staff(shop: scene.Shop, ada: Client) -> Client:
    User.objects.update(is_staff=True)
    return ada


def test_a_queue_nobody_works_on_is_told_apart(staff: Client) -> None:
    now = clock.now()
    Heartbeat.objects.create(queue="events", at=now - timedelta(seconds=61))
    Heartbeat.objects.create(queue="email", at=now - timedelta(minutes=4))
    alive = {pulse.name: pulse.is_alive for pulse in staff.get("/admin/").context["pulses"]}
    assert alive["events"]
    assert not alive["email"]
    assert not alive["notify"]
    page = staff.get("/admin/").content.decode()
    assert (page.count(">Working<"), page.count(">Silent<"), page.count(">Not seen yet<")) == (
        1,
        1,
        len(QUEUES) - 2,
    )


def test_what_was_refused_is_counted_with_its_reason(shop: scene.Shop, staff: Client) -> None:
    row = {"project": shop.project, "category": "error", "quantity": 7}
    Outcome.objects.create(hour=clock.now(), outcome="invalid", reason="bad json", **row)
    Outcome.objects.create(hour=clock.now() - timedelta(days=2), outcome="invalid", reason="long ago", **row)
    page = staff.get("/admin/").content.decode()
    assert "bad json" in page
    assert "long ago" not in page


def test_an_unsent_message_shows_the_receivers_answer(shop: scene.Shop, staff: Client) -> None:
    NotificationFactory.create(issue=shop.happened(), state="failed", answer="550 No such user", attempts=3)
    NotificationFactory.create(issue=shop.happened(), state="sent", answer="250 OK")
    page = staff.get("/admin/").content.decode()
    assert "550 No such user" in page
    assert "250 OK" not in page
    assert "Sent: 1" in page


def test_a_quarantined_event_is_tried_again_once(shop: scene.Shop, staff: Client) -> None:
    row = Quarantined.objects.create(
        project=shop.project, digest="0" * 32, item=0, category="error", reason="unreadable", frame=b"x",
        received=clock.now(),
    )  # fmt: skip
    assert b"unreadable" in staff.get("/admin/").content
    for _ in range(2):
        staff.post(f"/admin/quarantined/{row.pk}/replay/")
    due = DueTask.objects.get()
    assert (due.task, due.args) == ("events.replay_quarantined", [[row.pk]])


def test_a_failed_task_is_tried_again_once(staff: Client) -> None:
    row = FailedTask.objects.create(
        task="notify.send_email", message_id="m", args=[7], error="SMTPError: no", failed=clock.now()
    )
    assert b"SMTPError: no" in staff.get("/admin/").content
    assert b"tried again now" in staff.post(f"/admin/failed/{row.pk}/replay/", follow=True).content
    assert b"cannot be tried again" in staff.post(f"/admin/failed/{row.pk}/replay/", follow=True).content
    assert DueTask.objects.get().args == [7]


def test_a_mail_runs_nothing_loads_nothing_and_stands_only_in_our_frame(
    staff: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MAIL_FOLDER = tmp_path
    (tmp_path / "a.eml").write_bytes(
        b"Subject: Hi\nTo: ada@example.com\nContent-Type: text/html\n\n<script>alert(1)</script><h1>Hi</h1>"
    )
    (tmp_path / "half.eml").write_bytes(b"Subj")
    assert b"Hi" in staff.get("/admin/mail/").content
    page = staff.get("/admin/mail/a/")
    assert b'sandbox="allow-popups' in page.content
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    body = staff.get("/admin/mail/a/html/")
    policy = body["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "frame-ancestors 'self'" in policy
    assert body["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("mail_id", ["nothing", "..", "%00", "x" * 300, "half", "%2e%2e%2fsecret"])
def test_a_mail_that_is_not_there_is_not_found(
    mail_id: str, staff: Client, settings: Any, tmp_path: Path
) -> None:
    settings.MAIL_FOLDER = tmp_path / "mail"
    settings.MAIL_FOLDER.mkdir()
    (settings.MAIL_FOLDER / "half.eml").write_bytes(b"Subj")
    (tmp_path / "secret.eml").write_bytes(b"Subject: secret\n\n")
    assert staff.get(f"/admin/mail/{mail_id}/").status_code == 404
