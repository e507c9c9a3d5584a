"""Wrap a model with LoRA, or another adapter of peft."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from retspec.errors import SubjectError, did_you_mean
from retspec.records import EXPRESSIONS, LORA_ALIASES
from retspec.subjects.models.patterns import require_quick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peft import PeftConfig
    from torch import nn

    from retspec.records import Lora, Peft

PLACE = "model.lora"
OTHER = "model.peft"
_PEFT_NAMES = {name: alias for alias, name in LORA_ALIASES.items()}


def wrap(model: nn.Module, lora: Lora, *, rank: int | None = None) -> nn.Module:
    """Return the model wrapped by peft, which changes the model in place.

    rank: replaces the rank of `lora`.

    Raises SubjectError when the targets match no layer, or peft refuses the configuration.

    LoRA: https://arxiv.org/abs/2106.09685; the arguments: https://huggingface.co/docs/peft/package_reference/lora
    """
    from peft import LoraConfig

    lora = lora if rank is None else replace(lora, r=rank)
    given = _given(lora, {field.name for field in dataclasses.fields(LoraConfig)})
    return _wrapped(model, partial(LoraConfig, **given), given, PLACE)


def wrap_otherwise(model: nn.Module, peft: Peft) -> nn.Module:
    """Return the model wrapped by another method of peft, which changes the model in place.

    Raises what `wrap` raises. The methods: https://huggingface.co/docs/peft/package_reference/peft_types
    """
    import peft as library

    version = importlib.metadata.version("peft")
    kind = getattr(library.PeftType, peft.type, None)
    if kind is None:
        raise SubjectError(f"peft {version} has no {peft.type.lower()}; it needs a newer one", path=f"{OTHER}.type")
    make: Any = library.mapping.PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    known = {field.name for field in dataclasses.fields(make)}
    for name in peft.arguments:
        if name not in known:
            message = f"{peft.type.lower()} of peft {version} has no {name}; it needs a newer one"
            raise SubjectError(message, path=f"{OTHER}.{name}")
    given = {name: list(value) if isinstance(value, tuple) else value for name, value in peft.arguments.items()}
    return _wrapped(model, partial(make, **given), given, OTHER)


def _wrapped(model: nn.Module, make: Callable[[], PeftConfig], given: Mapping[str, Any], place: str) -> nn.Module:
    from peft import get_peft_model

    require_quick(_patterns(given, place), [name for name, _ in model.named_modules()])
    try:
        wrapped: nn.Module = get_peft_model(model, make())
    except ValueError as error:
        if "arget modules" not in str(error):
            raise SubjectError(f"peft refuses the adapter: {_first_line(error)}", path=place) from error
        raise SubjectError(_no_match(model, given), path=f"{place}.target_modules") from error
    except (TypeError, ImportError, NotImplementedError, RuntimeError, AssertionError) as error:
        raise SubjectError(f"peft refuses the adapter: {_first_line(error)}", path=place) from error
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


def _patterns(given: Mapping[str, Any], place: str) -> Iterator[tuple[str, str]]:
    """Yield (place in the spec, regular expression) for each that peft matches with the names of layers."""
    for key, value in given.items():
        if key in EXPRESSIONS and isinstance(value, str):
            yield f"{place}.{key}", value
        elif key.endswith("_pattern") and isinstance(value, Mapping):
            yield from ((f"{place}.{key}", rf"(.*\.)?({pattern})$") for pattern in value)


def _no_match(model: nn.Module, given: Mapping[str, Any]) -> str:
    names, targets = [name for name, _ in model.named_modules()], given["target_modules"]
    if given.get("layers_to_transform") not in (None, ()):
        # peft guesses the list of blocks, and not where it is at the top of the model, as in timm's:
        # https://github.com/huggingface/peft/blob/main/src/peft/tuners/tuners_utils.py
        hint = "check the numbers"
        if not given.get("layers_pattern"):
            hint = "name the list of blocks, as in `layers_pattern: blocks`"
        return f"target_modules {targets!r} matches no layer in the blocks of layers_to_transform; {hint}"
    last = [*dict.fromkeys(name.rpartition(".")[2] for name in names if name)]
    if not isinstance(targets, str):
        near = next(filter(None, (did_you_mean(target, last) for target in targets)), "")
        return f"target_modules {targets!r} matches no layer; this model has {_layer_names(model)}{near}"
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
