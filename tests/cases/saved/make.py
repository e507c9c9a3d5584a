"""Write `fundus` again, with `datasets` of Hugging Face, which the tests do not need: `python make.py`."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import datasets
import numpy as np
from PIL import Image

FEATURES = datasets.Features(
    {
        "image": datasets.Image(),
        "label": datasets.ClassLabel(names=["No DR", "Mild", "Severe"]),
        "patient": datasets.Value("string"),
        "age": datasets.Value("float32"),
        "ok": datasets.Value("bool"),
        "many": datasets.Sequence(datasets.ClassLabel(names=["a", "b", "c"])),
    }
)


def photo(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer := BytesIO(), "JPEG")
    return buffer.getvalue()


def split(count: int, first: int, eye: str) -> datasets.Dataset:
    rows = {
        "image": [{"bytes": photo(first + at), "path": f"{first + at}_{eye}.jpg"} for at in range(count)],
        "label": [at % 3 for at in range(count)],
        "patient": [f"P{first + at:03d}" for at in range(count)],
        "age": [None if at == 1 else 50.5 for at in range(count)],
        "ok": [at % 2 == 0 for at in range(count)],
        "many": [[0, 2] if at % 2 else [] for at in range(count)],
    }
    return datasets.Dataset.from_dict(rows, features=FEATURES)


if __name__ == "__main__":
    splits = datasets.DatasetDict({"train": split(6, 0, "left"), "validation": split(3, 100, "right")})
    splits.save_to_disk(Path(__file__).parent / "fundus", num_shards={"train": 2, "validation": 1})
