"""The probe that `retspec doctor` runs in its own process: `-m retspec.cli.diagnostics.probe import NAME` or `devices`.

It prints one line of JSON, the last line of stdout. Exceptions of the probed library pass through: the
traceback on stderr is what `retspec.cli.diagnostics.remedies` reads. Nothing of the command line imports this module.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

GIB = 2**30


def imports(name: str) -> dict[str, Any]:
    """Import a package and return its location."""
    return {"file": str(getattr(import_module(name), "__file__", ""))}


def devices() -> dict[str, Any]:
    """Use every device once, and return their names with their memory."""
    import torch

    found = [f"cpu ({torch.get_num_threads()} threads)"]
    if torch.cuda.is_available():
        found += [_cuda(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        torch.ones(1, device="mps").add(1).item()
        found.append(f"mps ({torch.mps.recommended_max_memory() / GIB:.1f} GiB)")
    return {"devices": found, "cuda_build": torch.version.cuda or ""}


def _cuda(index: int) -> str:
    """Compute something on a GPU: a listed GPU is not always one that this torch has code for."""
    import torch

    torch.ones(1, device=f"cuda:{index}").add(1).item()
    properties = torch.cuda.get_device_properties(index)
    return f"cuda:{index} {properties.name} ({properties.total_memory / GIB:.1f} GiB)"


if __name__ == "__main__":
    facts = imports(sys.argv[2]) if sys.argv[1] == "import" else devices()
    print(json.dumps(facts))
