"""Find the adapter, the head and the user's own module in a wrapped model, by types and never by names."""

from __future__ import annotations

import re
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from retspec.errors import Inconclusive, NoVerdict, SubjectError
from retspec.facts import Group
from retspec.subjects.data.parts import part_inputs, parts_of
from retspec.subjects.models.forward_arguments import fix_arguments, fixed_in
from retspec.subjects.models.libraries import answers, ask
from retspec.subjects.models.outputs import choice_of, return_logits
from retspec.subjects.models.own_adapters import own_adapters
from retspec.subjects.models.peft_types import outermost_wrapper, saved_modules, tuner_in, tuner_layers
from retspec.subjects.models.state import same_bits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
    from torch import Tensor, nn

    from retspec.facts import Classifier

GRAD_CHECKPOINTING = "train.grad_checkpointing"


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the user's own module: what peft wrapped, or the model itself."""
    wrapper = outermost_wrapper(model)
    return model if wrapper is None else wrapper.get_base_model()


def fully_trained(model: nn.Module) -> nn.Module:
    """Return a model as full fine-tuning trains it: without its adapter, and with all parameters trainable.

    Changes the model in place.
    """
    wrapper = outermost_wrapper(model)
    bare: nn.Module = model if wrapper is None else wrapper.unload()
    choice, parts, fixed = choice_of(model), parts_of(model), fixed_in(model)
    if fixed is not None:
        fix_arguments(bare, fixed.arguments)
    if choice is not None:
        return_logits(bare, choice)
    return part_inputs(bare, parts).requires_grad_()


def set_grad_checkpointing(model: nn.Module) -> None:
    """Make a model recompute its activations in the backward pass instead of keeping them.

    Raises SubjectError for a model that no library can switch, and that has no method for it as those of timm and
    transformers have. See https://docs.pytorch.org/docs/stable/checkpoint.html
    """
    model = unwrapped(model)
    switch = ask(lambda library: library.grad_checkpointing(model))
    if switch is None:
        raise SubjectError(
            f"{type(model).__name__} offers no gradient checkpointing that is known: it is no model of a library that "
            "does, and has no method `set_grad_checkpointing` or `gradient_checkpointing_enable`",
            path=GRAD_CHECKPOINTING,
        )
    switch()


def tuner(model: nn.Module) -> BaseTuner:
    """Return the tuner of peft, at any depth in the model.

    Raises NoVerdict when the model has no adapter of peft, Inconclusive when it is already merged.
    """
    if any(getattr(layer, "merged", False) for layer in adapted_layers(model).values()):
        raise Inconclusive(
            "the adapter is merged into its base already; `dead_gradients` shows what that does to training"
        )
    found = tuner_in(model)
    if found is None:
        raise NoVerdict(
            "the adapters of this model are not peft's, and only its can be merged; leave this criterion out"
            if own_adapters(model)
            else "the model carries no adapter; add `model.lora`, name your own in `model.adapters`, or leave this out"
        )
    return found


def adapted_layers(model: nn.Module) -> dict[str, BaseTunerLayer]:
    """Return the layers with an adapter of peft, by their names in the user's own model."""
    return {own_name(name): layer for name, layer in tuner_layers(model).items()}


def own_name(name: str) -> str:
    """Return the name of a module or parameter in the user's own model, all or part of which peft may have wrapped."""
    return re.sub(r"(^|(?<=\.))base_model\.model\.", "", name, count=1)


def has_adapter(model: nn.Module) -> bool:
    """Whether any layer has an adapter, of peft or another."""
    return bool(adapted_layers(model) or own_adapters(model))


def adapter_parameters(model: nn.Module) -> dict[int, Tensor]:
    """Return the parameters of the adapters by `id`: those of the adapted layers without their base layers."""
    found: dict[int, Tensor] = {id(p): p for own in own_adapters(model).values() for p in own.parameters.values()}
    for layer in adapted_layers(model).values():
        every = [*layer.parameters()]  # first: an attention that peft adapts registers its base weights again here
        base = {id(parameter) for parameter in layer.get_base_layer().parameters()}
        found |= {id(parameter): parameter for parameter in every if id(parameter) not in base}
    return found


def head_parameters(model: nn.Module) -> set[int]:
    """Return the `id` of each parameter of the head: the classifier of the library, and what peft saves in full."""
    heads: list[nn.Module] = [*saved_modules(model)]
    for module in model.modules():
        heads += answers(methodcaller("classifier", module))
    return {id(parameter) for head in heads for parameter in head.parameters()}


def head_layer(model: nn.Module, classifier: Classifier) -> tuple[str, nn.Module]:
    """Return the name and module of the layer that the features enter: the classifier, with its adapter if it has one.

    Raises SubjectError for a model that does not end in a head.
    """
    if not classifier.is_projection:
        raise SubjectError(
            f"the model ends in {classifier.name} ({classifier.type}), not in a head that features could enter; set "
            "the number of classes"
        )
    adapted = [name for name in adapted_layers(model) if classifier.name.startswith(f"{name}.")]
    wanted = adapted[0] if adapted else classifier.name
    modules = {own_name(name): module for name, module in model.named_modules()}
    return wanted, modules[wanted]


def added_tensors(model: nn.Module) -> set[int]:
    """Return the `id` of each tensor that peft added: those of adapters, and of the copies of saved modules."""
    copies = [module.modules_to_save for module in saved_modules(model)]
    return {
        *adapter_parameters(model),
        *(id(tensor) for copy in copies for tensor in (*copy.parameters(), *copy.buffers())),
    }


def groups(model: nn.Module) -> Iterator[tuple[str, nn.Parameter, Group]]:
    """Yield (name, parameter, group) for every parameter."""
    adapters, heads = adapter_parameters(model), head_parameters(model)
    for name, parameter in model.named_parameters():
        group = Group.ADAPTER if id(parameter) in adapters else Group.HEAD if id(parameter) in heads else Group.OTHER
        yield name, parameter, group


def frozen_buffers(model: nn.Module) -> Iterator[str]:
    """Yield the names of buffers in modules without trainable parameters.

    For a module without parameters, the nearest enclosing module with some decides.
    """
    modules = dict(model.named_modules())
    for name, _ in model.named_buffers():
        owner = name.rpartition(".")[0]
        while owner and not any(True for _ in modules[owner].parameters()):
            owner = owner.rpartition(".")[0]
        if not any(parameter.requires_grad for parameter in modules[owner].parameters()):
            yield name


def drifted(
    model: nn.Module, frozen: Mapping[str, int], now: Mapping[str, int], buffers: Mapping[str, Tensor]
) -> list[str]:
    """Return the names of the frozen parameters, and of the buffers of frozen modules, that a training changed.

    frozen, now: fingerprints of the frozen parameters before and after it. buffers: copies from before, by name; one
    that is not among them is left out.
    """
    parameters = [name for name, before in frozen.items() if now.get(name) != before]
    fixed = buffers.keys() & set(frozen_buffers(model))
    changed = (n for n, buffer in model.named_buffers() if n in fixed and not same_bits(buffer, buffers[n]))
    return [*parameters, *changed]


def input_size(model: nn.Module) -> tuple[int, ...] | None:
    """Return the input size (channels, height, width), in pixels, that a model was built for; None if unknown."""
    return ask(lambda library: library.input_size(model))


def preprocessing(model: nn.Module) -> Mapping[str, Any]:
    """Return the preprocessing that a model states, under the keys of `retspec.records.Preprocessing`; may be empty."""
    bare = unwrapped(model)
    return ask(lambda library: library.preprocessing(bare)) or {}
