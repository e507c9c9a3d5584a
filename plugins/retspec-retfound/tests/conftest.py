"""Files that the specs name, and running a spec without the price of a new interpreter."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from retfound_users import write_tiny

from retspec_retfound.samples.images import write_folders
from retspec_retfound.samples.weights import KINDS, SHALLOW, write_checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from retspec.plugin import Result

    Judged = Callable[..., Mapping[str, Result]]

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a shallow checkpoint of every kind, and some that only a few traps need."""
    folder = tmp_path_factory.mktemp("samples")
    for kind in KINDS:
        write_checkpoint(kind, folder, depth=None if kind == "green" else SHALLOW)
    teacher = torch.load(folder / "RETFound_dinov2.pth")["teacher"]
    chunked = {name.replace("blocks.", "blocks.0."): tensor for name, tensor in teacher.items()}
    torch.save({"teacher": chunked}, folder / "chunked.pth")
    write_tiny(folder)
    write_folders(folder / "imagefolder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETFOUND_SAMPLES", str(folder))
        yield folder


@pytest.fixture(scope="session")
def judged(samples: Path) -> Judged:  # noqa: ARG001 - the specs name what is in there
    """Run a spec in this process and return its results by the id of their criterion."""
    found = importlib.util.spec_from_file_location("retspec_tests_here", ROOT / "tests" / "here.py")
    assert found
    assert found.loader
    here = importlib.util.module_from_spec(found)
    found.loader.exec_module(here)
    run: Judged = here.run_here
    return run
