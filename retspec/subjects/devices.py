"""Choose the device, and make its results repeatable."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from retspec.errors import SubjectError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import torch

PATH = "run.device"


def choose_device(name: str) -> torch.device:
    """Return the device of a name; `auto` selects cuda, else mps, else cpu.

    Raises SubjectError when the machine has no such device.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        reason = "this torch was built without CUDA" if torch.version.cuda is None else "torch sees no GPU or driver"
        raise SubjectError(
            f"device {name!r} is not there: {reason}; use `--device auto`, or ask `retspec doctor`", path=PATH
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SubjectError(f"device {name!r} is not there: torch sees {torch.cuda.device_count()} GPUs", path=PATH)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise SubjectError("device 'mps' is not there: it needs macOS on Apple silicon; use `--device auto`", path=PATH)
    return device


def make_repeatable(threads: int | None) -> None:
    """Make the same computation give the same bits: fix threads, turn off autotuning and TF32.

    Operations without a deterministic implementation only cause a warning, since many models use one. See
    https://docs.pytorch.org/docs/stable/notes/randomness.html
    """
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # Filling every fresh tensor would change what is timed, and nothing here reads uninitialized memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


@contextmanager
def settings_of_torch() -> Iterator[None]:
    """Give the user's own training the settings that torch starts with, and put those of `make_repeatable` back."""
    import torch

    deterministic = torch.are_deterministic_algorithms_enabled()
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    places = ((cudnn, "benchmark"), (cudnn, "allow_tf32"), (matmul, "allow_tf32"))
    settings = [(each, name, getattr(each, name)) for each, name in places]
    torch.use_deterministic_algorithms(mode=False)
    torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=True)
        for each, name, value in settings:
            setattr(each, name, value)


def autocast(device: torch.device, amp: str) -> AbstractContextManager[object]:
    """Return the context of `train.amp`: autocast to bfloat16 or float16, or nothing for none."""
    import torch

    return nullcontext() if amp == "none" else torch.autocast(device.type, dtype=getattr(torch, amp))


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished all work, so that timings are valid."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def memory_of(device: torch.device) -> int:
    """Return the memory of a device in bytes; for the CPU, that of the machine."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
