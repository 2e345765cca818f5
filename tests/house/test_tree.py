"""The house is tidy: what stands at the top, what is left undone, what came from elsewhere."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT, kept, texts

TOP = {
    "manage.py",
    "pyproject.toml",
    "app",
    "tasks",
    "templates",
    "tests",
    "docker",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    ".ci",
    ".dockerignore",
    ".editorconfig",
    ".gitignore",
}
# Names that say it themselves.
SPEAKS = {"__init__.py", "urls.py", "apps.py"}
# Written so that this file does not contain them.
UNDONE = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"])


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_the_top_level_holds_only_what_it_always_held() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in kept()} <= TOP


def test_nothing_is_left_for_later() -> None:
    undone = re.compile(rf"\b({UNDONE})\b")
    assert [str(path.relative_to(ROOT)) for path in texts() if undone.search(read(path))] == []


def test_nothing_was_copied_from_elsewhere() -> None:
    names = [str(path.relative_to(ROOT)) for path in kept()]
    assert not [
        name for name in names if re.search(r"\.min\.(js|css)$|node_modules|vendor/|third_party", name)
    ]
    owners = [name for name in names if name.endswith(".py") and "Copy" + "right" in read(ROOT / name)[:2000]]
    assert not owners


def test_no_file_is_large() -> None:
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in kept()}
    assert {name for name, size in large.items() if size > 400_000} == set()


def test_every_module_says_what_it_is_for() -> None:
    modules = [path for path in kept() if path.suffix == ".py" and path.name not in SPEAKS]
    modules = [path for path in modules if not {"migrations", "tests"} & set(path.parts)]
    silent = [path for path in modules if not ast.get_docstring(ast.parse(read(path)))]
    assert [str(path.relative_to(ROOT)) for path in silent] == []


def test_the_import_rules_hold() -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("script", [".ci/run", "docker/lock.sh"])
def test_a_script_is_one_a_shell_can_read(script: str) -> None:
    assert read(ROOT / script).startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in read(ROOT / script)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_the_changelog_says_what_changes_next() -> None:
    assert "\n## [Unreleased]\n" in read(ROOT / "CHANGELOG.md")
