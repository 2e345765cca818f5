"""What a project takes: pages that may send, categories, inbound filters and scrubbing, on one page."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from app import options
from app.models import LISTED, Issue, Project
from app.normalize import filters, rules, selectors
from app.options import UNASKED, Filters, Options, Rule, Scrubbing
from app.store import read as store
from app.web.shell import Place, in_organization, shown
from app.web.usage import CATEGORIES

#: Entries of one list, characters of one entry, rules of a project, changes that are shown of a try.
MOST_ENTRIES, LONGEST_ENTRY, MOST_RULES, MOST_CHANGES = 200, 200, 50, 100
BROWSERS = {
    "ie": "Internet Explorer", "edge": "Edge before Chromium", "safari": "Safari", "opera": "Opera",
    "opera_mini": "Opera Mini", "android": "Android browser", "chrome": "Chrome", "firefox": "Firefox",
}  # fmt: skip
#: Filters that are on or off, with what they meet.
SWITCHES = {
    "browser_extensions": ("Browser extensions", "Errors of scripts that others put into a page."),
    "web_crawlers": ("Web crawlers", "Requests of search engines and other robots."),
    "localhost": ("Localhost", "Pages and users at localhost."),
    "hydration_errors": ("Hydration errors", "React could not take over a page that extensions changed."),
    "chunk_load_errors": (
        "Chunk load errors",
        "A part of the page could not be loaded, often after a deploy.",
    ),
    "health_checks": ("Health checks", "Transactions of addresses like /healthz, /ping and /ready."),
    "browser_reports": ("Browsers' own reports", "Security reports that an extension or the browser caused."),
}
#: Lists, with what stands in a line of each.
LISTS = {
    "messages": ("Error messages", "TypeError: * is not a function"),
    "releases": ("Releases", "shop@1.*"),
    "addresses": ("IP addresses", "203.0.113.0/24"),
    "transactions": ("Transactions", "/static/*"),
    "logs": ("Log messages", "*debugging*"),
    "csp_sources": ("Sources of security reports", "*.ads.example"),
}


class Lines(forms.CharField):
    """One entry per line, blank lines left out."""

    widget = forms.Textarea(attrs={"rows": 3, "class": "input mono", "spellcheck": "false"})

    def __init__(self, kind: str = "") -> None:
        super().__init__(required=False)
        self.kind = kind

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        entries = [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]
        if len(entries) > MOST_ENTRIES:
            raise forms.ValidationError(f"No more than {MOST_ENTRIES} lines, please.")
        for entry in entries:
            if says := filters.problem(self.kind, entry):
                raise forms.ValidationError(says)
        return entries


class IncomingForm(forms.Form):
    origins = Lines()
    wanted = forms.MultipleChoiceField(
        choices=list(CATEGORIES.items()), required=False, widget=forms.CheckboxSelectMultiple
    )
    legacy_browsers = forms.MultipleChoiceField(
        choices=list(BROWSERS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )
    defaults = forms.BooleanField(required=False)
    remove_addresses = forms.BooleanField(required=False)
    fields_ = Lines()
    safe_fields = Lines()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SWITCHES:
            self.fields[name] = forms.BooleanField(required=False)
        for name in LISTS:
            self.fields[name] = Lines(name)

    @property
    def switches(self) -> list[tuple[Any, str, str]]:
        return [(self[name], label, hint) for name, (label, hint) in SWITCHES.items()]

    @property
    def lists(self) -> list[tuple[Any, str, str]]:
        return [(self[name], label, example) for name, (label, example) in LISTS.items()]

    def chosen(self, ruled: list[Rule]) -> Options:
        """Of a valid form."""
        values = self.cleaned_data
        named = {name: values[name] for name in (*SWITCHES, *LISTS, "legacy_browsers")}
        return Options(
            origins=tuple(values["origins"]) or ("*",),
            off=frozenset(CATEGORIES) - UNASKED - frozenset(values["wanted"]),
            on=UNASKED & frozenset(values["wanted"]),
            filters=Filters(**named),
            scrubbing=Scrubbing(
                defaults=values["defaults"],
                addresses=values["remove_addresses"],
                fields=values["fields_"],
                safe_fields=values["safe_fields"],
                rules=ruled,
            ),
        )


def _named(kind: type[forms.Widget], label: str, example: str = "") -> forms.Widget:
    """A widget in a row without visible labels."""
    return kind(attrs={"aria-label": label, "class": "input", "placeholder": example})


class RuleForm(forms.Form):
    """One row: without a source there is no rule."""

    method = forms.ChoiceField(
        choices=list(rules.METHODS.items()), widget=_named(forms.Select, "What is done")
    )
    type = forms.ChoiceField(
        choices=list(rules.TYPES.items()), widget=_named(forms.Select, "What is looked for")
    )
    pattern = forms.CharField(
        required=False, max_length=500, strip=False, widget=_named(forms.TextInput, "Expression", "till-\\d+")
    )
    source = forms.CharField(
        required=False, max_length=500, widget=_named(forms.TextInput, "Where", "extra.**")
    )
    placeholder = forms.CharField(
        required=False, max_length=64, widget=_named(forms.TextInput, "What is put there", "[Filtered]")
    )

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if values.get("source") and (says := rules.problem(self.rule())):
            raise forms.ValidationError(says)
        return values

    def rule(self) -> Rule:
        return Rule(**{name: self.cleaned_data.get(name, "") for name in self.fields})


RuleForms = forms.formset_factory(RuleForm, extra=1, max_num=MOST_RULES, absolute_max=MOST_RULES)


class Change(NamedTuple):
    """What scrubbing would do to one value of an event."""

    path: str
    before: str
    after: str


@in_organization
def incoming(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    found = place.project(project)
    if request.method == "POST":
        place.must_manage()
    now = options.of_project(found.options)
    form = IncomingForm(request.POST or None, initial=_initial(now))
    rows = RuleForms(
        request.POST or None,
        initial=[msgspec.structs.asdict(rule) for rule in now.scrubbing.rules],
        prefix="rule",
    )
    changes: list[Change] | None = None
    is_wrong = False
    if request.method == "POST":
        is_wrong = not (form.is_valid() and rows.is_valid())
        if not is_wrong:
            ruled = [row.rule() for row in rows.forms if row.cleaned_data.get("source")]
            chosen = msgspec.structs.replace(form.chosen(ruled), grouping=now.grouping)
            if "try" not in request.POST:
                found.options = msgspec.to_builtins(chosen)
                found.save(update_fields=["options"])
                messages.success(request, "Saved; it holds within seconds")
                return redirect("incoming", place.organization.slug, found.slug)
            changes = _tried(found, chosen.scrubbing)
    context = shown(
        place, project=found, form=form, rows=rows, changes=changes, has_tried=changes is not None
    )
    return render(request, "projects/incoming.html", context, status=400 if is_wrong else 200)


def _initial(now: Options) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(now.filters),
        "origins": now.origins,
        "wanted": [category for category in CATEGORIES if now.wants(category)],
        "defaults": now.scrubbing.defaults,
        "remove_addresses": now.scrubbing.addresses,
        "fields_": now.scrubbing.fields,
        "safe_fields": now.scrubbing.safe_fields,
    }


def _tried(project: Project, chosen: Scrubbing) -> list[Change]:
    """What would be replaced in the event that came last, beyond what was replaced when it came."""
    issue = Issue.objects.filter(project=project, status__in=LISTED).order_by("-last_seen").first()
    event = store.latest(issue) if issue else None
    if event is None:
        return []
    after = copy.deepcopy(event.data)
    rules.apply(after, chosen, looks_clean=False)
    left = {leaf.place: str(leaf.value) for leaf in selectors.leaves(after)}
    changes = [
        Change(_path(leaf.place), str(leaf.value), left.get(leaf.place, ""))
        for leaf in selectors.leaves(event.data)
        if left.get(leaf.place) != str(leaf.value)
    ]
    return changes[:MOST_CHANGES]


def _path(place: str) -> str:
    return ".".join(step.partition("\1")[0] for step in place.split("\0")[1:])
