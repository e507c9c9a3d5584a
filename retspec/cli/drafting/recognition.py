"""Recognise the values of a training config that a spec needs, by the usual keys, at any depth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Steps = tuple[str, ...]

_KEY = re.compile(r"[\w-]+")
"""Keys that a reference can name."""
_ADAPTER = re.compile(r"lora|peft|adapter", re.IGNORECASE)
_ASIDE = re.compile(r"_|x-|base|default|val|test|eval", re.IGNORECASE)
"""Prefixes of sections that another section merges, or that are not about the training."""
_SIZED = re.compile(r"(vit|deit|eva|beit|swin|cait|xcit)")
"""Models that are built for one size of image."""
_WEIGHTS = (".pth", ".pt", ".bin", ".safetensors", ".ckpt")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A value that a spec needs: what its key is called, and what it looks like."""

    keys: tuple[str, ...]
    """Ends of places, the likeliest first."""
    fits: Callable[[Any], bool]
    within_adapter: tuple[str, ...] = ()
    """Keys that mean this only in a section of an adapter: the `alpha` of mixup is a different one."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[\w-]+", value))


def _is_on(value: Any) -> bool:
    return value is True or _is_positive(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_fraction(value: Any) -> bool:
    return _is_number(value) and value < 1


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _is_channels(value: Any) -> bool:
    return isinstance(value, list) and len(value) in {1, 3} and all(map(_is_number, value))


def _is_size(value: Any) -> bool:
    return _is_count(value) or (isinstance(value, list) and len(value) in {2, 3} and all(map(_is_count, value)))


def _is_table(value: Any) -> bool:
    return isinstance(value, str) and value.lower().endswith(".csv")


def _is_shards(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(".tar") and "://" not in value and not value.startswith("pipe:")


def _is_weights(value: Any) -> bool:
    return isinstance(value, str) and value.endswith(_WEIGHTS) and "://" not in value


WANTED: Mapping[str, Wanted] = {
    "name": Wanted(
        keys=(
            *("model_name", "model.name", "model.arch", "model.backbone", "arch", "backbone", "backbone.name"),
            *("encoder.name", "network.name", "model.model", "model.timm", "timm", "model", "encoder"),
        ),
        fits=_is_text,
    ),
    "classes": Wanted(keys=("num_classes", "nb_classes", "n_classes", "classes"), fits=_is_count),
    "weights": Wanted(
        keys=(
            *("checkpoint", "checkpoint_path", "pretrained_path", "weights", "weights_path", "finetune", "pretrained"),
            *(
                "initial_checkpoint",
                "pretrained_checkpoint",
                "checkpoint.path",
                "ckpt",
                "ckpt_path",
                "pretrained_weights",
            ),
        ),
        fits=_is_weights,
    ),
    "hub_weights": Wanted(keys=("finetune",), fits=_is_word),
    "ema": Wanted(keys=("model_ema", "use_ema", "ema", "ema_decay", "model_ema_decay"), fits=_is_on),
    "r": Wanted(keys=("lora_r", "lora_rank", "r"), within_adapter=("rank",), fits=_is_count),
    "alpha": Wanted(keys=("lora_alpha",), within_adapter=("alpha",), fits=_is_positive),
    "dropout": Wanted(keys=("lora_dropout",), within_adapter=("dropout",), fits=_is_fraction),
    "targets": Wanted(
        keys=("target_modules", "lora_target_modules", "lora_targets"),
        within_adapter=("targets",),
        fits=lambda value: _is_names(value) or _is_text(value),
    ),
    "saved": Wanted(keys=("modules_to_save", "lora_modules_to_save"), fits=_is_names),
    "size": Wanted(keys=("input_size", "img_size", "image_size", "imgsz", "crop_size"), fits=_is_size),
    "batch": Wanted(keys=("batch_size", "train_batch_size", "per_device_train_batch_size"), fits=_is_count),
    "accumulation": Wanted(
        keys=("gradient_accumulation_steps", "grad_accum_steps", "accumulate_grad_batches", "accum_iter"),
        fits=_is_count,
    ),
    "lr": Wanted(keys=("learning_rate", "lr", "base_lr"), fits=_is_number),
    "base_rate": Wanted(keys=("blr",), fits=_is_positive),
    "decay": Wanted(keys=("weight_decay", "wd"), fits=_is_number),
    "mean": Wanted(keys=("mean", "image_mean", "img_mean"), fits=_is_channels),
    "std": Wanted(keys=("std", "image_std", "img_std"), fits=_is_channels),
    "train": Wanted(keys=("train_csv", "train_file", "train_path", "train.csv", "csv"), fits=_is_table),
    "val": Wanted(keys=("val_csv", "valid_csv", "val_file", "val_path", "val.csv"), fits=_is_table),
    "test": Wanted(keys=("test_csv", "test_file", "test_path", "test.csv"), fits=_is_table),
    "train_shards": Wanted(
        keys=("train_shards", "train_urls", "train_url", "train_data", "shards", "urls", "train.shards", "train.urls"),
        fits=_is_shards,
    ),
    "val_shards": Wanted(
        keys=("val_shards", "val_urls", "val_url", "val_data", "valid_shards", "val.shards", "val.urls"),
        fits=_is_shards,
    ),
    "test_shards": Wanted(keys=("test_shards", "test_urls", "test_data", "test.shards"), fits=_is_shards),
    "images": Wanted(
        keys=(
            *("image_dir", "images_dir", "img_dir", "image_root", "image_path", "images", "data_path", "data_dir"),
            *("data_root", "root", "dataset_path", "dataset_dir", "shard_dir", "shards_dir"),
        ),
        fits=_is_text,
    ),
    "train_split": Wanted(keys=("train_split", "train_folder"), fits=_is_word),
    "val_split": Wanted(keys=("val_split", "valid_split", "validation_split", "val_folder"), fits=_is_word),
    "test_split": Wanted(keys=("test_split", "test_folder"), fits=_is_word),
    "image_column": Wanted(
        keys=("image_column", "image_col", "img_col", "file_column", "filename_column", "filename_col", "id_col"),
        fits=_is_text,
    ),
    "label_column": Wanted(
        keys=("label_column", "label_col", "target_column", "target_col", "class_column", "class_col"), fits=_is_text
    ),
    "group_column": Wanted(keys=("group_column", "group_col", "patient_column", "patient_col"), fits=_is_text),
}
"""The values to look for, by the word that `drafting.spec` uses for them."""


@dataclass(frozen=True)
class Found:
    """A recognised value of the config."""

    place: str
    """Dotted, without `config.`"""
    value: Any

    @property
    def reference(self) -> str:
        """How a spec refers to it; the quotes are what a flow mapping needs."""
        return self.reference_below("")

    def reference_below(self, folder: str) -> str:
        """Return how a spec refers to a path in a folder, which ends with a slash or is empty."""
        return json.dumps(f"{folder}${{config.{self.place}}}", ensure_ascii=False)

    def item(self, index: int) -> str:
        """Return how a spec refers to an item of it."""
        return f'"${{config.{self.place}.{index}}}"'


def settings_in(data: Any, unresolved: Mapping[str, str]) -> dict[str, Found]:
    """Return the recognised values of a config; of several places the likeliest key wins, then the section."""
    entries = [entry for entry in _entries(data) if ".".join(entry[0]) not in unresolved]
    found = {word: _best(wanted, entries) for word, wanted in WANTED.items()}
    return {word: Found(".".join(steps), value) for word, hit in found.items() if hit for steps, value in [hit]}


def is_sized(found: Mapping[str, Found]) -> bool:
    """Return whether the model is built for one image size, and the config gives that size."""
    if not {"name", "size"} <= found.keys():
        return False
    return isinstance(found["size"].value, int) and bool(_SIZED.match(str(found["name"].value)))


def _entries(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield the values of a config that a reference can name, whole sections and lists included."""
    if steps:
        yield steps, value
    for key, entry in value.items() if isinstance(value, dict) else ():
        if _KEY.fullmatch(key):
            yield from _entries(entry, (*steps, key))


def _best(wanted: Wanted, entries: list[tuple[Steps, Any]]) -> tuple[Steps, Any] | None:
    ranked = [
        (rank, any(map(_ASIDE.match, steps[:-1])), len(steps), order, steps, value)
        for order, (steps, value) in enumerate(entries)
        if wanted.fits(value) and (rank := _rank(wanted, steps)) is not None
    ]
    return min(ranked)[4:] if ranked else None


def _rank(wanted: Wanted, steps: Steps) -> int | None:
    """Return the rank of a place, 0 the likeliest, or None."""
    lowered = tuple(step.lower() for step in steps)
    in_adapter = any(map(_ADAPTER.search, lowered[:-1]))
    keys = (*wanted.within_adapter, *wanted.keys) if in_adapter else wanted.keys
    return next(
        (rank for rank, key in enumerate(keys) if lowered[-key.count(".") - 1 :] == tuple(key.split("."))), None
    )
