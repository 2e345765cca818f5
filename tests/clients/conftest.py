"""A Tocsin, and clients as their publishers ship them: from npm and PyPI, in folders of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.clients.pages import Pages
from tests.clients.running import Client, Tocsin
from tests.flow.conftest import FLAGS
from tests.flow.installation import ROOT, folder, installation

HERE = Path(__file__).parent


def kept(name: str, *contents: bytes) -> Path:
    """A folder beside the tests' environment; another one when what it is made of changes."""
    mark = hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]
    return ROOT / ".venv" / f"{name}-{mark}"


def once(target: Path, *command: str) -> Path:
    """`target`, made by the command in a folder that only takes its name when all went well."""
    if not target.exists():
        making = target.with_name(f"{target.name}.{os.getpid()}")
        making.mkdir(parents=True)
        for each in ("package.json", "package-lock.json"):
            shutil.copy(HERE / each, making)
        done = subprocess.run(
            [part.replace("TARGET", str(making)) for part in command],
            cwd=making,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        making.rename(target)
    return target


@pytest.fixture(scope="session")
def npm() -> Path:
    """The folder of the packages that package-lock.json names. Node.js must be there."""
    assert shutil.which("npm"), "these tests need Node.js with npm"
    lock = (HERE / "package-lock.json").read_bytes()
    return once(kept("npm", lock), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def pypi(*packages: str) -> Path:
    """Packages in a folder of their own."""
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    return once(kept("pypi", *map(str.encode, packages)), *pip, "--target", "TARGET", *packages)


@pytest.fixture(scope="module")
def tocsin() -> Iterator[Tocsin]:
    with folder() as data, installation(data) as running:
        yield Tocsin(running)


@pytest.fixture(scope="module")
def client(tocsin: Tocsin) -> Client:
    """Runs a client program against that Tocsin."""
    return Client(tocsin)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(npm: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A web site of somebody else, on a port of its own."""
    with Pages(npm, tmp_path_factory.mktemp("site")) as site:
        yield site
