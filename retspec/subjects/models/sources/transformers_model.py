"""`model: {transformers: FOLDER, kwargs: {...}}`, and what transformers knows of its models.

A model is recognised by its class, `PreTrainedModel`, so that one that a factory builds is known as well. Nothing is
downloaded, and no code of a folder runs: see https://huggingface.co/docs/transformers/main_classes/model
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from retspec.errors import SubjectError, did_you_mean, named
from retspec.plugin import ModelLibrary, model_source
from retspec.subjects.callables import installed_imports_alone
from retspec.subjects.models.hub_kernels import require_no_kernel
from retspec.subjects.models.image_processors import preprocessing_in
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import nn

PLACE = "model.transformers"
CONFIG = "config.json"
_SAFETENSORS = ("model.safetensors", "model.safetensors.index.json")
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")


# What the library knows --------------------------------------------------------------------------


def _pretrained(model: nn.Module) -> Any:
    """Return the outermost model of transformers, or None; before the library is imported, there is none."""
    kind = getattr(sys.modules.get("transformers.modeling_utils"), "PreTrainedModel", None)
    return None if kind is None else next((module for module in model.modules() if isinstance(module, kind)), None)


def _input_size(model: nn.Module) -> tuple[int, ...] | None:
    """Return (channels, height, width) in pixels: of the config, else of the images that the model was trained on."""
    found = _pretrained(model)
    if found is None:
        return None
    size = getattr(found.config, "image_size", None)
    if not isinstance(size, (int, list, tuple)):
        stated = _preprocessing(model)
        return None if stated is None else tuple(stated["input_size"])
    sides = (size, size) if isinstance(size, int) else tuple(size)
    return (getattr(found.config, "num_channels", 3), *sides)


def _classifier(module: nn.Module) -> nn.Module | None:
    """Return the head: what a model has beside its base and gives as many values as there are labels.

    A model may have several such layers, as DeiT with a teacher has; they are returned as one module.
    """
    from torch import nn

    if _pretrained(module) is not module:
        return None
    base: Any = module
    if base.base_model is module:
        return None
    beside = [child for child in module.children() if child is not base.base_model and [*child.parameters()]]
    labels = getattr(base.config, "num_labels", None)
    heads = [child for child in beside if labels in _widths(child)] or beside[-1:]
    return nn.ModuleList(heads) if len(heads) > 1 else next(iter(heads), None)


def _widths(module: nn.Module) -> set[object]:
    return {getattr(part, name, None) for part in module.modules() for name in ("out_features", "out_channels")}


def _preprocessing(model: nn.Module) -> Mapping[str, Any] | None:
    found = _pretrained(model)
    folder = None if found is None else _cached(found.config.name_or_path)
    return None if folder is None else preprocessing_in(folder)


def _grad_checkpointing(model: nn.Module) -> Callable[[], None] | None:
    found = _pretrained(model) or model
    # The first name is newer; both take the arguments of `torch.utils.checkpoint.checkpoint` first.
    names = ("activation_checkpointing_enable", "gradient_checkpointing_enable")
    enable: Any = next((method for name in names if callable(method := getattr(found, name, None))), None)
    if enable is None:
        return None

    def switch() -> None:
        try:
            enable({"use_reentrant": False})  # the other kind needs inputs with gradients: a frozen base has none
        except ValueError as error:
            raise SubjectError(f"{type(found).__name__} refuses: {error}", path="train.grad_checkpointing") from error

    return switch


TRANSFORMERS = ModelLibrary(
    imports=("transformers",),
    distributions=("transformers",),
    input_size=_input_size,
    classifier=_classifier,
    preprocessing=_preprocessing,
    grad_checkpointing=_grad_checkpointing,
)


# The source --------------------------------------------------------------------------------------


@model_source(library=TRANSFORMERS)
def transformers(
    name: Annotated[
        str,
        Meta(
            min_length=1,
            description="A folder with a config.json, relative to this spec, or the id of a model in the local cache.",
            examples=["runs/vit_base"],
        ),
    ],
    folder: Path,
    *,
    pretrained: Annotated[
        bool,
        Meta(description="false: random weights; true: weights must be there; by default those that are there."),
    ]
    | None = None,
    kwargs: Annotated[  # read only
        dict[str, Any], Meta(description="Keys of the model's config that replace those of the file: `num_labels`.")
    ] = {},  # noqa: B006
) -> nn.Module:
    """Build an image classifier of transformers from its config, with the weights of the folder if it has some."""
    found = _found(name, folder)
    with installed_imports_alone():  # transformers imports optional packages by their names
        config = _config(name, found, kwargs)
        is_loaded = _has_weights(name, found, pretrained) and not _on_meta()
        model = _loaded(name, found, config) if is_loaded else _random(name, config)
    return model.train()


def _on_meta() -> bool:
    import torch

    return torch.get_default_device().type == "meta"


def _found(name: str, folder: Path) -> Path:
    """Return the folder with the config: beside the spec, else in the local cache of the hub.

    https://huggingface.co/docs/huggingface_hub/package_reference/cache
    """
    beside = folder / name
    if (beside / CONFIG).is_file():
        return beside
    if beside.exists():
        raise SubjectError(f"{name} holds no {CONFIG}; name a folder that `save_pretrained` wrote", path=PLACE)
    cached = _cached(name)
    if cached is None:
        raise SubjectError(
            f"there is no folder {name} beside the spec, and no model of that name in the local cache; nothing is "
            f"downloaded: fetch it with `hf download {name}`",
            path=PLACE,
        )
    return cached


def _cached(name: str) -> Path | None:
    """Return the folder of a model: a path to one, or its snapshot in the cache; None where there is neither."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if not name or Path(name).is_dir():
        return Path(name) if name else None
    try:
        file = try_to_load_from_cache(name, CONFIG)
    except HFValidationError:
        return None
    return Path(file).parent if isinstance(file, str) else None


def _config(name: str, found: Path, kwargs: Mapping[str, Any]) -> Any:
    """Return the config with the keys of the spec; raises SubjectError for one that it does not have."""
    known = {*_read_config(name, found, {}).to_dict(), "num_labels"}
    for key in kwargs:
        if key not in known:
            raise SubjectError(f"{name}/{CONFIG} has no key {key!r}{did_you_mean(key, known)}", path="model.kwargs")
    config = _read_config(name, found, kwargs)
    require_no_kernel(f"{name}/{CONFIG}", found / CONFIG, config, PLACE)
    return config


def _read_config(name: str, found: Path, kwargs: Mapping[str, Any]) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(found, local_files_only=True, trust_remote_code=False, **kwargs)
    except Exception as error:
        raise SubjectError(f"transformers does not read {name}/{CONFIG}: {_first_line(error)}", path=PLACE) from error


def _random(name: str, config: Any) -> nn.Module:
    """Build the model with random weights; raises SubjectError for an architecture that classifies no images."""
    from transformers import AutoModelForImageClassification as Auto

    try:
        build: Any = Auto.from_config
        model: nn.Module = build(config, trust_remote_code=False)
    except Exception as error:
        kind = type(config).__name__
        raise SubjectError(
            f"transformers builds no image classifier from {name} ({kind}): {_first_line(error)}"
        ) from error
    return model


def _has_weights(name: str, found: Path, pretrained: bool | None) -> bool:  # noqa: FBT001 - the key of the spec
    """Whether to load weights; raises SubjectError where they must be there and are not, or are pickles."""
    if pretrained is False:
        return False
    if any((found / file).is_file() for file in _SAFETENSORS):
        return True
    pickle = next((file for file in _PICKLES if (found / file).is_file()), "")
    if pickle:
        raise SubjectError(
            f"{name} holds its weights as {pickle}, which this key does not open; save them as safetensors, or set "
            "`pretrained: false` and name the file as `checkpoint`",
            path=PLACE,
        )
    if pretrained:
        raise SubjectError(f"{name} holds no {_SAFETENSORS[0]}", path="model.pretrained")
    return False


def _loaded(name: str, found: Path, config: Any) -> nn.Module:
    """Build the model with its weights; raises SubjectError when anything but its head would stay random."""
    from transformers import AutoModelForImageClassification as Auto

    model: nn.Module
    try:
        model, report = Auto.from_pretrained(
            found,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # of the head, for another number of classes; any other is an error below
            output_loading_info=True,
        )
    except Exception as error:
        raise SubjectError(f"transformers does not load {name}: {_first_line(error)}", path=PLACE) from error
    head = _classifier(model)
    own = {id(parameter) for parameter in head.parameters()} if head is not None else set()
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    random = [key for key in _not_loaded(report) if id(tensors.get(key)) not in own]
    if random:
        raise SubjectError(
            f"the weights of {name} leave {listing(sorted(random))} random; set `pretrained: false` for random weights",
            path=PLACE,
        )
    return model


def _not_loaded(report: Mapping[str, Any]) -> Iterator[str]:
    yield from report["missing_keys"]
    for mismatched in report["mismatched_keys"]:  # (name, shape in the file, shape in the model)
        yield mismatched if isinstance(mismatched, str) else mismatched[0]


def _first_line(error: Exception) -> str:
    """Return an error of transformers, whose messages have many lines, by its first one."""
    return named(error) if not str(error).strip() else f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
