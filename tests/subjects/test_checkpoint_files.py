"""What is no checkpoint, or a hostile one, is told as what it is: in one line, nothing of it run, no memory taken."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn

from retspec.errors import SubjectError
from retspec.subjects.checkpoints import find, load_into
from retspec.subjects.checkpoints.memory_limit import at_most
from tests.subjects import hostile

if TYPE_CHECKING:
    from collections.abc import Callable

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:0f\nsize 3954000000\n"
SOUND = {"weight": torch.ones(2, 2), "bias": torch.zeros(2)}


def refusal(name: str, folder: Path, *, advises: bool = False) -> str:
    """The message; only where the file may be a friend's does it say how to load it in full trust."""
    with pytest.raises(SubjectError) as caught:
        load_into(nn.Linear(2, 2), find(name, folder))
    assert caught.value.path == "model.checkpoint"
    text = str(caught.value)
    assert "\n" not in text
    assert ("weights_only" in text) == advises
    return text


def scripted() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), stream)
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as opened:
        opened.addfile(tarfile.TarInfo("weights.pth"))
    return stream.getvalue()


def array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


FOREIGN = {
    "empty": (b"", "w.pth is empty"),
    "zeros": (b"\0" * 999, "a download or a copy that never finished"),
    "git-lfs": (LFS.encode(), "is a git-LFS pointer, not the weights; fetch them with `git lfs pull`"),
    "git-annex": (b"/annex/objects/SHA256E-s87--0f.pth\n", "is a git-annex pointer"),
    "html": (b"\n<!DOCTYPE html>\n<title>Log in</title>", "is an HTML page"),
    "html cut inside a letter": (b"<html>" + "ü".encode() * 4000, "is an HTML page"),
    "xml": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "is XML, such as the error message"),
    "json": (b'{"epoch": 3}', "is JSON, not weights"),
    "index": (json.dumps({"metadata": {}, "weight_map": {}}).encode(), "is the index of weights in several files"),
    "text": (b"import torch\n", "is text, not weights; it begins with 'import torch'"),
    "noise": (bytes(range(200, 256)), "it begins with the bytes c8 c9"),
    "gzip": (gzip.compress(b"weights", mtime=0), "is a gzip archive; unpack it first"),
    "tar": (tarred(), "is a tar archive; unpack it first"),
    "numpy": (array(), "is a numpy array"),
    "plain pickle": (pickle.dumps(SOUND), "is a pickle, but not in the format of torch.save"),
    "other zip": (hostile.archive({"config.json": b"{}"}), "is a zip archive of other files (archive/config.json)"),
    "TorchScript": (scripted(), "is a TorchScript archive, which holds code"),
    "exported program": (hostile.archive({"archive_format": b"pt2"}), "is a program of torch.export"),
    "cut zip": (hostile.saved(SOUND)[:900], "is damaged, or cut off: its zip archive has no sound end"),
    "cut legacy": (hostile.saved({"weight": torch.ones(99, 99)}, legacy=True)[:900], "is damaged, or cut off"),
    "cut safetensors": (hostile.safetensors(hostile.entry((2, 2)), data=b"\0" * 9), "is damaged, or cut off"),
    "compressed zip": (hostile.repacked(hostile.saved(SOUND)), "was repacked with compression"),
    "a tensor": (hostile.saved(torch.ones(2)), "holds no named weights but a value of type Tensor"),
    "no tensors": (hostile.saved({"epoch": 3}), "has no named weights at its top, nor under a key of it; its keys are"),
    "arrays": (
        hostile.saved({"weight": np.ones((2, 2))}),
        "holds numpy arrays, not tensors; where you trust the file, two lines",
    ),
    "other protocol": (hostile.saved(SOUND, pickle_protocol=4), "save it with torch.save's own protocol"),
    "adapter": (hostile.saved({"blocks.0.lora_A.weight": torch.ones(2)}), "they are an adapter's"),
    "other model": (hostile.saved({"conv": torch.ones(2), "fc": torch.ones(2)}), "none of its 2 tensors fits"),
    "larger model": (hostile.saved({"weight": torch.ones(3, 3)}), "weight has the shape (3, 3), in the model (2, 2)"),
    "int8": (hostile.saved({"weight": torch.ones(2, 2, dtype=torch.int8)}), "(int8 for float32)"),
    "meta": (hostile.saved({"weight": torch.ones(2, 2, device="meta")}), "saved from the meta device"),
    "sparse": (hostile.saved({"weight": torch.ones(2, 2).to_sparse()}), "sparse"),
}
FOREIGN["one tensor"] = (hostile.saved({"conv": torch.ones(2)}), "has keys like conv, the model weight, bias")


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_checkpoint_is_told_as_what_it_is(what: str, tmp_path: Path) -> None:
    content, expected = FOREIGN[what]
    (tmp_path / "w.pth").write_bytes(content)
    assert expected in refusal("w.pth", tmp_path, advises=what == "arrays")


def test_a_pickle_under_the_name_of_a_safe_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(hostile.saved(SOUND))
    assert "is not a safetensors file but one of torch.save (zip)" in refusal("w.safetensors", tmp_path)


@pytest.mark.parametrize("content", [b"hf_a-token-of-yours\n", b"\xff\xfea-key-of-yours"])
def test_what_a_link_leads_to_is_not_quoted(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "w.pth").symlink_to("key")
    said = refusal("w.pth", tmp_path)
    assert "is text, not weights" in said or "is not a checkpoint" in said
    assert "begins" not in said
    assert "yours" not in said


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "best.pth").touch()
    (tmp_path / "gone.pth").symlink_to("../objects/0f")
    os.mkfifo(tmp_path / "pipe")
    assert "is not there" in refusal("weights/bset.pth", tmp_path)
    assert "did you mean 'best.pth'?" in refusal("weights/bset.pth", tmp_path)
    assert "out of: best.pth" in refusal("weights", tmp_path)
    assert "is a link to ../objects/0f, which is not there" in refusal("gone.pth", tmp_path)
    assert "is not a regular file" in refusal("pipe", tmp_path)
    assert "nothing is fetched from the network" in refusal("https://example.org/w.pth", tmp_path)
    assert "cannot be read" in refusal("w" * 999, tmp_path)
    assert "cannot be the name of a file" in refusal("w\0.pth", tmp_path)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_malicious_pickle_is_never_run(tmp_path: Path, *, legacy: bool) -> None:
    marker = tmp_path / "marker"
    content = hostile.saved({"weight": torch.ones(2, 2), "x": hostile.Runs(marker)}, legacy=legacy)
    (tmp_path / "w.pth").write_bytes(content)
    assert "its pickle asks for posix.mkdir" in refusal("w.pth", tmp_path)
    assert not marker.exists()
    torch.load(tmp_path / "w.pth", weights_only=False)  # the proof that the file would have done it
    assert marker.exists()


def test_code_around_the_weights_is_never_run_either(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "w.pth").write_bytes(hostile.legacy_with_facts(hostile.Runs(marker)))
    assert "in the pickles around them, which could run code" in refusal("w.pth", tmp_path)
    assert not marker.exists()
    with pytest.raises(AttributeError):  # weights are missing; the facts were unpickled before
        torch.load(tmp_path / "w.pth", weights_only=False).gone  # noqa: B018
    assert marker.exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_all_that_a_pickle_asks_for_is_told_at_once(tmp_path: Path, *, legacy: bool) -> None:
    content = hostile.saved({"model": nn.Linear(2, 2), "folder": Path("/data"), "loss": nn.MSELoss()}, legacy=legacy)
    (tmp_path / "w.pth").write_bytes(content)
    text = refusal("w.pth", tmp_path, advises=True)
    assert "torch.nn.modules.linear.Linear under the key 'model'" in text
    assert "torch.nn.modules.loss.MSELoss under the key 'loss'" in text
    assert "pathlib" not in text, "a path is data"
    assert "`torch.save(w['model'].state_dict(), 'w-weights.pth')`" in text


def test_the_environment_cannot_make_loading_unsafe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    marker = tmp_path / "marker"
    (tmp_path / "w.pth").write_bytes(hostile.saved({"weight": torch.ones(2, 2), "x": hostile.Runs(marker)}))
    refusal("w.pth", tmp_path)
    assert not marker.exists()


HUGE = hostile.HUGE
CLAIMS = {
    "storage": hostile.claiming(HUGE, (HUGE,), (1,)),
    "shape": hostile.claiming(4, (HUGE,), (1,)),
    "expanded": hostile.claiming(4, (HUGE,), (0,)),
    "beyond its record": hostile.claiming(40, (40,), (1,)),
    "offset": hostile.claiming(4, (2, 2), (2, 1), offset=HUGE),
    "negative stride": hostile.claiming(4, (2, 2), (-2, 1)),
    "empty tensor": hostile.asking_for("torch.FloatTensor", 3 * 10**9),
    "empty storage": hostile.asking_for("torch.storage.UntypedStorage", 10**10),
    "bytes": hostile.asking_for("builtins.bytearray", 10**10),
    "legacy storage": hostile.legacy_claiming(3 * 10**9),
    "safetensors shape": hostile.safetensors(hostile.entry((HUGE,))),
    "safetensors offsets": hostile.safetensors(hostile.entry((HUGE,), (0, 4 * HUGE))),
    "safetensors overflow": hostile.safetensors(hostile.entry((2**32, 2**32))),
    "safetensors header": hostile.safetensors(b'{"weight"', length=90_000_000),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of the process is read from /proc")
@pytest.mark.parametrize("what", CLAIMS)
def test_a_size_that_cannot_be_is_refused_before_memory_is_taken(what: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(CLAIMS[what])
    refusal("w.pth", tmp_path)  # what reading takes by itself, once
    touched, reserved = _memory("VmHWM"), _memory("VmPeak")
    text = refusal("w.pth", tmp_path)
    assert "is damaged" in text or "needs more memory to be read" in text
    assert _memory("VmHWM") - touched < 16
    assert _memory("VmPeak") - reserved < 2_048


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: hostile.naming(300_000), "its header names 300,000 tensors, and no model has so many"),
        (
            lambda: hostile.safetensors(b'{"weight"' + b" " * 40_000_000),
            "its header has 40,000,009 bytes, and no model needs",
        ),
    ],
    ids=["tensors", "bytes"],
)
def test_a_header_that_no_model_needs_is_refused_early(
    content: Callable[[], bytes], words: str, tmp_path: Path
) -> None:
    (tmp_path / "w.safetensors").write_bytes(content())
    assert words in refusal("w.safetensors", tmp_path)


def test_reading_may_not_take_memory_without_bound() -> None:
    with at_most(1 << 26), pytest.raises(MemoryError):
        bytearray(1 << 30)
    assert len(bytearray(1 << 28)) == 1 << 28


def _memory(field: str) -> int:
    """Megabytes of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field))) // 1024
