"""Real texts of broken installations, and probes of real processes that break in these ways."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from retspec.cli.diagnostics.remedies import REMEDIES, last_line, remedy_for
from retspec.cli.doctor import NEEDED, ask, diagnose, is_older

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]

TEXTS = {
    "RuntimeError: operator torchvision::nms does not exist": "built for another torch",
    "AttributeError: partially initialized module 'torchvision' has no attribute 'extension' (most likely due to a "
    "circular import)": "come from different builds",
    "RuntimeError: Couldn't load custom C++ ops. This can happen if your PyTorch and torchvision versions are "
    "incompatible, or if you had errors while compiling torchvision from source.": "come from different builds",
    "OSError: /lib/python3.11/site-packages/torchvision/_C.so: undefined symbol: _ZN3c1017RegisterOperatorsD1Ev": (
        "come from different builds"
    ),
    "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.": "major version of NumPy",
    "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from "
    "PyObject": "major version of NumPy",
    "ImportError: numpy.core.multiarray failed to import": "major version of NumPy",
    "UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found version 11040). Please "
    "update your GPU driver": "driver is older than the CUDA",
    "UserWarning: CUDA initialization: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU "
    "and installed a driver": "there is no NVIDIA driver",
    "RuntimeError: CUDA error: no kernel image is available for execution on the device": "older or newer than those",
    "UserWarning: NVIDIA GeForce RTX 5090 with CUDA capability sm_120 is not compatible with the current PyTorch "
    "installation.": "older or newer than those",
    "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory": "A CUDA library",
    "ImportError: /venv/torch/lib/../../nvidia/cusparse/lib/libcusparse.so.12: undefined symbol: "
    "__nvJitLinkComplete_12_4, version libnvJitLink.so.12": "A CUDA library",
    "ImportError: /lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by a.so)": (
        "C or C++ library is older"
    ),
    "ImportError: Failed to load PyTorch C extensions:": "A folder named torch hides",
    "ModuleNotFoundError: No module named 'torch._C'": "A folder named torch hides",
    "ImportError: cannot import name 'EncoderDecoderCache' from 'transformers' (/venv/transformers/__init__.py)": (
        "versions that do not fit"
    ),
    "ModuleNotFoundError: No module named 'timm'": "not installed for this Python",
}

BROKEN_TORCHVISION = "raise RuntimeError('operator torchvision::nms does not exist')"
TORCH = """
from types import SimpleNamespace as Names
cuda = Names(is_available=lambda: False)
backends = Names(mps=Names(is_available=lambda: False))
version = Names(cuda=None)
get_num_threads = lambda: 3
"""


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    """A folder of packages that stand before the installed ones."""

    def make(**packages: str) -> Path:
        for name, text in packages.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").write_text(text)
        return tmp_path

    return make


HEALTHY = {"torch": TORCH, "torchvision": "", "timm": "import torchvision", "peft": "", "numpy": ""}


@pytest.mark.parametrize(("text", "why"), TEXTS.items())
def test_a_known_failure_is_explained(text: str, why: str) -> None:
    remedy = remedy_for(f"Traceback (most recent call last):\n  File ...\n{text}\n")
    assert remedy is not None
    assert why in remedy.why


def test_every_known_failure_has_a_text_that_shows_it() -> None:
    assert {remedy_for(text) for text in TEXTS} == set(REMEDIES)


def test_an_unknown_failure_is_not_explained_away() -> None:
    assert remedy_for("RuntimeError: the moon is full") is None


def test_the_error_is_named_by_the_last_line_that_says_something() -> None:
    assert last_line("Traceback\n  File x\nValueError: no\n\n") == "ValueError: no"
    assert last_line("") == "no message"


def test_a_probe_sees_the_real_error(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site(torchvision=BROKEN_TORCHVISION)), str(ROOT)]))
    ailment = diagnose("torchvision", ask("import", "torchvision"))
    assert ailment is not None
    assert ailment.symptom == "torchvision: RuntimeError: operator torchvision::nms does not exist"
    assert "from one index" in ailment.remedy.remedy
    assert not ailment.remedy.harmless


def test_a_probe_that_dies_of_a_signal_says_so(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = site(torchvision="import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
    ailment = diagnose("torchvision", ask("import", "torchvision"))
    assert ailment is not None
    assert ailment.symptom == "torchvision: killed by SIGSEGV"


def test_a_package_that_talks_is_understood_all_the_same(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site(timm="print('hello')")), str(ROOT)]))
    answer = ask("import", "timm")
    assert diagnose("timm", answer) is None
    assert answer.facts is not None
    assert answer.facts["file"].endswith("timm/__init__.py")


def test_the_devices_of_this_machine_are_found() -> None:
    answer = ask("devices")
    assert answer.facts is not None, answer.stderr
    assert answer.facts["devices"][0].startswith("cpu (")


def test_a_healthy_installation_is_told_healthy(program: Any, site: Any) -> None:
    finished = program("doctor", path=site(**HEALTHY))
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "device       cpu (3 threads)" in finished.stdout
    assert finished.stdout.splitlines()[-1] == "all is well"


def test_one_cause_is_explained_once_for_all_that_it_breaks(program: Any, site: Any) -> None:
    finished = program("doctor", path=site(**{**HEALTHY, "torchvision": BROKEN_TORCHVISION}))
    assert finished.returncode == 1
    assert "problem: torchvision: RuntimeError" in finished.stdout
    assert "problem: timm: RuntimeError" in finished.stdout
    assert finished.stdout.count("built for another torch") == 1
    assert "Traceback" not in finished.stdout + finished.stderr


def test_an_unknown_failure_shows_its_traceback_when_asked(program: Any, site: Any) -> None:
    finished = program("doctor", "-v", path=site(**{**HEALTHY, "peft": "raise ValueError('moon')"}))
    assert finished.returncode == 1
    assert "problem: peft: ValueError: moon" in finished.stdout
    assert "Traceback (most recent call last)" in finished.stdout


def test_a_torch_that_is_too_old_is_told(program: Any, site: Any) -> None:
    folder = site(**HEALTHY)
    (folder / "torch-2.9.1.dist-info").mkdir()
    (folder / "torch-2.9.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 2.9.1+cpu\n"
    )
    finished = program("doctor", path=folder)
    assert finished.returncode == 1
    assert "problem: torch 2.9.1+cpu\n  why:  retspec needs torch 2.10 or newer." in finished.stdout


def test_a_cuda_build_without_a_gpu_is_a_note_and_no_failure(program: Any, site: Any) -> None:
    finished = program("doctor", path=site(**{**HEALTHY, "torch": TORCH.replace("cuda=None", "cuda='13.2'")}))
    assert finished.returncode == 0
    assert "built for CUDA 13.2 and sees no GPU" in finished.stdout


def test_a_driver_that_is_too_old_is_a_failure(program: Any, site: Any) -> None:
    warning = "import sys; print('CUDA initialization: The NVIDIA driver on your system is too old', file=sys.stderr)"
    finished = program("doctor", path=site(**{**HEALTHY, "torch": f"{TORCH}\n{warning}"}))
    assert finished.returncode == 1
    assert "Update the NVIDIA driver" in finished.stdout


@pytest.mark.parametrize(
    ("version", "needed", "older"),
    [
        ("2.9.1+cpu", "2.10", True),
        ("2.10.0+cu128", "2.10", False),
        ("2.15.0", "2.10", False),
        ("1.0.9", "1.0.20", True),
        ("2.10.0a0+git1234", "2.10", False),
        ("-", "2.10", False),
        ("0.29.2", "", False),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, needed: str, older: bool) -> None:  # noqa: FBT001
    assert is_older(version, needed) is older


def test_the_least_versions_are_those_of_the_package() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {f"{name}>={version}" for name, version in NEEDED.items() if version} <= set(asked)
