"""The pages for what went wrong: each says what, and offers a way on."""

from __future__ import annotations

import logging
import uuid

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static

log = logging.getLogger(__name__)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", {"exception": _sentence(exception, Http404)}, status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"exception": _sentence(exception, PermissionDenied)}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_large = type(exception).__name__ == "RequestDataTooBig"
    sentence = str(exception) if type(exception).__name__ == "BadRequest" else ""
    name, status = ("413.html", 413) if too_large else ("400.html", 400)
    return render(request, name, {"exception": sentence}, status=status)


def broken(_request: HttpRequest) -> HttpResponse:
    """Stands on nothing that may be broken: no database, no session, no context processor."""
    number = uuid.uuid4().hex[:12]
    log.error("This failure was shown to a person as %s", number)
    page = render_to_string("500.html", {"number": number, "stylesheet": static("app.css")})
    return HttpResponse(page, status=500)


def _sentence(exception: Exception, kind: type[Exception]) -> str:
    """Our own sentence; Django's, which tells of paths and models, is kept back."""
    own = type(exception) is kind and exception.args and isinstance(exception.args[0], str)
    text = str(exception) if own else ""
    return "" if " matches the given query" in text else text
