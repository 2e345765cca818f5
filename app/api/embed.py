"""Scripts for other people's pages: the crash dialog, and the loader that reports errors without an SDK.

Both are ours and served by ourselves: nothing comes from anybody else's network. A page may load them from
anywhere; what it sends back is held against the project's allowed origins.
"""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from app import options
from app.accounts.dsn import dsn
from app.api.authentication import dsn_key
from app.api.direct import keep
from app.models import DsnKey
from app.normalize.event import event_id
from app.wire import origins

SCRIPT = "text/javascript; charset=utf-8"
#: Seconds for which a loader may be kept: a key that was switched off is noticed then.
FRESH = 3600
#: What a page may call things, with what they are called otherwise.
TEXTS = {
    "title": "It looks like we’re having issues.",
    "subtitle": "Our team has been notified.",
    "subtitle2": "If you’d like to help, tell us what happened below.",
    "labelName": "Name",
    "labelEmail": "Email",
    "labelComments": "What happened?",
    "labelClose": "Close",
    "labelSubmit": "Submit",
    "errorGeneric": "An unknown error occurred while submitting your report. Please try again.",
    "errorFormEntry": "Some fields were invalid. Please correct the errors and try again.",
    "successMessage": "Your feedback has been sent. Thank you!",
}


class ReportForm(forms.Form):
    name = forms.CharField(max_length=128)
    email = forms.EmailField(max_length=75)
    comments = forms.CharField(max_length=4096)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST", "OPTIONS"])
def error_page(request: HttpRequest) -> HttpResponse:
    """The crash dialog: a script that shows it, and where it sends what was written."""
    if request.method == "OPTIONS":
        return _shared(request, HttpResponse())
    return _shared(request, _dialog(request))


def _dialog(request: HttpRequest) -> HttpResponse:
    key = dsn_key(request.GET.get("dsn", ""))
    if key is None:
        return JsonResponse({"detail": "There is no such DSN."}, status=404)
    about = event_id(request.GET.get("eventId", ""))
    if not about:
        return JsonResponse({"detail": "eventId is missing or no event's id."}, status=400)
    if not _is_allowed(request, key):
        return JsonResponse({"detail": "Invalid origin"}, status=403)
    if request.method != "POST":
        return _script("embed/dialog.js", _dialog_options(request))
    form = ReportForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=400)
    keep("user_report", {**form.cleaned_data, "event_id": about}, key.project, key.pk, event_id=about)
    return HttpResponse(status=200)


def _dialog_options(request: HttpRequest) -> dict[str, Any]:
    asked = request.GET
    return {
        "action": f"{settings.BASE_URL}{request.path}?{asked.urlencode()}",
        "name": asked.get("name", "")[:128],
        "email": asked.get("email", "")[:75],
        **{name: asked.get(name) or text for name, text in TEXTS.items()},
    }


def _is_allowed(request: HttpRequest, key: DsnKey) -> bool:
    """A page that says where it is must be among the project's; who says nothing is no page."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return not origin or origins.is_allowed(origin, options.of_project(key.project.options).origins)


def _shared(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Readable by the page that asked."""
    answer["Access-Control-Allow-Origin"] = request.headers.get("Origin") or "*"
    answer["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    answer["Access-Control-Allow-Headers"] = "Accept, Authorization, Content-Type, X-Requested-With"
    answer["Access-Control-Max-Age"] = "1000"
    answer["Vary"] = "Origin, Referer"
    return answer


@require_safe
def loader(request: HttpRequest, public_key: str) -> HttpResponse:  # noqa: ARG001 of every view
    """A small script that reports a page's errors; of a key that is none, one that does nothing."""
    key = DsnKey.objects.filter(public_key=public_key, is_active=True).first()
    if key is None:
        answer = HttpResponse("/* This key is unknown or switched off. */\n", content_type=SCRIPT)
    else:
        bundle = f"{settings.BASE_URL}/js-sdk-loader/sdk.js" if settings.BROWSER_SDK else ""
        envelopes = f"{settings.BASE_URL}/api/{key.project_id}/envelope/"
        told = {"dsn": dsn(key), "key": key.public_key, "envelopes": envelopes, "bundle": bundle}
        answer = _script("embed/loader.js", told)
    answer["Cache-Control"] = f"public, max-age={FRESH}"
    return _open(answer)


@require_safe
def bundle(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The SDK's own bundle, if whoever runs this server has put one there (BROWSER_SDK)."""
    try:
        with open(settings.BROWSER_SDK, "rb") as file:
            answer = HttpResponse(file.read(), content_type=SCRIPT)
    except OSError:
        answer = HttpResponse("/* No bundle is kept here. */\n", content_type=SCRIPT)
    answer["Cache-Control"] = f"public, max-age={FRESH}"
    return _open(answer)


def _script(template: str, told: dict[str, Any]) -> HttpResponse:
    """A script with what it is told as one JSON object, in which nothing can end the script."""
    text = json.dumps(told).replace("<", "\\u003c").replace(">", "\\u003e")
    return HttpResponse(render_to_string(template, {"told": text}), content_type=SCRIPT)


def _open(answer: HttpResponse) -> HttpResponse:
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["Timing-Allow-Origin"] = "*"
    return answer
