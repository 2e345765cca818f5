"""`up`'s parts, killed at random moments: web server, workers, scheduler, PostgreSQL, Valkey; a full disk."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.parts import parts
from tests.faults.storm import Fault, killing, storm, times

KILLED = ("web", "worker", "scheduler", "postgres", "backend", "valkey")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path | None]:
    """A disk of 4 MB; only root may mount one."""
    if os.geteuid():
        yield None
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    assert os.system(f"mount -t tmpfs -o size=4m,mode=777 tmpfs {disk}") == 0
    yield disk
    assert os.system(f"umount -l {disk}") == 0


def filling(disk: Path) -> Fault:
    """The disk of the journal is full for a moment."""

    def fill(chance: random.Random) -> None:
        ballast = disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        assert shutil.disk_usage(disk).free == 0
        time.sleep(chance.uniform(0.05, 0.4))  # so long it lasts
        with suppress(FileNotFoundError):
            ballast.unlink()

    return fill


def test_whatever_is_killed_every_accepted_event_is_stored_once(small_disk: Path | None) -> None:
    with parts(journal=small_disk and small_disk / "journal") as every:
        faults = {name: (times(), killing(every, name)) for name in KILLED}
        if small_disk:
            faults["disk"] = (times(), filling(small_disk))
        storm(every, faults)
