"""Rules of a project: tried on its real events, saved, and followed from then on."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django.test import Client

from app import options
from app.base import clock
from app.models import Issue, IssueHash, Regrouping, Role
from app.normalize.limits import Limits
from app.normalize.read import parts
from app.options import Grouping
from app.store.choices import chosen
from app.store.record import record as store
from tasks import events
from tests.factories import MembershipFactory
from tests.normalize.senders import record
from tests.store.samples import fold
from tests.store.test_regroup import through
from tests.web import scene
from tests.web.test_incoming import saved

PAGE = "/acme/shop/settings/grouping/"


def error(function: str, number: int = 0, *, server: str = "web-1", **more: Any) -> dict[str, Any]:
    frames = [("main", "shop.cli"), (function, "shop.pay")]
    return {
        "platform": "python",
        "tags": {"server": server},
        "exception": [
            {
                "type": "PayError",
                "value": f"no {number}",
                "stacktrace": {
                    "frames": [
                        {"function": name, "module": module, "filename": "pay.py", "in_app": True}
                        for name, module in frames
                    ]
                },
            }
        ],
        **more,
    }


def sent(shop: scene.Shop, *payloads: dict[str, Any]) -> None:
    """On the way that real events take, but for the queue."""
    chosen.forget()
    for payload in payloads:
        known = {"project_id": shop.project.pk, "key_id": shop.key.pk, "event_id": uuid.uuid4().hex}
        frame = record(json.dumps(payload).encode(), received=clock.micros(), **known)
        for part in parts(frame, Limits(), chosen.now()):
            done, wrong = events.grouped(part.events, chosen.now())
            assert not wrong
            store(done, refused=part.refused)
    fold()


def written(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&quot;", '"').split())


def of_project(shop: scene.Shop) -> Grouping:
    shop.project.refresh_from_db()
    return options.of_project(shop.project.options).grouping


def issues() -> dict[str, int]:
    """How many events each issue has, by what it is called."""
    return dict(Issue.objects.order_by("pk").values_list("title", "events"))


def test_a_try_says_what_would_change_and_changes_nothing(shop: scene.Shop, ada: Client) -> None:
    sent(shop, *(error("charge", number, server=f"web-{number % 2}") for number in range(5)), error("refund"))
    rule = "function:charge -> {{ default }} {{ tags.server }}"
    told = written(ada.post(PAGE, {"fingerprint_rules": rule, "try": "1"}))
    assert "6 events tried in" in told
    assert "2 events of 6 would be in another issue; 2 issues would be 3." in told
    assert "SHOP-1 PayError: no 4 3 stay splits 2 would be a new issue" in told
    assert of_project(shop) == Grouping()
    assert IssueHash.objects.count() == 2
    assert issues() == {"PayError: no 4": 5, "PayError: no 0": 1}


def test_a_try_says_what_would_become_one(shop: scene.Shop, ada: Client) -> None:
    sent(shop, error("charge"), error("charge"), error("refund", 7))
    told = written(ada.post(PAGE, {"fingerprint_rules": "type:PayError -> pay", "try": "1"}))
    assert "1 event of 3 would be in another issue; 2 issues would be 1." in told
    assert "SHOP-2 PayError: no 7 joins 1 go to SHOP-1" in told


def test_a_try_that_changes_nothing_says_so(shop: scene.Shop, ada: Client) -> None:
    assert "There are no events yet" in written(ada.post(PAGE, {"try": "1"}))
    sent(shop, error("charge"))
    told = written(ada.post(PAGE, {"stack_rules": "function:none -group", "try": "1"}))
    assert "Nothing: the newest event would stay in the issue it is in." in told


def test_saved_rules_hold_and_issues_go_on_under_their_new_hashes(shop: scene.Shop, ada: Client) -> None:
    sent(shop, error("charge"), error("charge", 1), error("refund", 2))
    rules = {"fingerprint_rules": "function:charge -> charging", "stack_rules": "function:main -group"}
    answer = ada.post(PAGE, rules, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert (of_project(shop).fingerprint_rules, of_project(shop).stack_rules) == tuple(rules.values())
    for text in rules.values():
        assert text.replace(">", "&gt;") in answer.content.decode()
    sent(shop, error("charge", 3), error("refund", 4))
    assert issues() == {"PayError: no 3": 3, "PayError: no 4": 2}


def test_rules_split_what_was_one_from_then_on(shop: scene.Shop, ada: Client) -> None:
    sent(shop, error("charge", server="a"), error("charge", server="b"), error("charge", server="b"))
    ada.post(PAGE, {"fingerprint_rules": 'tags.server:* -> x {{ tags.server }} title="On {{ tags.server }}"'})
    sent(shop, error("charge", server="a"), error("charge", server="b"))
    assert issues() == {"On b": 4, "On a": 1}


def test_rules_say_whose_code_it_is_and_the_culprit_follows(shop: scene.Shop, ada: Client) -> None:
    ada.post(PAGE, {"stack_rules": "function:charge -app"})
    sent(shop, error("charge"))
    assert Issue.objects.get().culprit == "shop.cli in main"
    page = ada.get("/acme/issues/SHOP-1/").content.decode()
    told = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "because of the rule “function:charge -app”" in told
    assert page.count(">in app<") == 1


def test_wrong_rules_are_told_line_by_line_and_not_saved(shop: scene.Shop, ada: Client) -> None:
    wrong = {"fingerprint_rules": "type:A -> a\nnonsense", "stack_rules": "function:x -ap"}
    answer = ada.post(PAGE, wrong)
    told = written(answer)
    assert answer.status_code == 400
    assert "Line 2, column 1: Here should be a matcher" in told
    assert "Line 1, column 12: There is no such action" in told
    assert of_project(shop) == Grouping()


def test_an_older_configuration_can_be_kept_and_left_without_splitting(shop: scene.Shop, ada: Client) -> None:
    node = {**error("charge"), "platform": "node"}
    ticks = {"function": "processTicksAndRejections", "filename": "node:internal/tasks", "in_app": False}
    node["exception"][0]["stacktrace"]["frames"].insert(0, ticks)
    ada.post(PAGE, {"config": "2026-11"})
    sent(shop, node)
    (before,) = Issue.objects.all()
    ada.post(PAGE, {"config": ""})
    found = of_project(shop)
    assert (found.config, found.older_config) == ("", "2026-11")
    assert found.older_until > clock.now().timestamp() + 80 * 86_400
    IssueHash.objects.filter(config="2026-12").delete()  # as if more had come than saving looks at
    sent(shop, node)
    assert Issue.objects.get().pk == before.pk
    assert Issue.objects.get().events == 2


def test_only_who_manages_the_project_may_try_or_save(shop: scene.Shop, client: Client) -> None:
    member = MembershipFactory.create(organization=shop.organization, role=Role.MEMBER)
    client.force_login(member.user)
    page = client.get(PAGE)
    assert b"You may look, not change" in page.content
    for how in ({}, {"try": "1"}):
        assert client.post(PAGE, {"stack_rules": "function:a -group", **how}).status_code == 403


def test_what_is_chosen_elsewhere_stays(shop: scene.Shop, ada: Client) -> None:
    ada.post(PAGE, {"stack_rules": "function:a -group"})
    saved(ada, remove_addresses="on")
    assert of_project(shop).stack_rules == "function:a -group"
    ada.post(PAGE, {"stack_rules": "function:b -group"})
    shop.project.refresh_from_db()
    assert options.of_project(shop.project.options).scrubbing.addresses


def test_rules_are_applied_to_the_past_with_progress_and_undone(shop: scene.Shop, ada: Client) -> None:
    sent(shop, error("charge", server="a"), error("charge", server="b"), error("charge", server="b"))
    ada.post(PAGE, {"fingerprint_rules": "tags.server:* -> {{ default }} {{ tags.server }}", "apply": "1"})
    job = Regrouping.objects.get()
    assert (job.user, job.state, job.total) == (shop.user, "open", 3)
    assert "0 of about 3 events read" in written(ada.get(PAGE))
    answer = ada.post(PAGE, {"fingerprint_rules": ""}, follow=True)
    assert "Change them when that is done" in written(answer)
    through(job)
    assert sorted(Issue.objects.values_list("events", flat=True)) == [1, 2]
    told = written(ada.get(PAGE))
    assert "3 events were read, 1 of them is in another issue now." in told
    assert "Undo" in told
    answer = ada.post(f"{PAGE}{job.pk}/undo/", follow=True)
    assert "The rules before hold again" in written(answer)
    back = Regrouping.objects.get(undoes=job)
    through(back)
    assert Issue.objects.get(number=1).events == 3
    told = written(ada.get(PAGE))
    assert "The rules before, applied again" in told
    assert of_project(shop) == Grouping()


def test_what_cannot_be_undone_any_more_says_so(shop: scene.Shop, ada: Client) -> None:
    ada.post(PAGE, {"stack_rules": "function:a -group", "apply": "1"})
    job = Regrouping.objects.get()
    through(job)
    ada.post(PAGE, {"stack_rules": "function:b -group"})
    assert "Undo" not in written(ada.get(PAGE))
    assert "The rules were changed since" in written(ada.post(f"{PAGE}{job.pk}/undo/", follow=True))
