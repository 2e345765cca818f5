"""The image: many stages, no compiler, an ordinary user, nothing left to write."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.docker import compose

DOCKERFILE = compose.DOCKER / "Dockerfile"
TEXT = DOCKERFILE.read_text()
LAST = TEXT.split("\nFROM ")[-1]


def test_the_linter_finds_nothing() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, text=True
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_packages_are_installed_with_their_hashes_and_nothing_is_compiled() -> None:
    assert "--require-hashes --only-binary :all:" in TEXT
    assert not re.search(r"apt-get|gcc|build-essential", TEXT)


def test_it_runs_as_a_user_with_a_number_that_orchestrators_can_check() -> None:
    assert re.findall(r"^USER (.*)$", LAST, re.MULTILINE) == ["10001:10001"]


def test_it_knows_its_health_and_says_what_it_is() -> None:
    assert re.search(r"^HEALTHCHECK .* CMD \[", LAST, re.MULTILINE)
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in LAST


def test_its_default_command_and_health_check_are_those_of_compose() -> None:
    command = re.search(r"^CMD (\[.*\])$", LAST, re.MULTILINE)
    check = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", LAST, re.MULTILINE)
    assert command
    assert check
    dashboard = compose.raw()["services"]["dashboard"]
    assert json.loads(command[1]) == dashboard["command"]
    assert ["CMD", *json.loads(check[1])] == dashboard["healthcheck"]["test"]


def test_its_version_is_the_project_s() -> None:
    project = re.search(r'^version = "(.*)"$', (compose.DOCKER.parent / "pyproject.toml").read_text(), re.M)
    assert project
    assert f"ARG VERSION={project[1]}\n" in LAST
    assert compose.raw()["x-app"]["image"] == f"${{IMAGE:-tocsin:{project[1]}}}"


def test_only_what_the_image_copies_is_sent_to_the_builder() -> None:
    ignored = (compose.DOCKER.parent / ".dockerignore").read_text().splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = set()
    for line in re.findall(r"^COPY (?!--from)(.*)$", TEXT, re.MULTILINE):
        copied |= set(line.split()[:-1])
    assert sent == copied
    assert all((compose.DOCKER.parent / path).exists() for path in copied)
