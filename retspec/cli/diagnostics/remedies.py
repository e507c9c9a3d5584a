"""Known failures of a torch installation: the pattern that identifies one, what it means, what to do.

The patterns match what the libraries print, word for word; the first match wins. To add one, add
an entry and the text that it must recognize to the tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Remedy:
    """A known failure."""

    pattern: str
    why: str
    remedy: str
    harmless: bool = False
    """Whether everything still works, on fewer devices."""

    def filled(self, **words: str) -> Remedy:
        """Return the same with the names in braces replaced."""
        return replace(self, why=self.why.format(**words))


REINSTALL_PAIR = (
    "Reinstall both together, in one command and from one index, so that their builds match: "
    "`pip install --force-reinstall torch torchvision`."
)

REMEDIES = (
    Remedy(
        r"operator torchvision::nms does not exist",
        "torchvision was built for another torch, so its compiled operators did not load: typically a "
        "CPU-only torch beside a CUDA torchvision, or versions that do not belong together.",
        REINSTALL_PAIR,
    ),
    Remedy(
        r"partially initialized module 'torchvision' has no attribute 'extension'"
        r"|Couldn't load custom C\+\+ ops"
        r"|torchvision\S*\.so: undefined symbol",
        "torchvision and torch come from different builds: the compiled part of torchvision does not load.",
        REINSTALL_PAIR,
    ),
    Remedy(
        r"compiled using NumPy 1\.x cannot be run in"
        r"|numpy\.dtype size changed"
        r"|numpy\.core\.multiarray failed to import"
        r"|_ARRAY_API not found",
        "A package was built against another major version of NumPy than the installed one.",
        'Upgrade the package that the traceback names; until it has a build, `pip install "numpy<2"`.',
    ),
    Remedy(
        r"NVIDIA driver on your system is too old",
        "The GPU's driver is older than the CUDA that this torch was built for, so the GPU is not used.",
        "Update the NVIDIA driver, or install a torch built for an older CUDA (`nvidia-smi` shows the newest "
        "one that the driver takes).",
    ),
    Remedy(
        r"Found no NVIDIA driver|CUDA driver library not found|libcuda\.so\S*: cannot open shared object",
        "This torch is a CUDA build and there is no NVIDIA driver: it works, on the CPU.",
        "Nothing to do on a machine without a GPU; elsewhere install the driver.",
        harmless=True,
    ),
    Remedy(
        r"no kernel image is available for execution|is not compatible with the current PyTorch installation",
        "The GPU is older or newer than those that this torch has code for.",
        "Install a torch whose CUDA version supports the GPU's compute capability, or use `--device cpu`.",
    ),
    Remedy(
        r"lib(cudart|cublas|cublasLt|cudnn|cufft|curand|cusolver|cusparse|nccl|nvrtc|nvJitLink|cupti)\S*"
        r"( not found|: cannot open shared object|: undefined symbol|: version)",
        "A CUDA library that this torch needs is missing, or LD_LIBRARY_PATH puts another version before it.",
        "Unset LD_LIBRARY_PATH and try again; if that does not help, reinstall torch with its dependencies.",
    ),
    Remedy(
        r"GLIBC(XX)?_[\d.]+' not found|CXXABI_[\d.]+' not found",
        "The system's C or C++ library is older than the one that this package was built with.",
        "Use a newer system image, or a Python that brings its own libstdc++ (conda-forge does).",
    ),
    Remedy(
        r"Failed to load PyTorch C extensions|No module named 'torch\._C'",
        "A folder named torch hides the installed one, usually because this runs inside a checkout of torch.",
        "Run retspec from another directory.",
    ),
    Remedy(
        r"cannot import name '\w+' from '(transformers|huggingface_hub|accelerate|timm|peft|torchvision)\b",
        "Two packages that belong together are of versions that do not fit: one asks the other for a name "
        "that it does not have (any more).",
        "Upgrade them together: `pip install --upgrade peft timm transformers accelerate huggingface_hub`.",
    ),
    Remedy(
        r"No module named '",
        "A package is not installed for this Python.",
        "Install it with this Python's own pip: `python -m pip install NAME`.",
    ),
)

# Failures without a text to match: comparisons find them.

UNKNOWN = Remedy("", "This failure is not one that retspec knows.", "`retspec doctor -v` shows the whole traceback.")
NO_GPU = Remedy(
    "",
    "This torch is built for CUDA {build} and sees no GPU: it works, on the CPU.",
    "Nothing to do on a machine without an NVIDIA GPU; elsewhere see that `nvidia-smi` lists it and that "
    "CUDA_VISIBLE_DEVICES does not hide it.",
    harmless=True,
)
CPU_BUILD = Remedy(
    "",
    "This machine has an NVIDIA driver, and this torch is built for the CPU alone.",
    "To use the GPU, install CUDA builds of torch and torchvision, both in one command.",
    harmless=True,
)
TOO_OLD = Remedy(
    "",
    "retspec needs {name} {needed} or newer.",
    "Upgrade torch, torchvision, timm and peft together, so that they still fit: "
    "`pip install --upgrade torch torchvision timm peft`.",
)


def remedy_for(stderr: str) -> Remedy | None:
    """Return the known failure that a traceback or a warning shows, or None."""
    return next((remedy for remedy in REMEDIES if re.search(remedy.pattern, stderr)), None)


def last_line(stderr: str) -> str:
    """Return the line of a traceback that names the error."""
    return next((line.strip() for line in reversed(stderr.splitlines()) if line.strip()), "no message")
