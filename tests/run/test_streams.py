"""What a worker prints takes a bounded part of the disk, and a secret is cut out before a text is cut."""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from retspec.engine.supervisor import streams
from retspec.engine.supervisor.holes import punch_hole
from retspec.engine.supervisor.record_reader import LARGEST, RecordReader
from retspec.engine.supervisor.streams import KEPT, FloodError, Streams
from retspec.text.masking import Mask

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 2**20
HIDDEN = "a-token-of-some-length"


def can_punch() -> bool:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(4 * MIB))
        file.flush()
        return punch_hole(file, MIB, 3 * MIB)


needs_holes = pytest.mark.skipif(not can_punch(), reason="this system, or this file system, cannot punch holes")


@pytest.fixture
def flooded() -> Iterator[Streams]:
    made = Streams()
    yield made
    made.close()


def on_disk(made: Streams) -> int:
    return sum(os.fstat(descriptor).st_blocks * 512 for descriptor in made.descriptors)


def print_mib(made: Streams, count: int) -> None:
    for _ in range(count):
        os.write(made.descriptors[0], b"x" * MIB)


def test_what_a_child_truncates_is_lost_and_what_comes_then_is_kept(flooded: Streams) -> None:
    os.write(flooded.descriptors[0], b"from the start")
    seen = len(b"from the start")
    os.ftruncate(flooded.descriptors[0], 0)
    os.write(flooded.descriptors[0], b"new")
    assert flooded.until(seen, 0)[0] == (0, 0)
    assert flooded.text(0, flooded.until(3, 0)[:1], Mask()) == "new"


def test_what_comes_after_a_truncation_is_kept_though_the_file_has_outgrown_its_old_length(flooded: Streams) -> None:
    os.write(flooded.descriptors[0], b"from the start")
    flooded.until(len(b"from the start"), 0)
    os.ftruncate(flooded.descriptors[0], 0)
    os.write(flooded.descriptors[0], b"new")
    os.write(flooded.descriptors[0], b" and then, before anyone looks, more")
    assert flooded.text(0, flooded.until(3, 0)[:1], Mask()) == "new"
    assert flooded.text(0, flooded.rest()[:1], Mask()) == " and then, before anyone looks, more"


@needs_holes
def test_the_middle_of_a_flood_is_given_back_to_the_disk_while_it_comes(flooded: Streams) -> None:
    os.write(flooded.descriptors[0], b"the begin\n")
    for _ in range(4):
        print_mib(flooded, 16)
        flooded._last_look = 0.0
        flooded.release()
        assert on_disk(flooded) <= 3 * MIB
    os.write(flooded.descriptors[0], b"the end\n")
    text = flooded.text(0, [flooded.rest()[0]], Mask())
    assert text.startswith("the begin\n")
    assert text.endswith("the end\n")
    size = 64 * MIB + len("the begin") + len("the end") + 2
    assert f"[{size - 2 * KEPT:,} bytes left out]" in text
    assert "\x00" not in text


@needs_holes
def test_what_was_printed_at_once_is_given_back_when_its_piece_ends(flooded: Streams) -> None:
    print_mib(flooded, 32)
    flooded.rest()
    assert on_disk(flooded) <= 3 * MIB


def test_a_worker_that_takes_too_much_of_the_disk_is_refused(flooded: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_ON_DISK", MIB)
    print_mib(flooded, 2)
    with pytest.raises(FloodError):
        flooded.release()


def test_the_end_of_standard_error_holds_no_piece_of_a_secret(flooded: Streams) -> None:
    os.write(flooded.descriptors[1], (HIDDEN * 2000).encode())
    kept = Mask([HIDDEN]).last(flooded.tail(), streams.TAIL)
    assert set(kept) == {"*"}


# Records ---------------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[RecordReader, int]]:
    end, start = os.pipe()
    yield RecordReader(end), start
    os.close(end)
    os.close(start)


def test_lines_come_in_order_and_a_half_waits_for_its_end(pipe: tuple[RecordReader, int]) -> None:
    reader, start = pipe
    later = time.monotonic() + 60
    assert reader.line(later) is None
    os.write(start, b"one\ntwo\nthr")
    reader.read(later)
    assert [reader.line(later) for _ in range(3)] == [b"one", b"two", None]
    os.write(start, b"ee\n")
    reader.read(later)
    assert reader.line(later) == b"three"


def test_after_a_deadline_it_looks_once_for_what_came_before(pipe: tuple[RecordReader, int]) -> None:
    reader, start = pipe
    over = time.monotonic()
    os.write(start, b"in time\n")
    assert reader.read(over) == len(b"in time\n")
    assert reader.line(over) == b"in time"
    os.write(start, b"too late\n")
    assert reader.read(over) == 0
    assert reader.line(over) is None


def test_what_came_in_time_is_dropped_when_reading_it_takes_too_long(pipe: tuple[RecordReader, int]) -> None:
    reader, start = pipe
    over = time.monotonic() - 1
    os.write(start, b"one\n" * 200)
    reader.read(time.monotonic() + 60)
    assert [reader.line(over) for _ in range(2)] == [b"one"] * 2
    reader._noticed -= 1
    assert [reader.line(over) for _ in range(99)] == [b"one"] * 98 + [None]


def test_what_came_in_time_is_read_however_late_this_process_wakes_up(pipe: tuple[RecordReader, int]) -> None:
    reader, start = pipe
    over = time.monotonic() - 60
    os.write(start, b"one\ntwo\n")
    assert reader.line(over) is None
    assert reader.read(over) == len(b"one\ntwo\n")
    assert [reader.line(over), reader.line(over), reader.line(over)] == [b"one", b"two", None]
    os.write(start, b"too late\n")
    assert reader.read(over) == 0


def test_a_line_that_does_not_end_comes_once_it_is_too_large(pipe: tuple[RecordReader, int]) -> None:
    reader, start = pipe
    later, sent = time.monotonic() + 60, 0
    while (line := reader.line(later)) is None:
        sent += os.write(start, b"x" * 65536)
        reader.read(later)
    assert LARGEST < len(line) == sent
