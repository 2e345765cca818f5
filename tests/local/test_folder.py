"""One data folder, one `up`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local import folder
from app.local.folder import Folder
from app.local.process import NotReady

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """A folder that is taken changes it for the whole process."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def run(code: str, place: Path) -> subprocess.Popen[str]:
    """A program that has taken the folder; it says so, and stays until its input is closed."""
    program = (
        "import sys; from pathlib import Path; from app.local.folder import Folder; "
        f"data = Folder(Path(sys.argv[1])); data.take(); {code}; print('taken', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(place)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def test_a_second_up_is_told_who_has_the_data(tmp_path: Path) -> None:
    with run("pass", tmp_path) as first:
        with pytest.raises(NotReady, match=rf"running already .* \(process {first.pid}\).*--data"):
            Folder(tmp_path).take()
        first.communicate()
    Folder(tmp_path).take()


def test_a_killed_up_whose_children_still_end_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = "import subprocess; subprocess.Popen(['sleep', '2'], pass_fds=[data.inherited])"
    with run(child, tmp_path) as first:
        first.kill()
    data = Folder(tmp_path)
    monkeypatch.setattr(folder, "LEFTOVERS", 0.2)
    with pytest.raises(NotReady, match="Processes of an earlier start still use"):
        data.take()
    monkeypatch.setattr(folder, "LEFTOVERS", 20)
    data.take()


def test_the_secret_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    data = Folder(tmp_path / "new")
    assert data.secret_key() == Folder(tmp_path / "new").secret_key()
    assert len(data.secret_key()) > 50
    assert (data.place / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_data_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_DATA", "/somewhere/else")
    assert folder.default() == Path("/somewhere/else")
    monkeypatch.delenv("TOCSIN_DATA")
    assert folder.default() == (Path("/var/lib/tocsin") if os.geteuid() == 0 else ROOT / ".tocsin")


def test_what_is_written_into_it_is_for_the_owner_only(tmp_path: Path) -> None:
    data = Folder(tmp_path / "new")
    (data.place / "mail").mkdir()
    assert (data.place / "mail").stat().st_mode & 0o077 == 0
    assert data.place.stat().st_mode & 0o066 == 0
