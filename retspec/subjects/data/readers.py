"""What reads many images at the same time: processes where there are enough images, and this one's threads."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

from retspec.subjects.data.reader_process import ReaderProcess
from retspec.subjects.devices import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from retspec.subjects.data.addresses import Address
    from retspec.subjects.data.reading import Reading, Seen

EACH = 1_500
"""Images for which it pays to start a process."""


@contextmanager
def reading_on_all_cores(reading: Reading, images: int) -> Iterator[Callable[[Sequence[Address]], list[Seen]]]:
    """Yield a function that reads images, for as many threads as there are cores."""
    idle: SimpleQueue[Callable[[Sequence[Address]], list[Seen]]] = SimpleQueue()

    def read_here(part: Sequence[Address]) -> list[Seen]:
        return [reading.of(address) for address in part]

    def read(part: Sequence[Address]) -> list[Seen]:
        reader = idle.get()
        try:
            return reader(part)
        finally:
            idle.put(reader)

    with ExitStack() as stack:
        for number in range(cores()):
            reader = read_here
            if number < _processes(images):
                with suppress(OSError):  # the system has no room for another process
                    process = ReaderProcess(reading)
                    stack.callback(process.close)
                    reader = process.read
            idle.put(reader)
        yield read


def _processes(images: int) -> int:
    """Return how many processes to start: none where this one has the only core, or decodes with what others wrote."""
    from PIL import Image

    if cores() == 1 or not all(opener.__module__.startswith("PIL.") for opener, _ in Image.OPEN.values()):
        return 0
    return min(images // EACH, cores())
