"""The measurement `ranks`: the size of the adapter at other ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.errors import SubjectError, describe
from retspec.facts import RankCount, Ranks
from retspec.plugin import Cost, measurement
from retspec.subjects.models.peft_types import peft_model_in
from retspec.subjects.models.structure import adapter_parameters, tuner

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import nn

    from retspec.subjects.models.skeleton import Skeleton


@measurement(cost=Cost.STATIC)
def ranks(skeleton: Skeleton, *, expected: dict[int, int]) -> Ranks:
    """Wrap the model again at each rank, without weights, and count the parameters of the active adapters.

    Raises SubjectError for a model without an adapter, and for an adapter without a rank.
    """
    return Ranks(tuple(RankCount(rank, _count(skeleton.copy(), rank)) for rank in expected))


def _count(model: nn.Module, rank: int) -> int:
    from peft import get_peft_model

    wrapped = peft_model_in(model)
    if wrapped is None:
        raise SubjectError("the model carries no adapter whose rank could change; add `model.lora`")
    tuner(wrapped)
    configs = {name: wrapped.peft_config[name] for name in wrapped.active_adapters}
    for config in configs.values():
        _set_rank(config, rank)
        if isinstance(getattr(config, "init_lora_weights", None), str):
            config.init_lora_weights = True  # of the same size; others compute with weights, which are not there
    (first, config), *others = configs.items()
    try:
        again = get_peft_model(wrapped.unload(), config, adapter_name=first)
        for name, config in others:
            again.add_adapter(name, config)
    except (RuntimeError, ValueError) as error:  # so does a call that the meta device does not know
        raise SubjectError(
            f"an adapter of type {config.peft_type.value} cannot be made at rank {rank} without weights: "
            f"{describe(error)}"
        ) from error
    # AdaLoRA keeps the rank that is left in a parameter that no optimizer gets.
    states = {id(parameter) for name, parameter in again.named_parameters() if ".ranknum." in name}
    return sum(parameter.numel() for key, parameter in adapter_parameters(again).items() if key not in states)


def _set_rank(config: PeftConfig, rank: int) -> None:
    """Give an adapter a rank, under the name that its method has for it: AdaLoRA begins with `init_r`.

    OFT has either a rank or a size of blocks. See https://huggingface.co/docs/peft/package_reference/oft
    """
    names = [name for name in ("init_r", "r") if getattr(config, name, None) is not None]
    if not names:
        raise SubjectError(f"an adapter of type {config.peft_type.value} has no rank")
    setattr(config, names[0], rank)
    if hasattr(config, "oft_block_size"):
        config.oft_block_size = 0
