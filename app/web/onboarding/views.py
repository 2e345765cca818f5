"""From a platform to the first event."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from app.accounts.dsn import dsn
from app.accounts.projects import create_project
from app.models import LISTED, DsnKey, Issue, Project
from app.web.onboarding.platforms import PLATFORMS, steps
from app.web.shell import Place, in_organization, shown

#: htmx takes this status as "nothing to swap".
UNCHANGED = 204


class NewProject(forms.Form):
    platform = forms.ChoiceField(choices=list(PLATFORMS.items()))
    name = forms.CharField(max_length=64)


@in_organization
def new_project(request: HttpRequest, place: Place) -> HttpResponse:
    place.must_manage()
    form = NewProject(request.POST or None, initial={"platform": "python"})
    if request.method == "POST" and form.is_valid():
        made = create_project(place.organization, form.cleaned_data["name"], form.cleaned_data["platform"])
        return redirect("start", place.organization.slug, made.slug)
    chosen = form["platform"].value()
    context = shown(place, form=form, platforms=PLATFORMS.items(), chosen=chosen, section="new")
    return render(request, "onboarding/new.html", context, status=400 if form.errors else 200)


@in_organization
def start(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    """The snippet with the real DSN, for the project's platform or the one in the address."""
    found = place.project(project)
    key = DsnKey.objects.filter(project=found, is_active=True).order_by("pk").first()
    platform = request.GET.get("platform") or found.platform or "python"
    platform = platform if platform in PLATFORMS else "other"
    address = dsn(key) if key else ""
    context = shown(
        place,
        project=found,
        dsn=address,
        platform=platform,
        platform_name=PLATFORMS[platform],
        platforms=PLATFORMS.items(),
        steps=steps(platform, address) if key else [],
        first=first_issue(found),
    )
    return render(request, "onboarding/start.html", context)


@in_organization
def waiting(request: HttpRequest, place: Place, project: str) -> HttpResponse:
    """Asked every second: nothing new, or the way to the first issue."""
    if not request.htmx:  # type: ignore[attr-defined]  # set by HtmxMiddleware
        raise Http404("This address is for the page's own use.")
    found = place.project(project)
    first = first_issue(found)
    if first is None:
        return HttpResponse(status=UNCHANGED)
    return render(request, "onboarding/arrived.html", shown(place, project=found, first=first))


def first_issue(project: Project) -> Issue | None:
    """The newest issue, once there is one."""
    found = Issue.objects.filter(project=project, status__in=LISTED)
    issue = found.order_by("-last_seen", "-pk").first()
    if issue is not None:
        issue.project = project
    return issue
