"""Wrap a model with LoRA."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError
from retspec.records import LORA_ALIASES
from retspec.subjects.models.patterns import require_quick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

    from retspec.records import Lora

PLACE = "model.lora"
_PEFT_NAMES = {name: alias for alias, name in LORA_ALIASES.items()}


def wrap(model: nn.Module, lora: Lora, *, rank: int | None = None) -> nn.Module:
    """Return the model wrapped by peft, which changes the model in place.

    rank: replaces the rank of `lora`.

    Raises SubjectError when the targets match no layer, or peft refuses the configuration.

    LoRA: https://arxiv.org/abs/2106.09685; the arguments: https://huggingface.co/docs/peft/package_reference/lora
    """
    from peft import LoraConfig, get_peft_model

    lora = lora if rank is None else replace(lora, r=rank)
    given = _given(lora, {field.name for field in dataclasses.fields(LoraConfig)})
    require_quick(_patterns(lora), [name for name, _ in model.named_modules()])
    try:
        wrapped: nn.Module = get_peft_model(model, LoraConfig(**given))
    except ValueError as error:
        if "arget modules" not in str(error):
            raise SubjectError(f"peft refuses the adapter: {_first_line(error)}", path=PLACE) from error
        raise SubjectError(_no_match(model, lora), path=f"{PLACE}.target_modules") from error
    except (TypeError, ImportError, NotImplementedError) as error:
        raise SubjectError(f"peft refuses the adapter: {_first_line(error)}", path=PLACE) from error
    return wrapped


def _given(lora: Lora, known: set[str]) -> dict[str, Any]:
    """Return the arguments for `LoraConfig`: what the spec leaves out is left to peft, apart from alpha.

    known: the fields of the installed `LoraConfig`. Raises SubjectError for one that it does not have.
    """
    given: dict[str, Any] = {}
    for field in dataclasses.fields(lora):
        value, name = getattr(lora, field.name), _PEFT_NAMES.get(field.name, field.name)
        if name != "target_modules" and value in ((), {}, []):  # not given
            continue
        if name in known:
            given[name] = value
        elif value != field.default:
            version = importlib.metadata.version("peft")
            raise SubjectError(f"peft {version} has no {name}; it needs a newer one", path=f"{PLACE}.{field.name}")
    return given


def _patterns(lora: Lora) -> Iterator[tuple[str, str]]:
    """Yield (place in the spec, regular expression) for each that peft matches with the names of layers."""
    for key in ("target_modules", "exclude_modules"):
        if isinstance(pattern := getattr(lora, key), str):
            yield f"{PLACE}.{key}", pattern
    for key in ("rank_pattern", "alpha_pattern"):
        yield from ((f"{PLACE}.{key}", rf"(.*\.)?({pattern})$") for pattern in getattr(lora, key))


def _no_match(model: nn.Module, lora: Lora) -> str:
    names, targets = [name for name, _ in model.named_modules()], lora.target_modules
    if lora.names_blocks:
        # peft guesses the list of blocks, and not where it is at the top of the model, as in timm's:
        # https://github.com/huggingface/peft/blob/main/src/peft/tuners/tuners_utils.py
        hint = "check the numbers" if lora.layers_pattern else "name the list of blocks, as in `layers_pattern: blocks`"
        return f"target_modules {targets!r} matches no layer in the blocks of layers_to_transform; {hint}"
    if not isinstance(targets, str):
        return f"target_modules {targets!r} matches no layer; this model has {_layer_names(model)}"
    message = f"target_modules {targets!r} is one regular expression, which must match the whole name of a layer"
    if any(name == targets or name.endswith(f".{targets}") for name in names):
        return f"{message}, and matches none; write [{targets}] for the layers whose names end so"
    example = next(filter(None, reversed(names)), "")
    return f"{message}, such as {example}; it matches none; the names of this model end in {_layer_names(model)}"


def _layer_names(model: nn.Module) -> str:
    """Return the last parts of the names of all linear and convolution layers, each once."""
    from torch import nn

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d)
    names = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, kinds)}
    return ", ".join(sorted(names)) or "no linear or convolution layer"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
