"""Which events of a project are one issue: its rules, tried on what it has before they hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from app import options
from app.base import clock
from app.grouping import fingerprint_rules, grammar, stack_rules
from app.grouping.builtin import RULES
from app.grouping.configs import CURRENT, RELEASED
from app.grouping.grammar import Wrong
from app.grouping.trial import Trial
from app.models import Issue, Project, Regrouping
from app.store import regroup, trial
from app.store.holding import Impossible
from app.store.trial import Chosen
from app.web.issues.actions import cause
from app.web.shell import Place, in_organization, shown
from tasks import issues as tasks

#: For so long issues are still found by the configuration before, in seconds.
TRANSITION = 90 * 86_400
#: Lines that are told to be wrong, issues whose change is shown.
MOST_WRONG, MOST_SHOWN = 10, 50
PARSERS = {"fingerprint_rules": fingerprint_rules.parse, "stack_rules": stack_rules.parse}


class GroupingForm(forms.Form):
    fingerprint_rules = forms.CharField(
        required=False, max_length=grammar.LONGEST, strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "input mono code-field", "spellcheck": "false"}),
    )  # fmt: skip
    stack_rules = forms.CharField(
        required=False, max_length=grammar.LONGEST, strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "input mono code-field", "spellcheck": "false"}),
    )  # fmt: skip
    config = forms.ChoiceField(
        required=False,
        choices=[("", f"{CURRENT}, the newest"), *((name, name) for name in RELEASED if name != CURRENT)],
    )

    def clean_fingerprint_rules(self) -> str:
        return self._rules("fingerprint_rules")

    def clean_stack_rules(self) -> str:
        return self._rules("stack_rules")

    def _rules(self, name: str) -> str:
        text = str(self.cleaned_data[name]).replace("\r\n", "\n").rstrip()
        wrong: list[Wrong] = PARSERS[name](text)[1]
        if wrong:
            raise forms.ValidationError([str(one) for one in wrong[:MOST_WRONG]])
        return text

    def chosen(self) -> Chosen:
        """Of a valid form."""
        values = self.cleaned_data
        return Chosen(values["config"], values["stack_rules"], values["fingerprint_rules"])


@dataclass(frozen=True)
class Line:
    """An issue that would change, for the page."""

    issue: Issue
    stay: int
    joins: list[tuple[Issue, int]]
    splits: list[int]

    @property
    def apart(self) -> int:
        """Events that would be in new issues."""
        return sum(self.splits)


@dataclass(frozen=True)
class Told:
    """What a try came to."""

    trial: Trial
    lines: list[Line]
    beyond: int  # more issues that would change
    seconds: float


@in_organization
def grouping(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    found = place.project(project)
    now = options.of_project(found.options).grouping
    if request.method == "POST":
        place.must_manage()
    form = GroupingForm(request.POST or None, initial=msgspec.structs.asdict(now))
    told: Told | None = None
    is_wrong = False
    if request.method == "POST":
        is_wrong = not form.is_valid()
        if not is_wrong and "try" not in request.POST:
            try:
                _save(request, place, found, form.chosen())
            except Impossible as error:
                messages.error(request, str(error))
            return redirect("project-grouping", place.organization.slug, found.slug)
        if not is_wrong:
            told = _tried(found, form.chosen())
    job = Regrouping.objects.filter(project=found).select_related("user", "undoes").order_by("-pk").first()
    context = shown(
        place,
        project=found,
        form=form,
        told=told,
        most=trial.MOST,
        job=job,
        builtin=RULES[now.config or CURRENT],
        can_undo=job is not None and regroup.can_undo(job, now),
    )
    return render(request, "projects/grouping.html", context, status=400 if is_wrong else 200)


def _tried(project: Project, chosen: Chosen) -> Told:
    began = time.monotonic()
    found = trial.attempt(project.pk, chosen)
    fates = found.fates[:MOST_SHOWN]
    named = {one for fate in fates for one in (fate.issue_id, *fate.joins)}
    issues = {issue.pk: issue for issue in Issue.objects.filter(pk__in=named, project=project)}
    for issue in issues.values():
        issue.project = project
    lines = [
        Line(
            issues[fate.issue_id],
            fate.stay,
            [(issues[one], count) for one, count in fate.joins.items() if one in issues],
            fate.splits,
        )
        for fate in fates
        if fate.issue_id in issues
    ]
    return Told(found, lines, len(found.fates) - len(lines), round(time.monotonic() - began, 1))


@require_POST
@in_organization
def undo_regrouping(request: HttpRequest, place: Place, project: str, pk: int) -> HttpResponse:
    """Brings back the rules before, and applies them to what is there."""
    found = place.project(project)
    place.must_manage()
    job = get_object_or_404(Regrouping, pk=pk, project=found)
    try:
        new = regroup.undo(job.pk, place.user.pk, cause(place.user))
    except Impossible as error:
        messages.error(request, str(error))
    else:
        tasks.regroup.later(new.pk)
        messages.success(request, "The rules before hold again, and are being applied")
    return redirect("project-grouping", place.organization.slug, found.slug)


def _save(request: HttpRequest, place: Place, project: Project, chosen: Chosen) -> None:
    """Issues get the hashes they go on under before the rules hold, so that none begins again.

    Raises Impossible.
    """
    now = options.of_project(project.options).grouping
    if Regrouping.objects.filter(project=project, state=Regrouping.State.OPEN).exists():
        raise Impossible("The rules are being applied to the past. Change them when that is done.")
    trial.carry_over(project.pk, chosen)
    older: dict[str, Any] = {"older_config": now.older_config, "older_until": now.older_until}
    if chosen.config != now.config:
        until = int(clock.now().timestamp()) + TRANSITION
        older = {"older_config": now.config or CURRENT, "older_until": until}
    kept = options.Grouping(**chosen._asdict(), **older)
    with transaction.atomic():
        stored = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        stored.options = {**stored.options, "grouping": msgspec.to_builtins(kept)}
        stored.save(update_fields=["options"])
        if "apply" not in request.POST:
            messages.success(request, "Saved; it holds within seconds")
            return
        before = now if Chosen.of(now) != chosen else regroup.applied(stored)
        job = regroup.start(stored, before, place.user.pk, cause(place.user))
    tasks.regroup.later(job.pk)
    messages.success(request, "Saved, and being applied to the events that are here")
