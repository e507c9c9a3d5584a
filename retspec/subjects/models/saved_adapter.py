"""Load a saved adapter onto the model: completely, or not at all.

peft itself ignores extra layers silently, only warns of missing ones, and does not notice another base model. Here
everything that does not fit is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from retspec.characters import one_line, quoted
from retspec.errors import SubjectError, describe
from retspec.subjects.callables import installed_imports_alone
from retspec.subjects.checkpoints import File, find
from retspec.subjects.checkpoints.placement import flaw_of, shape
from retspec.subjects.checkpoints.reading import read
from retspec.subjects.checkpoints.sets import tensors_of
from retspec.subjects.models.adapter_config import read_settings
from retspec.text.wording import exact, listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from peft import PeftConfig
    from torch import Tensor, nn

    from retspec.records import Lora

PLACE = "model.adapter"
CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")


_LONGEST_NAME = 120
_ANY_RANK = 1024
"""Ranks up to this one are compared with the file factor by factor, which gives a better message."""


@dataclass(frozen=True)
class SavedAdapter:
    """The two files of a folder that `save_pretrained` wrote."""

    name: str
    """The folder, as the spec writes it."""
    config: File
    weights: File

    def refused(self, why: str) -> SubjectError:
        """Return the error that says in one line why this adapter is not loaded."""
        return SubjectError(one_line(f"{self.name} {why}"), path=PLACE)


def find_adapter(name: str, folder: Path) -> SavedAdapter:
    """Return the adapter in the folder of this name, relative to the folder of the spec.

    Raises SubjectError when one of its files is not there.
    """
    if _is_there((folder / name).is_file):
        raise SubjectError(f"{name} is a file; name the folder that holds it and {CONFIG}", path=PLACE)
    config = find(f"{name}/{CONFIG}", folder, PLACE)
    weights = next((file for file in WEIGHTS if _is_there((folder / name / file).exists)), WEIGHTS[0])
    return SavedAdapter(name, config, find(f"{name}/{weights}", folder, PLACE))


def _is_there(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except OSError:  # a name that is too long, or a folder that cannot be read; `find` reports which
        return False


@installed_imports_alone()
def load_adapter(model: nn.Module, saved: SavedAdapter, lora: Lora | None) -> nn.Module:
    """Return the model wrapped with the saved adapter and its weights; on the meta device, their shapes only.

    lora: the adapter that the spec describes, which must match the saved one.

    Raises SubjectError for files that cannot be read safely, for layers, ranks or shapes that do not fit the model, for
    values that are not finite, and for an adapter that differs from the spec.
    """
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    config = _config(saved)
    if lora is not None and (differences := list(_differences(config, lora))):
        raise SubjectError(f"{saved.name} is not what the spec says: {'; '.join(differences)}", path="model.lora")
    weights = _weights(saved)
    if objection := _rank_beyond(weights, config):
        raise saved.config.refused(objection)
    try:
        wrapped: nn.Module = get_peft_model(model, config)
    except Exception as error:  # peft raises many errors for an impossible configuration
        raise saved.refused(f"does not fit the model: {describe(error)}") from error
    places: dict[str, Tensor] = get_peft_model_state_dict(wrapped)
    if objections := list(_misfits(weights, places)):
        raise saved.refused(f"does not fit the model: {'; '.join(objections)}")
    if not any(tensor.is_meta for tensor in places.values()):
        set_peft_model_state_dict(wrapped, weights)
        saved.weights.require_unchanged()
    return wrapped


def _config(saved: SavedAdapter) -> PeftConfig:
    """Return the configuration of the adapter, in which its parameters are trainable again."""
    from peft import get_peft_config

    settings = read_settings(saved.config)
    try:
        return get_peft_config(settings)
    except Exception as error:
        raise saved.refused(f"has a {CONFIG} that peft does not read: {describe(error)}") from error


def _weights(saved: SavedAdapter) -> dict[str, Tensor]:
    import torch

    contents = read(saved.weights)
    weights: dict[str, Tensor] = tensors_of(contents.value)
    if not weights:
        raise saved.weights.refused("holds no named weights")
    contents.require_room(weights, saved.weights)
    if others := [f"{_short(name)} ({kind})" for name, tensor in weights.items() if (kind := _unlike_weights(tensor))]:
        raise saved.weights.refused(f"holds no weights in {listing(others)}")
    broken = [_short(name) for name, tensor in weights.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise saved.weights.refused(f"holds NaN or infinity in {listing(broken)}")
    return weights


def _unlike_weights(tensor: Tensor) -> str:
    """Return why the elements of a tensor cannot be inspected, or an empty string."""
    import torch

    if tensor.is_meta:
        return "saved from the meta device"
    if tensor.is_quantized or tensor.layout is not torch.strided:
        return "quantized" if tensor.is_quantized else str(tensor.layout)
    try:
        tensor.new_empty(0).isfinite()
    except NotImplementedError:  # packed types, such as float4_e2m1fn_x2
        return str(tensor.dtype)
    return ""


def _rank_beyond(weights: Mapping[str, Tensor], config: PeftConfig) -> str:
    """Return an objection to a rank beyond all in the file, since peft would allocate factors of that rank.

    A factor of rank r has r rows or columns: the rank is its number of elements divided by its longest side.
    """
    if config.peft_type == "LOKR":  # has full matrices instead of factors where a rank is large
        return ""
    found = max(tensor.numel() // max(tensor.shape, default=1) for tensor in weights.values() if tensor.numel())
    pattern = getattr(config, "rank_pattern", None) or {}
    ranks = {name: getattr(config, name, None) for name in ("r", "init_r", "target_r")} | dict(pattern)
    for name, rank in ranks.items():
        if isinstance(rank, int) and rank > max(found, _ANY_RANK):
            return f"says {quoted(name)} as {rank:,}; no factor in the weights has a rank beyond {found:,}"
    return ""


def _short(name: str) -> str:
    """Return the name of a tensor, shortened so that several fit in one line."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def _misfits(weights: Mapping[str, Tensor], places: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield how a saved adapter does not fit the model: missing, extra and differing tensors."""
    if missing := [name for name in places if name not in weights]:
        yield f"the file lacks {listing([*map(_short, missing)])}"
    if unexpected := [name for name in weights if name not in places]:
        yield f"the model has no place for {listing([*map(_short, unexpected)])}"
    others = [
        f"{_short(name)} is {shape(tensor)} in the file and {shape(places[name])} in the model"
        for name, tensor in weights.items()
        if name in places and tensor.shape != places[name].shape
    ]
    if others:
        yield f"other shapes: {listing(others)}"
    kinds = [
        f"{_short(name)} ({flaw})"
        for name, tensor in weights.items()
        if name in places and not places[name].is_meta and (flaw := flaw_of(tensor, places[name]))
    ]
    if kinds:
        yield f"other kinds of numbers: {listing(kinds)}"


def _differences(config: PeftConfig, lora: Lora) -> Iterator[str]:
    """Yield how the saved configuration differs from the spec; dropout only matters in training."""
    said: dict[str, Any] = {
        "r": lora.r,
        "lora_alpha": lora.alpha,
        "target_modules": lora.target_modules,
        "modules_to_save": lora.modules_to_save,
        "bias": lora.bias,
        "use_rslora": lora.use_rslora,
        "use_dora": lora.use_dora,
        "rank_pattern": lora.rank_pattern,
        "alpha_pattern": lora.alpha_pattern,
        "layers_to_transform": lora.layers_to_transform,
        "layers_pattern": lora.layers_pattern,
        "target_parameters": lora.target_parameters,
        "fan_in_fan_out": lora.fan_in_fan_out,
        "lora_bias": lora.lora_bias,
    }
    for name, wanted in said.items():
        found = getattr(config, name, None)
        if _comparable(found) != _comparable(wanted):
            yield f"{name.removeprefix('lora_')} is {_shown(found)} there, {_shown(wanted)} in the spec"


def _comparable(value: Any) -> Any:
    """Return a value to compare: None equals an empty list or mapping, and the order of a list does not count."""
    if value is None or value == {}:
        return frozenset()
    return frozenset(value) if isinstance(value, list | tuple | set) else value


def _shown(value: Any) -> str:
    listed = _comparable(value)
    return f"[{', '.join(sorted(map(str, listed)))}]" if isinstance(listed, frozenset) else exact(listed)
