"""Who is in an organization."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from app.models import Membership
from app.web.shell import Place, in_organization, shown


@in_organization
def members(request: HttpRequest, place: Place) -> HttpResponse:
    found = Membership.objects.filter(organization=place.organization).select_related("user")
    people = found.prefetch_related("teams__team").order_by("user__name", "user__email")
    return render(request, "people/members.html", shown(place, people=people, section="members"))
