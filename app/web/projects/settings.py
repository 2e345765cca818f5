"""A project's name, platform and keys."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from app.accounts.dsn import addresses, dsn
from app.accounts.projects import RESERVED
from app.models import DsnKey, IssueHash, Project, Tombstone
from app.store import discard
from app.store.holding import Impossible
from app.web.issues.actions import back, cause
from app.web.onboarding.platforms import PLATFORMS
from app.web.shell import Place, in_organization, shown


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=64)
    slug = forms.SlugField(max_length=50)
    platform = forms.ChoiceField(choices=[("", "Not chosen"), *PLATFORMS.items()], required=False)

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]).lower()
        if slug in RESERVED:
            raise forms.ValidationError(f"“{slug}” is a word of our own addresses; choose another.")
        return slug


class KeyForm(forms.Form):
    label = forms.CharField(max_length=64)


MOST_DISCARDED = 200
#: Windows of rate limits in seconds, with their names.
WINDOWS = {60: "minute", 300: "5 minutes", 3600: "hour", 86400: "day"}


class LimitedKeyForm(KeyForm):
    """A key with how many events it may send in which time; no number, no limit."""

    rate_limit = forms.IntegerField(min_value=1, max_value=2_000_000_000, required=False)
    rate_window = forms.TypedChoiceField(choices=list(WINDOWS.items()), coerce=int, required=False)


@in_organization
def settings(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    found = place.project(project)
    if request.method == "POST":
        place.must_manage()
    now = {"name": found.name, "slug": found.slug, "platform": found.platform}
    form = ProjectForm(request.POST or None, initial=now)
    if request.method == "POST" and form.is_valid() and _saved(found, form):
        messages.success(request, "Saved")
        return redirect("project-settings", place.organization.slug, form.cleaned_data["slug"])
    keys = DsnKey.objects.filter(project=found).order_by("pk")
    context = shown(
        place,
        project=found,
        form=form,
        keys=[(key, dsn(key), addresses(key)) for key in keys],
        windows=WINDOWS.items(),
        **_discarded(found),
    )
    return render(request, "projects/settings.html", context, status=400 if form.errors else 200)


def _saved(project: Project, form: ProjectForm) -> bool:
    """False, and said on the form, when another project has the short name."""
    try:
        with transaction.atomic():
            Project.objects.filter(pk=project.pk).update(**form.cleaned_data)
    except IntegrityError:
        form.add_error("slug", "Another project has this short name.")
        return False
    return True


@require_POST
@in_organization
def new_key(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    found = _managed(place, project)
    form = KeyForm(request.POST)
    if form.is_valid():
        DsnKey.objects.create(project=found, label=form.cleaned_data["label"])
        messages.success(request, "Key made")
    else:
        messages.error(request, "A key needs a name of at most 64 characters.")
    return redirect("project-settings", place.organization.slug, found.slug)


@require_POST
@in_organization
def change_key(request: HttpRequest, place: Place, project: str, pk: int) -> HttpResponse:
    """Renames a key, limits it, or switches it on or off; accepting knows within seconds."""
    found = _managed(place, project)
    key = get_object_or_404(DsnKey, pk=pk, project=found)
    form = LimitedKeyForm(request.POST)
    if form.is_valid():
        key.label, key.is_active = form.cleaned_data["label"], "active" in request.POST
        key.rate_limit = form.cleaned_data["rate_limit"]
        key.rate_window = (form.cleaned_data["rate_window"] or 60) if key.rate_limit else None
        key.save(update_fields=["label", "is_active", "rate_limit", "rate_window"])
        messages.success(request, "Saved")
    elif "label" in form.errors:
        messages.error(request, "A key needs a name of at most 64 characters.")
    else:
        messages.error(request, "A limit is a whole number of events, at least 1.")
    return redirect("project-settings", place.organization.slug, found.slug)


@in_organization
def delete_key(request: HttpRequest, place: Place, project: str, pk: int) -> HttpResponse:
    """Asks first: what still sends with this key would be refused."""
    found = _managed(place, project)
    key = get_object_or_404(DsnKey, pk=pk, project=found)
    if request.method == "POST":
        key.delete()
        messages.success(request, "Key deleted")
        return redirect("project-settings", place.organization.slug, found.slug)
    return render(request, "projects/delete_key.html", shown(place, project=found, key=key, dsn=dsn(key)))


@require_POST
@in_organization
def stop_discarding(request: HttpRequest, place: Place, project: str, pk: int) -> HttpResponse:
    """Takes events of a discarded issue again; the issue itself comes back if its day is not over."""
    found = place.project(project)
    stone = get_object_or_404(Tombstone, pk=pk, project=found)
    try:
        issue = discard.restore(stone.pk, place.user.pk, cause(place.user))
    except Impossible as error:
        messages.error(request, str(error))
    else:
        said = f"{issue.short_id} is back" if issue else "The next event makes a new issue"
        messages.success(request, said)
    if "next" in request.POST:
        return back(request, place)
    return redirect("project-settings", place.organization.slug, found.slug)


def _discarded(project: Project) -> dict[str, object]:
    """What is discarded, and how many events that dropped; the second question only where there is any."""
    stones = Tombstone.objects.filter(project=project).select_related("user").order_by("-created", "-pk")
    named = IssueHash.objects.filter(tombstone=OuterRef("pk"))
    found = list(stones.filter(Q(purged=None) | Exists(named))[:MOST_DISCARDED])
    for stone in found:
        stone.project = project
    return {"discarded": found, "dropped": discard.dropped(project.pk) if found else 0}


def _managed(place: Place, slug: str) -> Project:
    found = place.project(slug)
    place.must_manage()
    return found
