"""Small datasets of images as people have them, healthy and with one planted fault each; and their transforms."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torchvision import transforms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch

CLASSES = ("0_none", "1_mild", "2_severe")
SIDE = 32
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


# Files -------------------------------------------------------------------------------------------


def draw(path: Path, seed: int) -> None:
    """Write an image that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(np.kron(coarse, np.ones((SIDE // 4, SIDE // 4, 1), dtype=np.uint8))).save(path)


def write_folders(root: Path, counts: Mapping[str, Mapping[str, int]]) -> Path:
    """Write split to class to so many images."""
    seed = 0
    for split, classes in counts.items():
        for name, count in classes.items():
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                draw(root / split / name / f"{index}.jpg", seed)
                seed += 1
    return root


def truncate(path: Path) -> None:
    """Cut a file off in its pixels, as a download that broke does: it still opens."""
    path.write_bytes(path.read_bytes()[:-60])


def healthy(root: Path) -> Path:
    return write_folders(root, {"train": dict.fromkeys(CLASSES, 4), "val": dict.fromkeys(CLASSES, 2)})


def write_photos(root: Path) -> None:
    """Write every dataset that the cases name, each a folder below the root."""
    healthy(root / "healthy")
    write_folders(root / "imbalanced", {"train": {"0_none": 12, "1_mild": 1}})
    write_folders(root / "empty_class", {"train": {"0_none": 2, "1_mild": 0}})
    write_folders(root / "shifted", {"train": dict.fromkeys(CLASSES, 1), "val": {"0_none": 1, "2_severe": 1}})
    write_folders(root / "grades", {split: {"1": 1, "2": 1, "10": 1} for split in ("train", "val")})
    truncate(healthy(root / "truncated") / "train/1_mild/2.jpg")
    (healthy(root / "no_image") / "val/0_none/1.jpg").write_text("<html>404</html>")
    doubled = healthy(root / "doubled")
    shutil.copy(doubled / "train/0_none/0.jpg", doubled / "train/2_severe/again.jpg")
    leaking = healthy(root / "leaking")
    shutil.copy(leaking / "train/0_none/0.jpg", leaking / "val/0_none/again.jpg")
    write_tables(root / "tables")
    write_looked_at(root)


def write_looked_at(root: Path) -> None:
    """Write the datasets whose faults show beside the splits, in names, or in the pixels of decoded images."""
    shutil.copytree(healthy(root / "copied") / "train", root / "copied/train_old")
    odd = healthy(root / "odd")
    Image.fromarray(np.full((SIDE, SIDE), 40_000, dtype=np.uint16)).save(odd / "train/0_none/deep.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.open(odd / "val/0_none/0.jpg").save(odd / "val/0_none/0.jpg", exif=turned)
    Image.new("RGB", (SIDE, SIDE), (3, 2, 1)).save(healthy(root / "blank") / "val/0_none/black.png")
    pictures(root / "apart")
    recompressed, scaled = pictures(root / "recompressed"), pictures(root / "scaled")
    Image.open(recompressed / "train/a/0.png").save(recompressed / "val/a/again.png", compress_level=1)
    Image.open(scaled / "train/a/0.png").resize((150, 150)).save(scaled / "val/a/again.jpg", quality=80)
    mirrored = Image.open(pictures(root / "mirrored") / "train/a/0.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.resize((150, 150)).save(root / "mirrored/val/a/again.jpg", quality=80)
    for index, (split, eye) in enumerate(
        (s, f"{n}_{e}") for s, e in (("train", "left"), ("val", "right")) for n in (7, 8)
    ):
        draw(root / "eyes" / split / "a" / f"{eye}.png", 300 + index)


def pictures(root: Path) -> Path:
    """Write six images with as much in them as a photograph has, in two splits of one class."""
    for index in range(6):
        grid = np.random.default_rng(200 + index).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        path = root / ("train" if index < 4 else "val") / "a" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grid).resize((200, 200), Image.Resampling.BICUBIC).save(path)
    return root


def write_tables(root: Path) -> None:
    """Write tables as Kaggle and the universities give them, over twelve images."""
    for index in range(12):
        draw(root / "images" / f"eye{index}.png", 100 + index)
    rows = [f"eye{index},{index % 3},patient{index // 2}" for index in range(12)]
    table(root / "train.csv", "id_code,diagnosis,patient", rows[:8])
    table(root / "test.csv", "id_code,diagnosis,patient", rows[8:])
    table(root / "test_with_a_patient_of_train.csv", "id_code,diagnosis,patient", [*rows[8:11], "eye11,2,patient0"])
    table(root / "names_without_files.csv", "id_code,diagnosis,patient", [*rows[:4], "eye99,0,patient9"])
    table(root / "only_missing.csv", "id_code,diagnosis,patient", ["eye98,1,patient8", "eye99,0,patient9"])
    table(root / "from_one.csv", "id_code,diagnosis,patient", ["eye0,1,a", "eye1,2,b", "eye2,3,c", "eye3,,d"])
    grades = [f"eye{index},{index % 3}.0,0,," for index in range(12)]
    table(root / "idrid.csv", "Image name,Retinopathy grade,Risk of macular edema ,,", [*grades, ",,,,"])


def table(path: Path, header: str, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\r\n" for line in (header, *rows)), encoding="utf-8-sig")


# Transforms, as factories that a spec names ----------------------------------------------------------


def imagenet() -> Callable[..., Any]:
    return composed(transforms.Resize(16), transforms.CenterCrop(16))


def squeezed() -> Callable[..., Any]:
    return composed(transforms.Resize((16, 16)))


def composed(*steps: Any) -> Callable[..., Any]:
    return transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize(**IMAGENET)])


def small() -> Callable[..., Any]:
    return composed(transforms.Resize(32))


def small_and_turned() -> Callable[..., Any]:
    return composed(transforms.Resize(32), transforms.RandomRotation(90))


def standardized_per_image() -> Callable[..., Any]:
    """The z-score of each image: there is no mean and std."""

    def transform(image: Image.Image) -> torch.Tensor:
        tensor = transforms.functional.to_tensor(image.resize((16, 16)))
        return (tensor - tensor.mean()) / (tensor.std() + 1e-6)

    return transform


def unfinished() -> Callable[..., Any]:
    return transforms.Resize(16)


def needs_arguments(size: int) -> Callable[..., Any]:
    return transforms.Resize(size)


def augmenting32() -> Callable[..., Any]:
    return composed(transforms.RandomResizedCrop(32), transforms.RandomHorizontalFlip())
