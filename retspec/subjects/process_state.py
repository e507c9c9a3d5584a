"""What measurements set for their whole process: given back, where that is the process of the user."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from retspec.subjects.seeds import states_kept

if TYPE_CHECKING:
    from collections.abc import Iterator

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def process_kept() -> Iterator[None]:
    """Restore at the end what a run sets: random numbers, torch's settings, import path, one variable for CUDA.

    Deterministic matrix products on CUDA need the variable before the first of them in a process, see
    https://docs.nvidia.com/cuda/cublas/index.html#results-reproducibility
    """
    path, cublas = sys.path.copy(), os.environ.get(_CUBLAS)
    with ExitStack() as stack:
        stack.enter_context(states_kept())
        stack.enter_context(_torch_kept())
        try:
            os.environ.setdefault(_CUBLAS, ":4096:8")
            yield
        finally:
            sys.path[:] = path
            if cublas is None:
                del os.environ[_CUBLAS]


@contextmanager
def _torch_kept() -> Iterator[None]:
    """Restore the settings that `make_repeatable` changes, and measure with gradients, whatever the caller has set."""
    import torch

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    filling: Any = torch.utils.deterministic
    places = (
        (cudnn, "benchmark"),
        (cudnn, "allow_tf32"),
        (matmul, "allow_tf32"),
        (filling, "fill_uninitialized_memory"),
    )
    settings = [(each, name, getattr(each, name)) for each, name in places]
    deterministic, threads = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    only_warns = torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        with torch.inference_mode(mode=False), torch.enable_grad():
            yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=only_warns)
        for each, name, value in settings:
            setattr(each, name, value)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
