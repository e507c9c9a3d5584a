"""A spec drafted from a training config: what was recognised becomes references, what was not becomes comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from retspec.cli.drafting.data import DraftedData
from retspec.cli.drafting.foundation import PLUGIN, Foundation, foundation_in, hint_for, is_installed
from retspec.cli.drafting.recognition import Found, is_sized
from retspec.cli.lookup import model_fault
from retspec.subjects.config_paths import INPUTS, OUTPUT_FOLDERS, texts
from retspec.subjects.data.split_words import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from retspec.cli.drafting.disk import Disk
    from retspec.spec.load.config import ConfigFile

_HEAD = """\
# yaml-language-server: $schema={schema}
# Drafted from {config}. Each ${{config.KEY}} is read from there, so that the two cannot drift apart.
# Commented lines were not found there, or need your input.
#
#   retspec validate FILE    is it valid?
#   retspec plan FILE        what would be measured?
#   retspec run FILE         does the setup meet the criteria?
retspec: 1
name: preflight
description: Gate before a fine-tuning run.
config: {config}{plugins}
"""
Finds = dict[str, Found]


def draft(found: Finds, config: ConfigFile, disk: Disk, named: str, schema: str) -> str:
    """Return the text of a spec.

    found: what was recognised in the config; disk: where those files are looked up.
    named: the config's path as the spec gives it; schema: path of the JSON Schema for editors.
    """
    foundation = foundation_in(found)
    data = DraftedData(found, disk, foundation)
    sections = [
        _model(found, disk, foundation),
        [*data.section()],
        _train(found),
        ["run: {seed: 42, device: auto, timeout: 10m}"],
    ]
    sections.append([*_checks(found, config, data, foundation)])
    body = "\n\n".join("\n".join(section) for section in sections)
    plugins = f"\nplugins: [{PLUGIN}]" if foundation and is_installed() else ""
    return f"{_HEAD.format(schema=schema, config=json.dumps(named), plugins=plugins)}\n{body}\n"


def can_be_drafted(found: Finds, config: ConfigFile) -> bool:
    """Return whether something in the config can be checked: a model, images, or paths."""
    return not found.keys().isdisjoint(
        {"name", "weights", "images", *SPLITS, *(f"{split}_shards" for split in SPLITS)}
    ) or any(_on_disk(config).values())


def _line(key: str, found: Finds, word: str, otherwise: str, *, indent: int = 2) -> str:
    """Return `key: reference`, or as a comment with an example."""
    space = " " * indent
    return f"{space}{key}: {found[word].reference}" if word in found else f"{space}# {key}: {otherwise}"


def _model(found: Finds, disk: Disk, foundation: Foundation | None) -> list[str]:
    if foundation is not None:
        return [*foundation.section(found, disk), *_ema(found), *_lora(found)]
    if "name" not in found:
        return ["# The model: no key of the config is called like one.", "# model:", "#   timm: vit_large_patch16_224"]
    if fault := model_fault("timm", str(found["name"].value)):
        source = [f"# {fault}: name the callable that builds yours.", "model:", '  factory: "my_project.models:build"']
    else:
        source = ["# The model: a timm name, or `factory: package.module:callable` for your own.", "model:"]
        source.append(f"  timm: {found['name'].reference}")
    plugin = hint_for(found)
    return [
        *source,
        *([f"  # {plugin}"] if plugin else []),
        *_kwargs(found),
        f"  checkpoint: {disk.reference(found['weights'])}" if "weights" in found else "  # checkpoint: weights.pth",
        *_ema(found),
        *_lora(found),
    ]


def _ema(found: Finds) -> Iterator[str]:
    if "ema" in found:
        yield f"  # {found['ema'].place} is on: the training keeps an exponential moving average (EMA) of the weights."
        yield "  # Its files hold both: `checkpoint: {file: last.pth.tar, key: state_dict_ema}` says which are meant."


def _kwargs(found: Finds) -> Iterator[str]:
    if "classes" not in found and not is_sized(found):
        yield "  # kwargs: {num_classes: 5}"
        return
    yield "  kwargs:"
    yield _line("num_classes", found, "classes", "5", indent=4)
    if is_sized(found):
        yield _line("img_size", found, "size", "224", indent=4)


def _lora(found: Finds) -> Iterator[str]:
    if "r" not in found and "targets" not in found:
        yield "  # lora: {r: 8, alpha: 16, target_modules: [qkv], modules_to_save: [head]}"
        return
    yield "  lora:"
    yield _line("r", found, "r", "8", indent=4)
    yield _line("alpha", found, "alpha", "16", indent=4)
    yield _line("dropout", found, "dropout", "0.1", indent=4)
    if "targets" in found:
        yield _line("target_modules", found, "targets", "", indent=4)
    else:
        yield "    target_modules: [qkv]      # not found in the config: layers whose names end so"
    yield _line("modules_to_save", found, "saved", "[head]   # a new head must train too", indent=4)


def _train(found: Finds) -> list[str]:
    return [
        "# The short training that the learning checks watch.",
        "train:",
        "  steps: 20",
        _line("batch_size", found, "batch", "4"),
        *([_line("accumulation", found, "accumulation", "")] if "accumulation" in found else []),
        _rate(found),
        _line("weight_decay", found, "decay", "0.05"),
    ]


def _rate(found: Finds) -> str:
    """Return the line of the learning rate; that of MAE's scripts follows from a base rate and the batch.

    See https://github.com/facebookresearch/mae/blob/main/main_finetune.py
    """
    if "lr" in found or not {"base_rate", "batch"} <= found.keys():
        return _line("lr", found, "lr", "1e-3")
    micro = found["accumulation"].value if "accumulation" in found else 1
    rate = found["base_rate"].value * found["batch"].value * micro / 256
    return f"  lr: {rate:.4g}   # {found['base_rate'].place} x batch x accumulation / 256, for one GPU"


def _checks(found: Finds, config: ConfigFile, data: DraftedData, foundation: Foundation | None) -> Iterator[str]:
    yield "# The criteria. `name: value` sets the limit; `retspec checks NAME` explains one."
    yield "checks:"
    yield from (f"  {'' if there else '# '}{check}" for check, there in _on_disk(config).items())
    yield "  # config_values: {with: {schema: train.schema.json}}"
    yield from (f"  {line}" for line in data.checks())
    yield from (
        f"  {line}" for line in (foundation.checks(adapted="r" in found or "targets" in found) if foundation else ())
    )
    comment = "" if "name" in found or foundation else "# "
    yield from (f"  {comment}{line}" for line in _of_model(found))


def _on_disk(config: ConfigFile) -> Mapping[str, bool]:
    """Return the checks of files and folders, and whether the config has keys for them."""
    named = [text for text in texts(config.data) if text.is_path and text.place not in config.unresolved]
    return {
        "config_paths: 0": any(text.matches(INPUTS) and not text.is_output for text in named),
        "output_dir_writable: true": any(text.matches(OUTPUT_FOLDERS) for text in named),
    }


def _of_model(found: Finds) -> Iterator[str]:
    yield "head_trainable: true"
    if {"batch", "classes"} <= found.keys():
        yield f"output_shape: [{found['batch'].reference}, {found['classes'].reference}]"
    if "r" in found or "targets" in found:
        yield f"trainable_names: [lora_, {_saved_names(found)}]   # nothing else may train"
        yield "frozen_drift: 0"
        yield "merge_atol: 1e-5"
    yield "loss_drop: 0.5                     # the loss at least halves"
    yield "nonfinite_steps: 0"
    yield "dead_gradients: 0"
    yield "unchanged_params: 0"


def _saved_names(found: Finds) -> str:
    if "saved" not in found:
        return "head"
    return ", ".join(found["saved"].item(index) for index in range(len(found["saved"].value)))
