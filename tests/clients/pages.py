"""A site whose pages carry one of the browser SDKs, bundled as its developers would."""

from __future__ import annotations

import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from tests.clients.running import PROGRAMS

PAGE = """<!doctype html><meta charset=utf-8><title>A shop</title><link rel=icon href="data:,">
<script src="/{bundle}.js"></script><h1>A shop</h1>"""


class Handler(SimpleHTTPRequestHandler):
    """Files of the site; `/csp/` is a page with a policy that its address names."""

    def do_GET(self) -> None:
        if not self.path.startswith("/csp/"):
            return super().do_GET()
        body = b'<!doctype html><title>A policy</title><link rel=icon href="data:,"><script>x = 1</script>'
        body += b'<img src="http://127.0.0.1:9/a.png">'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        report = self.path.removeprefix("/csp/")
        self.send_header("Content-Security-Policy", f"default-src 'self' data:; report-uri {report}")
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *args: Any) -> None:
        """Nobody reads it."""


class Pages:
    """The site, at `url`."""

    def __init__(self, npm: Path, folder: Path) -> None:
        self.folder = folder
        for bundle, package in (("browser11", "@sentry/browser"), ("browser7", "browser7")):
            self._bundle(npm, bundle, package)
        raven = npm / "node_modules/raven-js/dist/raven.min.js"
        (folder / "raven.js").write_bytes(raven.read_bytes())
        (folder / "bare.html").write_text(PAGE.replace('<script src="/{bundle}.js"></script>', ""))
        for name in ("browser11", "browser7", "raven"):
            (folder / f"{name}.html").write_text(PAGE.format(bundle=name))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def address(self, page: str, **query: str) -> str:
        return f"{self.url}/{page}.html?{urlencode(query)}"

    def _bundle(self, npm: Path, bundle: str, package: str) -> None:
        subprocess.run(
            [
                npm / "node_modules/.bin/esbuild", PROGRAMS / "browser.js", "--bundle", "--format=iife",
                f"--alias:sdk={npm / 'node_modules' / package}", f"--outfile={self.folder / bundle}.js",
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )  # fmt: skip

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
