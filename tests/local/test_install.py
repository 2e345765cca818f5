"""A fresh machine is prepared by itself, or told in one sentence what is missing."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local import install

ROOT = Path(__file__).resolve().parents[2]
LOCAL, TEST = install.LOCKS


def enter(venv: Path, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py up` on a machine where `before` holds, with its environment to be made at `venv`."""
    code = f"import sys\n{before}\nfrom pathlib import Path\nfrom app.local.install import enter\n"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "TOCSIN_"))}
    return subprocess.run(
        [sys.executable, "-c", f"{code}enter('up', ['manage.py', 'up'], Path(sys.argv[1]))", str(venv)],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 8, 0), (3, 10, 13)])
def test_a_too_old_python_is_told_so_in_one_sentence(version: tuple[int, int, int]) -> None:
    code = "import runpy, sys; sys.version_info = tuple(map(int, sys.argv.pop().split('.')))"
    dotted = ".".join(map(str, version))
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; runpy.run_path('manage.py', run_name='__main__')", dotted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Tocsin needs Python 3.11 or newer; this is Python ")
    assert done.stderr.count("\n") == 1


def test_the_door_alone_says_which_two_commands_there_are() -> None:
    done = subprocess.run([sys.executable, "manage.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "`python3 manage.py up`" in done.stdout
    assert "`python3 manage.py test`" in done.stdout
    assert done.stdout.count("\n") == 1


def test_the_door_is_readable_for_pythons_that_are_too_old() -> None:
    ast.parse((ROOT / "manage.py").read_text(), feature_version=(3, 7))


def test_a_missing_venv_module_is_told_with_the_line_that_mends_it(tmp_path: Path) -> None:
    done = enter(tmp_path / ".venv", before="sys.modules['ensurepip'] = None")
    assert last_line(done) == install.NO_VENV
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once for all tests: it takes seconds."""
    place = tmp_path_factory.mktemp("made") / ".venv"
    install.make(place)
    return place


@pytest.fixture
def empty_venv(made: Path, tmp_path: Path) -> Path:
    """An environment with nothing in it but pip."""
    return Path(shutil.copytree(made, tmp_path / ".venv", symlinks=True))


def test_without_a_network_one_sentence_says_so(empty_venv: Path) -> None:
    away = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
    }
    done = enter(empty_venv, **away)
    assert "No package index could be reached" in last_line(done)
    assert not list(empty_venv.glob("*.stamp"))


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    place = tmp_path / "full"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_told_in_one_sentence(full_disk: Path) -> None:
    assert last_line(enter(full_disk / ".venv")).startswith("The disk is full: ")


def test_packages_with_other_bytes_than_the_locked_ones_are_refused() -> None:
    said = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
    assert "not the one that was locked" in install.explain(said, Path())


def test_whatever_else_pip_says_its_last_error_is_passed_on() -> None:
    said = "Collecting x\nERROR: first\nERROR: x 1.0 has no wheel for this machine\nsome notice\n"
    assert install.explain(said, Path()).endswith("installed: ERROR: x 1.0 has no wheel for this machine")


@pytest.fixture
def venv(empty_venv: Path) -> Path:
    """An environment that works, stamped as if the narrow lock had been installed."""
    place = empty_venv
    install.stamp_of(place, LOCAL).write_text(install.signature(place, LOCAL))
    return place


def test_what_was_installed_for_the_tests_is_enough_for_up_but_not_the_reverse(venv: Path) -> None:
    assert install.is_current(venv, LOCAL)
    install.prepare(LOCAL, venv)  # has nothing to do
    assert not install.is_current(venv, TEST)
    install.stamp_of(venv, LOCAL).unlink()
    install.stamp_of(venv, TEST).write_text(install.signature(venv, TEST))
    install.prepare(LOCAL, venv)
    assert not install.stamp_of(venv, LOCAL).exists()


def test_an_environment_that_was_moved_or_lost_its_python_is_made_again(venv: Path, tmp_path: Path) -> None:
    assert install.works(venv)
    moved = venv.rename(tmp_path / "elsewhere")
    assert not install.works(moved)
    assert not install.is_current(moved, LOCAL)

    shutil.rmtree(moved / "bin")
    (moved / "bin").mkdir()
    (moved / "bin" / "python").symlink_to(tmp_path / "python-that-was-removed")
    assert not install.works(moved)
