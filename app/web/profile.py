"""What a person may change about themselves."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from app.models import User
from app.web.shell import around, person, signed_in


def zones() -> list[tuple[str, str]]:
    """The zones people live in, UTC first."""
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=120, required=False)
    timezone = forms.ChoiceField(choices=zones)


@signed_in
def profile(request: HttpRequest) -> HttpResponse:
    user = person(request)
    form = ProfileForm(request.POST or None, initial={"name": user.name, "timezone": user.timezone})
    if request.method == "POST" and form.is_valid():
        User.objects.filter(pk=user.pk).update(**form.cleaned_data)
        messages.success(request, "Saved")
        return redirect("profile")
    context = around(request, form=form, section="profile")
    return render(request, "people/profile.html", context, status=400 if form.errors else 200)
