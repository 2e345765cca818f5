"""The mails that were written to the folder because no mail server is set up."""

from __future__ import annotations

from csp.decorators import csp_replace, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin

from app.notifications import mailbox
from app.web.shell import around, for_staff

SHOWN = 100
#: A mail is somebody else's HTML: it runs nothing, loads nothing, and stands only in our frame.
LETTER_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'none'"],
    "connect-src": ["'none'"],
    "font-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@for_staff
def mails(request: HttpRequest) -> HttpResponse:
    context = around(
        request,
        mails=mailbox.messages(SHOWN),
        folder=settings.MAIL_FOLDER,
        by_server=bool(settings.EMAIL_URL),
        section="mail",
    )
    return render(request, "admin/mails.html", context)


@csp_update({"frame-src": ["'self'"]})
@for_staff
def letter(request: HttpRequest, mail_id: str) -> HttpResponse:
    return render(request, "admin/letter.html", around(request, mail=_mail(mail_id), section="mail"))


@csp_replace(LETTER_POLICY)
@xframe_options_sameorigin
@for_staff
def body(_request: HttpRequest, mail_id: str) -> HttpResponse:
    """The HTML as it was sent, for the sandboxed frame."""
    return HttpResponse(_mail(mail_id).html)


def _mail(mail_id: str) -> mailbox.Mail:
    found = mailbox.message(mail_id) if "\0" not in mail_id and len(mail_id) < 200 else None
    if found is None:
        raise Http404("This mail is not kept any more.")
    return found
