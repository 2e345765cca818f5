"""What was appended is there, whole and in order, whatever broke off."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ingest import folder, journal, tail
from app.ingest.folder import Folder
from app.ingest.journal import Full, Journal
from app.ingest.tail import Tail
from tests.ingest.records import framed, numbers

LIMIT = 1024 * 1024 * 1024


def own_tail(made: Journal) -> Tail:
    assert made.folder
    return Tail(made.folder, lambda: made.end)


def adopted(root: Path) -> Tail:
    [found] = folder.adopt(root)
    return Tail(found)


def read(source: Tail) -> list[int]:
    """The numbers of all records that are left, confirming each group."""
    found = []
    while group := source.take():
        found += numbers(group.data)
        source.advance(group.end)
    return found


def left_behind(root: Path, data: bytes) -> Folder:
    """What a process that was killed leaves: one segment with these bytes."""
    made = folder.create(root)
    made.segment(1).write_bytes(data)
    made.release()
    return made


def aside(root: Path) -> list[bytes]:
    return [path.read_bytes() for path in (root / folder.ASIDE).glob("*")]


@given(sizes=st.lists(st.integers(0, 3000), max_size=30), cuts=st.integers(1, 7))
def test_records_come_out_as_they_went_in(sizes: list[int], cuts: int) -> None:
    frames = [framed(number, size) for number, size in enumerate(sizes)]
    with TemporaryDirectory() as root:
        written = Journal(Path(root), LIMIT)
        for at in range(0, len(frames), cuts):
            written.append(frames[at : at + cuts])
        if not frames:
            return
        assert read(own_tail(written)) == list(range(len(sizes)))


def test_groups_are_bounded_and_a_large_record_travels_alone(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(number) for number in range(450)])
    written.append([framed(450, 3 * tail.BYTES), *(framed(451 + each, tail.BYTES // 3) for each in range(4))])
    source, groups = own_tail(written), []
    while group := source.take():
        assert group.records == len(numbers(group.data)) <= tail.RECORDS
        assert len(group.data) <= tail.BYTES or group.records == 1
        groups.append(numbers(group.data))
        source.advance(group.end)
    assert [number for group_ in groups for number in group_] == list(range(455))
    assert [450] in groups


def test_a_group_comes_again_until_it_is_confirmed(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    source = own_tail(written)
    assert source.take() == source.take()
    written.close()
    source.folder.release()
    assert read(adopted(journal_root)) == [1]


def test_what_was_confirmed_is_not_shipped_again(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    source = own_tail(written)
    assert read(source) == [1]
    written.append([framed(2)])
    source.folder.release()
    assert read(adopted(journal_root)) == [2]


def test_a_damaged_offset_ships_everything_again(journal_root: Path) -> None:
    made = left_behind(journal_root, framed(1) + framed(2))
    (made.path / "offset").write_bytes(b"\0" * 20)
    assert read(adopted(journal_root)) == [1, 2]


def test_a_write_torn_at_any_byte_costs_only_what_was_not_answered(journal_root: Path) -> None:
    whole, last = framed(1) + framed(2), framed(3)
    for end in range(len(last)):
        left_behind(journal_root, whole + last[:end])
        source = adopted(journal_root)
        assert read(source) == [1, 2]
        source.folder.remove()
    assert aside(journal_root) == []


def test_the_zeros_of_a_killed_process_are_the_end_of_its_segment(
    journal_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = Journal(journal_root, LIMIT)
    killed.append([framed(1), framed(2)])
    killed.append([framed(3)])
    assert killed.folder
    assert killed.folder.segment(1).stat().st_size > journal.LAID  # zeros lie behind the records
    killed.folder.release()
    source = adopted(journal_root)
    assert read(source) == [1, 2, 3]
    assert source.folder.segments() == []
    assert (aside(journal_root), caplog.messages) == ([], [])


def test_a_write_torn_at_any_byte_over_zeros_costs_only_what_was_not_answered(journal_root: Path) -> None:
    whole, last = framed(1) + framed(2), framed(3)
    for end in range(len(last)):
        left_behind(journal_root, whole + last[:end] + bytes(500))
        source = adopted(journal_root)
        assert read(source) == [1, 2]
        source.folder.remove()
    assert aside(journal_root) == []


def test_a_segment_ends_with_its_last_record_and_zeros_are_laid_far_ahead(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    assert written.folder
    segment = written.folder.segment(1)
    laid = segment.stat().st_size
    for number in range(2, 5):
        written.append([framed(number, 500_000)])
    assert segment.stat().st_size == laid  # nothing grew with these records
    written.append([framed(5, journal.LAID + 1)])
    assert segment.stat().st_size > laid + journal.LAID
    written.close()
    assert segment.stat().st_size == written.appended


def test_a_torn_segment_does_not_hide_the_next_one(journal_root: Path) -> None:
    made = left_behind(journal_root, framed(1) + framed(2)[:-1])
    made.segment(2).write_bytes(framed(3))
    assert read(adopted(journal_root)) == [1, 3]


def test_one_damaged_byte_anywhere_costs_one_record_and_keeps_its_bytes(journal_root: Path) -> None:
    before, damaged, after = framed(1, 5), framed(2, 5), framed(3, 5) + framed(4, 5)
    for at in range(len(damaged)):
        spoilt = damaged[:at] + bytes([damaged[at] ^ 0xFF]) + damaged[at + 1 :]
        left_behind(journal_root, before + spoilt + after)
        source = adopted(journal_root)
        assert read(source) == [1, 3, 4], f"byte {at}"
        source.folder.remove()
        assert spoilt in aside(journal_root)


@given(rubbish=st.binary(max_size=300), begin=st.booleans())
def test_any_rubbish_between_records_costs_no_record(rubbish: bytes, begin: bool) -> None:
    with TemporaryDirectory() as root:
        left_behind(Path(root), (b"" if begin else framed(1)) + rubbish + framed(2) + framed(3))
        assert read(adopted(Path(root)))[-2:] == [2, 3]


def test_finished_segments_are_deleted(journal_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SEGMENT", 100)
    written = Journal(journal_root, LIMIT)
    for number in range(6):
        written.append([framed(number)])
    source = own_tail(written)
    assert len(source.folder.segments()) > 2
    assert read(source) == list(range(6))
    assert source.take() is None
    assert source.folder.segments() == [written.end.segment]
    written.append([framed(6)])
    assert read(source) == [6]


def test_only_folders_without_a_process_are_adopted(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    assert list(folder.adopt(journal_root)) == []
    assert written.folder
    written.folder.release()
    first, second = list(folder.adopt(journal_root)), list(folder.adopt(journal_root))
    assert (len(first), len(second)) == (1, 0)
    first[0].remove()
    assert list(journal_root.iterdir()) == []


def test_a_folder_that_was_never_finished_is_adopted_later(journal_root: Path) -> None:
    hidden = journal_root / ".0123"
    hidden.mkdir(parents=True)
    (hidden / "lock").touch()
    assert list(folder.adopt(journal_root)) == []
    os.utime(hidden / "lock", (1, 1))
    source = adopted(journal_root)
    assert read(source) == []
    source.folder.remove()
    assert not hidden.exists()


def test_a_full_journal_refuses_until_something_was_confirmed(journal_root: Path) -> None:
    written = Journal(journal_root, 2500)
    written.append([framed(1, 1000)])
    written.append([framed(2, 1000)])
    with pytest.raises(Full):
        written.append([framed(3, 1000)])
    source = own_tail(written)
    group = source.take()
    assert group
    source.advance(group.end)
    written.confirmed = source.passed
    written.append([framed(4, 1000)])
    assert read(source) == [4]


def test_no_zeros_are_laid_where_room_is_scarce(journal_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "ROOM", 2**60)
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    written.append([framed(2)])
    assert written.folder
    assert written.folder.segment(1).stat().st_size == written.appended


def test_the_bound_counts_every_process(journal_root: Path) -> None:
    other = Journal(journal_root, LIMIT)
    other.append([framed(1, 3000)])
    written = Journal(journal_root, 3500)
    with pytest.raises(Full):
        written.append([framed(2, 1000)])
    read(own_tail(other))
    another = Journal(journal_root, 3500)  # a process looks at the others once a second
    another.append([framed(3, 1000)])


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The kernel writes as much as fits and then fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_half_way_leaves_nothing_of_itself(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    for room in (1, 7, 50):
        with largest_file(len(framed(1)) + room), pytest.raises(OSError, match="File too large"):
            written.append([framed(2, 5000), framed(3)])
    written.append([framed(4)])
    assert written.folder
    assert written.folder.segment(1).stat().st_size == len(framed(1))
    assert read(own_tail(written)) == [1, 4]


def test_a_segment_that_cannot_be_mended_is_left_behind(journal_root: Path) -> None:
    written = Journal(journal_root, LIMIT)
    written.append([framed(1)])
    kept, written._file = written._file, os.open("/dev/full", os.O_WRONLY)  # refuses to be cut as well
    os.pwrite(kept, framed(2)[:-3], written.end.offset)
    with pytest.raises(OSError, match="No space left"):
        written.append([framed(2)])
    written.append([framed(3)])
    assert written.end.segment == 2
    assert read(own_tail(written)) == [1, 3]


def fill(written: Journal, first: int) -> int:
    """Appends until the disk refuses; the number of the record that it refused."""
    for number in range(first, first + 1000):
        try:
            written.append([framed(number, 4000)])
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017 the end of a loop, not the claim of the test
            return number
    raise AssertionError("the disk took everything")


def test_a_full_disk_refuses_and_goes_on_when_something_was_confirmed(tiny_disk: Path) -> None:
    written = Journal(tiny_disk / "journal", LIMIT)
    first = 0
    for _ in range(5):
        end = fill(written, first)
        source = own_tail(written)
        assert read(source) == list(range(first, end))
        first = end
