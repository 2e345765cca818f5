"""What git keeps of this tree, for the tests that look at all of it."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = {".png", ".gz", ".br", ".zst", ".ico", ".woff2"}


@cache
def kept() -> tuple[Path, ...]:
    """Every file that is committed or about to be, and still there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def texts() -> list[Path]:
    return [path for path in kept() if path.suffix not in BINARY]
