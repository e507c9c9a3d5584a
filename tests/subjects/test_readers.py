"""Many images are read by processes: what they say is what this one sees, and what they cannot say it looks at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from retspec.facts import Dataset
from retspec.facts.datasets import Stored
from retspec.measurements.images import images
from retspec.processes import descendants
from retspec.regular_files import Part
from retspec.subjects.data.addresses import addresses
from retspec.subjects.data.reader_process import ReaderProcess
from retspec.subjects.data.readers import reading_on_all_cores
from retspec.subjects.data.reading import Reading
from retspec.subjects.data.sources.imagefolder import ImageFolder, imagefolder
from tests.photos import draw, healthy, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.facts import Images
    from retspec.subjects.data.addresses import Address
    from retspec.subjects.data.reading import Seen

READING = Reading(10**6)
MODULE = b"retspec.subjects.data.reader"
IN_PROC = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retspec.subjects.data.readers.EACH", 8)
    monkeypatch.setattr("retspec.subjects.data.readers.cores", lambda: 2)


class Blind(Reading):
    """Sees nothing, so that what is seen is what another process saw."""

    def of(self, path: str | Path | Part) -> Seen:
        raise AssertionError(path)


@contextmanager
def process_of(reading: Reading) -> Iterator[ReaderProcess]:
    with closing(ReaderProcess(reading)) as process:
        assert process.has_started(60)
        yield process


@pytest.fixture
def process() -> Iterator[ReaderProcess]:
    with process_of(READING) as started:
        yield started


def damaged(root: Path) -> Path:
    """Write images of which some are cut off, gone, doubled, or no images."""
    healthy(root)
    truncate(root / "train/0_none/0.jpg")
    (root / "val/0_none/1.jpg").write_text("<html>404</html>")
    (root / "val/1_mild/0.jpg").unlink()
    (root / "val/1_mild/0.jpg").symlink_to("nowhere.jpg")
    (root / "val/1_mild/1.jpg").write_bytes((root / "train/1_mild/1.jpg").read_bytes())
    return root


def readers() -> list[int]:
    """Return the processes that read images; other tests may have left one that waits."""
    children = [child.pid for child in descendants(os.getpid())]
    return [pid for pid in children if MODULE in Path(f"/proc/{pid}/cmdline").read_bytes()]


def measured(root: Path) -> tuple[Images, set[int]]:
    """Return the facts, and how many processes there were while they were found."""
    processes: set[int] = set()
    dataset = imagefolder(ImageFolder(root="."), root)
    return images(dataset, lambda _done, _total: processes.add(len(readers()))), processes


def only_process() -> int:
    (found,) = readers()
    return found


# The same facts -----------------------------------------------------------------------------------


@IN_PROC
def test_processes_see_what_threads_see(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    root = damaged(tmp_path)
    by_threads, processes = measured(root)
    assert (len(by_threads.corrupt), len(by_threads.identical), len(by_threads.near)) == (2, 1, 1)
    assert processes == {0}
    request.getfixturevalue("two_processes")
    assert measured(root) == (by_threads, {2})
    assert not readers()


def test_the_address_of_an_image_is_that_of_its_content(tmp_path: Path) -> None:
    odd = [
        "a.png",
        "b/c.png",
        "./a.png",
        "b/./c.png",
        "b//c.png",
        "b/../a.png",
        "/a.png",
        "b/",
        "b/.",
        "",
        ".",
        ".a./b",
    ]
    for folder in (str(tmp_path), f"{tmp_path}//x/.", ".", "", "/"):
        dataset = Dataset(folder, {}, stored={"in.tar/a.png": Stored("in.tar", 512, 10)})
        found = addresses(dataset, [*odd, "in.tar/a.png"])
        assert found.pop("in.tar/a.png") == dataset.content("in.tar/a.png")
        assert found == {file: str(dataset.content(file)) for file in odd}


def test_each_kind_of_address_is_read(tmp_path: Path, process: ReaderProcess) -> None:
    draw(tmp_path / "a.png", 0)
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "whole.tar").write_bytes(b"before" + content + b"after")
    odd = os.fsdecode(b"\xff.png")
    (tmp_path / odd).write_bytes(content)
    Image.new("L", (1001, 1000)).save(tmp_path / "large.png")
    part: list[Address] = [
        *(str(tmp_path / name) for name in ("a.png", odd, "large.png", "absent.png", "a\0.png")),
        Part(tmp_path / "whole.tar", 6, len(content), "inside"),
        Part(tmp_path / "whole.tar", 6, 10**6, "beyond"),
    ]
    found = process.read(part)
    assert found == [READING.of(address) for address in part]
    assert [each.look is not None for each in found] == [True, True, False, False, False, True, False]
    clear = [address for address, each in zip(part, found, strict=True) if not each.reason]
    with process_of(Blind(READING.limit)) as alone:
        assert alone.read(clear) == [each for each in found if not each.reason]


def test_while_a_process_starts_this_one_reads(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", 0)
    with closing(ReaderProcess(READING)) as starting:
        part: list[Address] = [str(tmp_path / "a.png")]
        assert starting.read(part) == [READING.of(part[0])]


def test_a_warning_of_a_decoder_is_one_of_this_process(tmp_path: Path, process: ReaderProcess) -> None:
    picture = Image.new("P", (64, 64))
    picture.putpalette([*range(256)] * 3)
    picture.save(tmp_path / "a.png", transparency=bytes(range(256)))
    with pytest.warns(UserWarning, match="Palette images with Transparency"):
        (seen,) = process.read([str(tmp_path / "a.png")])
    assert seen.look is not None


@IN_PROC
@pytest.mark.usefixtures("two_processes")
def test_where_anyone_else_decodes_this_process_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(_file: object, _name: object) -> Image.Image:
        raise AssertionError

    monkeypatch.setitem(Image.OPEN, "OWN", (own, None))
    with reading_on_all_cores(READING, 10**6):
        assert not readers()


def steps(root: Path) -> list[int]:
    """Return the images that were read whenever progress was reported."""
    reported: list[int] = []
    images(imagefolder(ImageFolder(root="."), root), lambda done, _total: reported.append(done))
    return reported


def test_more_images_are_read_at_a_time_where_they_are_many_and_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "train/a"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number}.png").write_bytes(b"x" * 1000)
    (folder / "gone.png").symlink_to("nowhere.png")
    assert steps(tmp_path) == [0, 16, 32]
    monkeypatch.setattr("retspec.measurements.images.PARTS", 2)
    assert steps(tmp_path) == [0, 20, 40]
    monkeypatch.setattr("retspec.measurements.images.BYTES", 18_000)
    assert steps(tmp_path) == [0, 18, 36]
    monkeypatch.setattr("retspec.measurements.images.BYTES", 1000)
    assert steps(tmp_path) == [0, 16, 32]


IMPORTED = """
import sys
import retspec.subjects.data.reader
print(*({"msgspec", "dataclasses", "numpy", "retspec.errors"} & {*sys.modules}))
"""


def test_a_process_starts_without_what_reading_images_does_not_need() -> None:
    """Each of these takes as long to import as a hundred small images to read."""
    ended = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, timeout=60, check=True)
    assert ended.stdout.split() == []


# The end of a process -----------------------------------------------------------------------------


@IN_PROC
def test_a_process_that_dies_leaves_its_images_to_this_one(tmp_path: Path, process: ReaderProcess) -> None:
    draw(tmp_path / "a.png", 0)
    part: list[Address] = [str(tmp_path / "a.png"), str(tmp_path / "absent.png")]
    alive = process.read(part)
    os.kill(only_process(), signal.SIGKILL)
    assert process.read(part) == process.read(part) == alive


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_never_was_leaves_its_images_to_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert measured(damaged(tmp_path))[0].read == 17


ENDED = """
import os, signal
from retspec.subjects.data.reader_process import ReaderProcess
from retspec.subjects.data.reading import Reading
reader = ReaderProcess(Reading(1))
assert reader.has_started(60)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_ends_with_the_one_that_started_it() -> None:
    """It holds standard error, too, so that the end of that is waited for."""
    ended = subprocess.run([sys.executable, "-c", ENDED], capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, b"")


@IN_PROC
def test_ctrl_c_is_for_this_process_alone(process: ReaderProcess) -> None:
    pid = only_process()
    os.kill(pid, signal.SIGINT)
    process.read(["absent.png"])
    assert only_process() == pid
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
