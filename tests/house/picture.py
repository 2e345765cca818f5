"""Makes the README's picture: `python -m tests.house.picture`.

A small shop fails under the real SDK, sends to a real `up`, and Chromium looks at the issue's page.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, sync_playwright

from tests import services
from tests.flow.dashboard import Dashboard
from tests.flow.installation import folder, installation
from tests.house.tree import ROOT

PICTURE = ROOT / "docker" / "readme" / "issue.png"
SIZE = ViewportSize(width=1280, height=900)
SHOP = {
    "shop/__init__.py": "",
    "shop/prices.py": '''"""Prices are whole cents."""

RATES = {"DE": 19, "FR": 20, "GB": 20}


def gross(net: int, country: str) -> int:
    """The price with the tax of the country."""
    rate = RATES[country]
    return net + net * rate // 100
''',
    "shop/checkout.py": '''"""What happens between the basket and the parcel."""

import logging

from shop import prices

log = logging.getLogger("shop.checkout")


def total(basket: list[dict[str, int]], country: str) -> int:
    net = sum(line["net"] * line["pieces"] for line in basket)
    log.info("net total is %s cents", net)
    return prices.gross(net, country)


def pay(request):
    basket = [{"net": 1999, "pieces": 2}, {"net": 450, "pieces": 1}]
    log.info("basket of %s lines loaded", len(basket))
    return total(basket, request.GET["country"])
''',
    "serve.py": """
import os, random, sys
import django, sentry_sdk
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import path
from wsgiref.util import setup_testing_defaults

sentry_sdk.init(os.environ["SENTRY_DSN"], release="shop@" + sys.argv[1], environment="production",
                send_default_pii=True, server_name="web-2", in_app_include=["shop"])
from shop import checkout
settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF=__name__, LOGGING_CONFIG=None,
                   DATABASES={})
import logging; logging.getLogger().setLevel(logging.INFO)
urlpatterns = [path("checkout/", checkout.pay)]
django.setup()
application = WSGIHandler()
for number in range(int(sys.argv[2])):
    with sentry_sdk.isolation_scope() as scope:
        scope.set_user({"id": random.randint(1, 400), "ip_address": f"203.0.113.{random.randint(1, 250)}"})
        scope.set_tag("payment", random.choice(["card", "card", "card", "invoice", "transfer"]))
        agent = random.choice(["Firefox/145.0", "Chrome/142.0", "Chrome/142.0", "Safari/26.1"])
        country = random.choice(["AT", "AT", "CH"])
        environ = {"PATH_INFO": "/checkout/", "QUERY_STRING": "country=" + country,
                   "HTTP_USER_AGENT": "Mozilla/5.0 " + agent, "HTTP_HOST": "shop.example",
                   "SERVER_PORT": "443", "wsgi.url_scheme": "https"}
        setup_testing_defaults(environ)
        list(application(environ, lambda *_: None))
sentry_sdk.flush(30)
""",
}


def sell(dsn: str, release: str, customers: int) -> None:
    """Let that many customers fail at the checkout."""
    with tempfile.TemporaryDirectory() as place:
        for name, text in SHOP.items():
            (Path(place) / name).parent.mkdir(exist_ok=True)
            (Path(place) / name).write_text(text)
        command = [sys.executable, "serve.py", release, str(customers)]
        given = {"PATH": os.environ["PATH"], "SENTRY_DSN": dsn}
        subprocess.run(command, cwd=place, env=given, check=True, capture_output=True)


def main() -> None:
    random.seed(7)
    browser_program = services.program("chromium")
    with folder() as data, installation(data) as tocsin, sync_playwright() as playwright:
        for release, customers in (("1.4.2", 60), ("1.5.0", 187)):
            sell(tocsin.line["dsn"], release, customers)
        browser = playwright.chromium.launch(executable_path=browser_program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        dashboard = Dashboard(page, tocsin.line)
        dashboard.sign_in()
        dashboard.open("KeyError")
        PICTURE.parent.mkdir(exist_ok=True)
        page.screenshot(path=PICTURE)
        browser.close()
    with Image.open(PICTURE) as seen:
        seen.convert("RGB").quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
