"""docker/Dockerfile without an engine: its stage `code` built as a folder, and what its last stage sets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docker import compose

ROOT = compose.DOCKER.parent
VENV = Path(sys.prefix)
STAGES = (compose.DOCKER / "Dockerfile").read_text().replace("\\\n", " ").split("\nFROM ")


def build(folder: Path) -> None:
    """Make `folder` by the COPY and RUN lines of the stage `code`; nobody may write to it afterwards."""
    [stage] = [stage for stage in STAGES if stage.split("\n")[0].endswith(" AS code")]
    for line in stage.splitlines():
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                copy(ROOT / source, folder / target / (source if target == "./" else ""))
        if line.startswith("RUN "):
            command = line.removeprefix("RUN ").replace("/venv", str(VENV))
            given = {"PATH": os.environ["PATH"], "TOCSIN_IMAGE": "1"}
            subprocess.run(["sh", "-ec", command], cwd=folder, env=given, check=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copy(source, target)


def environment() -> dict[str, str]:
    """The ENV lines of the last stage."""
    pairs = re.findall(r"(\w+)=(\S+)", " ".join(re.findall(r"^ENV (.*)$", STAGES[-1], re.MULTILINE)))
    return dict(pairs)
