"""Issues that resemble one another are found, in their project alone, in few reads however many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from app.base import clock
from app.grouping import similarity
from app.models import Issue, IssueSignature, Project
from app.store import read, similar
from app.store.record import record
from tests.factories import IssueFactory, ProjectFactory
from tests.store.samples import event
from tests.store.test_read import nodes

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ["wsgi", "middleware", "view", "cart", "order", "total", "tax", "rate", "price", "round"]


def data(*names: str, kind: str = "KeyError", value: str = "no such rate") -> dict[str, Any]:
    frames = [{"function": name, "module": f"shop.{name}", "in_app": True} for name in names]
    one = {"type": kind, "value": value, "stacktrace": {"frames": frames}}
    return {"platform": "python", "exception": {"values": [one]}}


def happened(project: Project, *names: str, **more: Any) -> Issue:
    """An issue whose one event has these frames, with its signature."""
    made = data(*names, **more)
    (stored,) = record([event(project, hashes=f"{names}{more}".replace(" ", ""), data=made)])
    assert stored.issue_id is not None
    similar.update([stored.issue_id])
    return Issue.objects.get(pk=stored.issue_id)


def found(issue: Issue) -> list[int]:
    answer = similar.similar(issue, [issue.project_id])
    assert answer is not None
    return [issue_id for issue_id, _ in answer]


def test_an_issue_finds_those_like_it_the_most_alike_first() -> None:
    project = ProjectFactory.create()
    one = happened(project, *NAMES)
    near = happened(project, *NAMES, kind="TypeError")
    less = happened(project, "elsewhere", "another", *NAMES[2:])
    happened(project, "mail", "send", "connect", kind="TimeoutError", value="nobody answered")
    answer = similar.similar(one, [project.pk])
    assert answer is not None
    assert [issue_id for issue_id, _ in answer] == [near.pk, less.pk]
    assert 1 > answer[0][1] > answer[1][1] >= similar.LEAST
    assert found(near)[0] == one.pk


def test_an_issue_that_alone_is_like_itself_finds_none() -> None:
    assert found(happened(ProjectFactory.create(), *NAMES)) == []


def test_never_another_project_s_issue() -> None:
    one = happened(ProjectFactory.create(), *NAMES)
    other = happened(ProjectFactory.create(organization=one.project.organization), *NAMES)
    assert similar.similar(one, [one.project_id, other.project_id]) == []
    IssueSignature.objects.filter(issue=other).update(
        bands=IssueSignature.objects.get(issue=one).bands  # as if their numbers were the same by chance
    )
    assert similar.similar(one, [one.project_id, other.project_id]) == []


def test_nothing_is_said_of_an_issue_in_a_project_that_is_not_seen() -> None:
    one = happened(ProjectFactory.create(), *NAMES)
    happened(one.project, *NAMES, kind="TypeError")
    assert similar.similar(one, []) is None


def test_a_deleted_issue_vanishes() -> None:
    project = ProjectFactory.create()
    one, other = happened(project, *NAMES), happened(project, *NAMES, kind="TypeError")
    assert found(one) == [other.pk]
    other.delete()
    assert found(one) == []
    assert IssueSignature.objects.count() == 1


def test_an_issue_deleted_before_its_turn_is_passed_over() -> None:
    one, gone = happened(ProjectFactory.create(), *NAMES), IssueFactory.create()
    made = similarity.signature(data(*NAMES))
    Issue.objects.filter(pk=gone.pk).delete()
    assert similar.write([(one, made), (gone, made)]) == 1
    assert similar.update([gone.pk, 0]) == 0


def test_a_second_time_changes_nothing() -> None:
    project = ProjectFactory.create()
    one, other = happened(project, *NAMES), happened(project, *NAMES, kind="TypeError")
    before = list(IssueSignature.objects.order_by("pk").values("signature", "bands"))
    similar.update([one.pk, other.pk])
    assert list(IssueSignature.objects.order_by("pk").values("signature", "bands")) == before


def test_a_newer_version_s_signature_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    issue = happened(ProjectFactory.create(), *NAMES)
    IssueSignature.objects.update(version=similarity.VERSION + 1)
    assert similar.update([issue.pk]) == 0
    assert similar.missing(9) == []
    assert similar.similar(issue, [issue.project_id]) is None


def test_issues_without_a_signature_of_this_version_are_missing_the_newest_first() -> None:
    project = ProjectFactory.create()
    issues = [happened(project, *NAMES), *IssueFactory.create_batch(3, project=project)]
    assert similar.missing(9) == []  # the task that was queued for them may still come
    Issue.objects.update(created=clock.now() - similar.OVERDUE - timedelta(seconds=1))
    assert similar.missing(2) == [issues[3].pk, issues[2].pk]
    IssueSignature.objects.update(version=0)
    assert similar.missing(9) == [issue.pk for issue in reversed(issues)]
    similar.update(similar.missing(9))
    assert similar.missing(9) == []


def test_an_issue_whose_events_are_gone_is_compared_by_what_it_says_itself() -> None:
    project = ProjectFactory.create()
    words = "the till cannot reach the bank because its line is cut"
    issues = [
        IssueFactory.create(project=project, metadata={"type": "BankError", "value": words}),
        IssueFactory.create(project=project, metadata={"type": "BankError", "value": f"{words} again"}),
        IssueFactory.create(project=project, metadata={}, title=""),
    ]
    assert read.latest(issues[0]) is None
    similar.update([issue.pk for issue in issues])
    assert found(issues[0]) == [issues[1].pk]
    assert found(issues[2]) == []


@pytest.mark.parametrize("odd", [["frame"], [{"module": 7}], [[1]], "frames"])
def test_an_event_of_another_form_is_compared_by_its_title(odd: Any) -> None:
    project = ProjectFactory.create()
    shape = {"exception": {"values": [{"type": "E", "stacktrace": {"frames": odd}}]}}
    record([event(project, data=shape), event(project, hashes="b", data=data(*NAMES))])
    assert similar.update(list(Issue.objects.values_list("pk", flat=True))) == 2
    assert all(IssueSignature.objects.values_list("signature", flat=True))


def test_a_body_that_cannot_be_read_stops_nobody_else() -> None:
    project = ProjectFactory.create()
    one, other = happened(project, *NAMES), happened(project, *NAMES, kind="TypeError")
    with connection.cursor() as cursor:
        cursor.execute("update app_event set body = 'x', dictionary = null where issue_id = %s", [one.pk])
    assert similar.update([one.pk, other.pk]) == 2
    assert found(other) == []


def test_a_band_that_very_many_share_lists_no_more_and_those_that_come_later_find_the_first() -> None:
    project = ProjectFactory.create()
    made = similarity.signature(data(*NAMES))
    many = IssueFactory.create_batch(similar.LISTED + 30, project=project)
    for start in range(0, len(many), 50):
        similar.write([(issue, made) for issue in many[start : start + 50]])
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from app_issuesignature, unnest(bands) b group by b")
        assert {count for (count,) in cursor} == {similar.LISTED}
    late = happened(project, *NAMES, kind="TypeError")
    assert len(found(late)) == len(found(many[-1])) == similar.BEST
    similar.write([(many[0], made), (many[-1], made)])  # whoever is listed stays so
    assert IssueSignature.objects.get(issue=many[0]).bands
    assert not IssueSignature.objects.get(issue=many[-1]).bands
    assert similar.similar(many[-1], [project.pk]) == similar.similar(many[-1], [project.pk])


def test_a_batch_of_issues_is_written_with_as_many_statements_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issues = IssueFactory.create_batch(40, project=ProjectFactory.create())
    made = similarity.signature(data(*NAMES))
    execute, sent = psycopg.Cursor.execute, []

    def counting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(query)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    similar.write([(issues[0], made)])
    few = len(sent)
    similar.write([(issue, made) for issue in issues])
    assert len(sent) == 2 * few


def test_candidates_are_found_by_the_index_of_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    issue = happened(ProjectFactory.create(), *NAMES)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into app_issue (id, project_id, number, kind, level, platform, title, culprit, metadata,"
            " status, substatus, created, first_seen, last_seen, events, users)"
            " select 1000000 + n, project_id, 1000 + n, kind, level, platform, title, culprit, metadata,"
            " status, substatus, created, first_seen, last_seen, events, users"
            " from app_issue, generate_series(1, 5000) n"
        )
        cursor.execute(
            "insert into app_issuesignature (issue_id, project_id, version, signature, bands, updated)"
            " select id, project_id, 1, sha512(id::text::bytea), array[id, id + 1, id + 2], now()"
            " from app_issue where id > 1000000"
        )
        cursor.execute("analyze app_issuesignature, app_issue")
    values: dict[str, Any] = {
        "issue": issue.pk,
        "project": issue.project_id,
        "version": 1,
        "bands": [1000007, 1000008, 5],
    }
    with connection.cursor() as cursor:
        cursor.execute(f"explain (format json) {similar._CANDIDATES}", values)
        (((told,),),) = cursor.fetchall()
    used = [node.get("Index Name", "") for node in nodes(told["Plan"])]
    assert "issue_signature_bands" in used
    assert not [node for node in nodes(told["Plan"]) if node["Node Type"] == "Seq Scan"]
