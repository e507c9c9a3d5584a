"""Every check of files counts the same faults in shards and in a saved dataset as in folders of the same images."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.here import run_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CLASSES = ("0_none", "1_mild")
CHECKS = """\
checks:
  missing_files: 0
  corrupt_images: 0
  duplicate_images: 0
  near_duplicate_images: 0
  split_leakage: 0
  class_map_mismatch: 0
  min_class_count: 5
  max_class_imbalance: 1
  unusual_images: 0
  blank_images: 0
  labels_out_of_range: {with: {num_classes: 1}}
"""
FOLDERS = r"""
retspec: 1
data:
  imagefolder: {root: .}
  group: {pattern: '(\d+)_(left|right)'}
"""
SHARDS = """
retspec: 1
data:
  webdataset: {train: "train-{0..1}.tar", val: val-0.tar, group: json.patient}
"""
SAVED = """
retspec: 1
data:
  datasets: {root: saved, group_column: patient}
"""


class Photo(NamedTuple):
    split: str
    label: int
    name: str
    content: bytes

    @property
    def patient(self) -> str:
        return self.name.partition("_")[0]


def picture(seed: int, side: int = 200, kind: str = "PNG") -> bytes:
    grid = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    picture = Image.fromarray(grid).resize((200, 200), Image.Resampling.BICUBIC).resize((side, side))
    picture.save(buffer := BytesIO(), kind)
    return buffer.getvalue()


def faulty() -> list[Photo]:
    """Return photos with each fault once: truncated, blank, 16 bits, copied, nearly copied, a patient in two splits."""
    Image.new("RGB", (200, 200), (3, 2, 1)).save(black := BytesIO(), "PNG")
    Image.fromarray(np.full((200, 200), 40_000, dtype=np.uint16)).save(deep := BytesIO(), "PNG")
    train = [
        *[Photo("train", at % 2, f"{at}_left.png", picture(at)) for at in range(4)],
        Photo("train", 0, "4_left.png", picture(4)[:-60]),
        Photo("train", 0, "5_left.png", black.getvalue()),
        Photo("train", 1, "6_left.png", deep.getvalue()),
        Photo("train", 1, "7_left.png", picture(0)),
    ]
    val = [Photo("val", 0, "8_left.png", picture(8)), Photo("val", 0, "9_left.png", picture(1, side=150))]
    return [*train, *val, Photo("val", 1, "2_right.png", picture(10))]


def as_folders(root: Path, photos: Sequence[Photo]) -> str:
    for each in photos:
        path = root / each.split / CLASSES[each.label] / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.content)
    return FOLDERS


def as_shards(root: Path, photos: Sequence[Photo]) -> str:
    train, val = ([each for each in photos if each.split == split] for split in ("train", "val"))
    for name, held in (("train-0", train[:5]), ("train-1", train[5:]), ("val-0", val)):
        with tarfile.open(root / f"{name}.tar", "w") as archive:
            for each in held:
                key = each.name.removesuffix(".png")
                add(archive, each.name, each.content)
                add(archive, f"{key}.cls", str(each.label).encode())
                add(archive, f"{key}.json", json.dumps({"patient": each.patient}).encode())
    return SHARDS


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, BytesIO(content))


def as_saved(root: Path, photos: Sequence[Photo]) -> str:
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": CLASSES}}
    features["patient"] = {"_type": "Value", "dtype": "string"}
    for split in ("train", "val"):
        folder = root / "saved" / split
        folder.mkdir(parents=True)
        held = [each for each in photos if each.split == split]
        columns = {
            "image": [{"bytes": each.content, "path": each.name} for each in held],
            "label": [each.label for each in held],
            "patient": [each.patient for each in held],
        }
        frame = polars.DataFrame(columns)
        frame.write_ipc_stream(folder / "data.arrow", compat_level=polars.CompatLevel.oldest())
        (folder / "dataset_info.json").write_text(json.dumps({"features": features}))
        (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "data.arrow"}]}))
    (root / "saved" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "val"]}))
    return SAVED


def observed(
    root: Path, write: Callable[[Path, Sequence[Photo]], str], photos: Sequence[Photo]
) -> dict[str, tuple[object, str]]:
    root.mkdir()
    (root / "spec.yaml").write_text(write(root, photos) + CHECKS)
    results = run_here(root / "spec.yaml")
    return {name: (result.observed and result.observed.value, result.verdict.value) for name, result in results.items()}


@pytest.mark.parametrize("write", [as_shards, as_saved])
def test_every_fault_counts_as_it_does_in_folders(
    write: Callable[[Path, Sequence[Photo]], str], tmp_path: Path
) -> None:
    plain = observed(tmp_path / "folders", as_folders, faulty())
    assert {name: value for name, (value, _) in plain.items()} == {
        "missing_files": 0,
        "corrupt_images": 1,
        "duplicate_images": 1,
        "near_duplicate_images": 1,
        "split_leakage": 1,
        "class_map_mismatch": 0,
        "min_class_count": 4,
        "max_class_imbalance": 1.0,
        "unusual_images": 2,
        "blank_images": 2,
        "labels_out_of_range": 5,
    }
    stored = observed(tmp_path / "stored", write, faulty())
    assert stored == plain
