"""A process that reads images: `python -m retspec.subjects.data.reader LIMIT TAKES_LUMA`, which `ReaderProcess` starts.

It takes lists of addresses from standard input, answers on standard output, and ends when its input does.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from retspec.subjects.data.reading import Reading, Seen

if TYPE_CHECKING:
    from typing import BinaryIO

    from retspec.subjects.data.addresses import Address


def main(reading: Reading) -> None:
    """Say that it is ready, with no image, and answer every request with what was seen of each image."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    Image.preinit()
    gc.freeze()  # what is imported stays: the collector need not walk it again and again
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers, warnings.catch_warnings(record=True) as warned:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that a decoder prints is taken for an answer
        warnings.simplefilter("always")
        part: list[Address] | None = []
        while part is not None:
            pickle.dump([_seen_clearly(address, reading, warned) for address in part], answers)
            answers.flush()
            part = _requested(sys.stdin.buffer)


def _requested(requests: BinaryIO) -> list[Address] | None:
    try:
        part: list[Address] = pickle.load(requests)  # noqa: S301 - what `ReaderProcess` wrote
    except EOFError:
        return None
    return part


def _seen_clearly(address: Address, reading: Reading, warned: list[warnings.WarningMessage]) -> Seen | None:
    """Return what was seen; None for what the process that asks must see itself, since it knows its own warnings."""
    warned.clear()
    seen = reading.of(address)
    return None if seen.reason or warned else seen


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # the process that asked is gone
        main(Reading(int(sys.argv[1]), takes_luma=sys.argv[2] == "1"))
