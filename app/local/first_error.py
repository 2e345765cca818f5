"""The main job, end to end: the real SDK reports an error, and a signed-in person sees it on the dashboard.

Run as a program of its own: `python -m app.local.first_error URL DSN ORGANIZATION SECRETS_FILE`.
"""

from __future__ import annotations

import json
import re
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import sentry_sdk

PATIENCE = 45.0  # seconds from the error to the page


class FirstError(Exception):
    """Raised on purpose, to see that everything works."""


def prices() -> dict[str, int]:
    return {"net": 100, "vat": 19}


def checkout() -> int:
    found = prices()
    try:
        return found["gross"]
    except KeyError as error:
        raise FirstError("This is a first error, sent by `up --once`.") from error


def report(dsn: str) -> str:
    """Let the SDK send the error; its event id, 32 hexadecimal characters."""
    sentry_sdk.init(dsn, default_integrations=False, release="first-steps", environment="trial")
    try:
        checkout()
    except FirstError as error:
        event_id = sentry_sdk.capture_exception(error)
    sentry_sdk.flush(10)
    if not event_id:
        raise SystemExit("The SDK did not send the error.")
    return event_id


def sign_in(browser: OpenerDirector, url: str, email: str, password: str) -> None:
    address = f"{url}/accounts/login/"
    form = browser.open(address, timeout=10).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    fields = {"login": email, "password": password, "csrfmiddlewaretoken": token[1] if token else ""}
    browser.addheaders = [("Referer", address)]
    if browser.open(address, urlencode(fields).encode(), timeout=10).geturl().startswith(address):
        raise SystemExit("The first user could not sign in.")


def visible(browser: OpenerDirector, issues: str, event_id: str) -> str | None:
    """The address of the issue whose page shows this event; None when no page does yet."""
    listed = browser.open(issues, timeout=10).read().decode()
    path = issues[issues.index("/", len("https://")) :]
    for short_id in dict.fromkeys(re.findall(re.escape(path) + r"([\w-]+-\w+)/", listed)):
        try:
            shown = browser.open(f"{issues}{short_id}/events/{event_id}/", timeout=10).read().decode()
        except HTTPError as error:
            if error.code == 404:  # not of this issue, or not stored yet
                continue
            raise
        if FirstError.__name__ in shown and event_id in shown.replace("-", ""):
            return f"{issues}{short_id}/"
    return None


def main(url: str, dsn: str, organization: str, secrets: str) -> None:
    known = json.loads(Path(secrets).read_text())
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    sign_in(browser, url, known["email"], known["password"])
    began = time.monotonic()
    event_id = report(dsn)
    while time.monotonic() - began < PATIENCE:
        if address := visible(browser, f"{url}/{organization}/issues/", event_id):
            took = time.monotonic() - began
            sys.stdout.write(
                f"A first error was sent and is on the dashboard after {took:.1f} s: {address}\n"
            )
            return
        time.sleep(0.1)
    raise SystemExit(f"The first error ({event_id}) did not reach the dashboard within {PATIENCE:.0f} s.")


if __name__ == "__main__":
    main(*sys.argv[1:])
