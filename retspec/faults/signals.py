"""Faults of what flows through a model: images, features, gradients that are lost on the way."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault
from retspec.faults._reading import adapter_of, blocks_of, filled, frozen_base, layers_of, on_logits, replaced
from retspec.subjects.models.peft_types import saved_modules
from retspec.subjects.models.structure import unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

_LEARNT = "learning numerics"
_TARGETS = frozenset({"labels", "targets", "target"})
"""Keywords of what a model that computes its loss is called with beside the images."""


@fault(families="learning numerics predictions", noticed_by="input_matters loss_drop", frequency=Frequency.OFTEN)
def images_lost(model: nn.Module) -> Iterator[None]:
    """The images are all zeros when they enter the model."""
    from torch.utils._pytree import tree_map

    from retspec.subjects.training.watching.forwards import tensors_in

    def zeroed(_model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        images = next((each for name, each in tensors_in(args, kwargs) if name not in _TARGETS), None)
        return tree_map(lambda leaf: images * 0 if images is not None and leaf is images else leaf, (args, kwargs))

    hook = unwrapped(model).register_forward_pre_hook(zeroed, with_kwargs=True)
    yield
    hook.remove()


@fault(families=f"parameters {_LEARNT}", noticed_by="dead_gradients unchanged_params loss_drop", of_training=True)
def logits_detached(model: nn.Module) -> Iterator[None]:
    """The logits are detached from the graph."""
    with on_logits(model, lambda logits: logits.detach()):
        yield


@fault(families=_LEARNT, noticed_by="dead_gradients unchanged_params", frequency=Frequency.OFTEN, of_training=True)
def blocks_without_grad(model: nn.Module) -> Iterator[None]:
    """The blocks run under `torch.no_grad`, so that nothing reaches the adapter."""
    import torch

    with ExitStack() as stack:
        adapter_of(model)
        for block in blocks_of(model):
            stack.enter_context(replaced(block, forward=torch.no_grad()(block.forward)))
        yield


@fault(families=f"{_LEARNT} predictions", noticed_by="dead_gradients unchanged_params adapter_effect")
def adapter_bypassed(model: nn.Module) -> Iterator[None]:
    """The layers are called past their adapter, as a fused attention does that reads their weights itself."""
    with ExitStack() as stack:
        for layer in layers_of(model):
            stack.enter_context(replaced(layer, forward=layer.get_base_layer().forward))
        yield


@fault(
    families=f"parameters {_LEARNT} predictions",
    noticed_by="head_trainable dead_gradients unchanged_params",
)
def head_bypassed(model: nn.Module) -> Iterator[None]:
    """The head that is called is the one before wrapping, and the copy that trains beside it has no part."""
    wrappers = saved_modules(model)
    if not wrappers:
        raise DoesNotApply("peft trains no copy of a head")
    with ExitStack() as stack:
        for wrapper in wrappers:
            stack.enter_context(replaced(wrapper, forward=wrapper.original_module.forward))
        yield


@fault(families=f"{_LEARNT} predictions", noticed_by="dead_gradients unchanged_params")
def adapter_starts_at_zero(model: nn.Module) -> Iterator[None]:
    """Both factors of the adapter start at zero, and each waits for the other for ever."""
    layers_of(model)
    with ExitStack() as stack:
        for parameter in adapter_of(model):
            stack.enter_context(filled(parameter, lambda values: values.zero_()))
        yield


@fault(families=f"{_LEARNT} predictions", noticed_by="nonfinite_steps", frequency=Frequency.SOMETIMES)
def weight_is_nan(model: nn.Module) -> Iterator[None]:
    """One weight is NaN."""
    weight = next((each for each in model.parameters() if each.ndim > 1 and each.is_floating_point()), None)
    if weight is None:
        raise DoesNotApply("the model has no matrix of weights")
    with filled(weight, _with_nan):
        yield


def _with_nan(values: Tensor) -> None:
    values.view(-1)[:1] = float("nan")


@fault(families=_LEARNT, noticed_by="frozen_drift", of_training=True)
def frozen_weight_written(model: nn.Module) -> Iterator[None]:
    """A hook writes to a frozen weight in every training step."""
    weight = next((each for each in frozen_base(model) if each.ndim > 1 and each.is_floating_point()), None)
    if weight is None:
        raise DoesNotApply("no matrix of weights is frozen")

    def shrink(module: nn.Module, _inputs: Any) -> None:
        if module.training:
            weight.data.mul_(0.999)

    with filled(weight, lambda _values: None):
        hook = unwrapped(model).register_forward_pre_hook(shrink)
        yield
        hook.remove()


@fault(families=_LEARNT, noticed_by="frozen_drift", frequency=Frequency.OFTEN, of_training=True)
def statistics_drift(model: nn.Module) -> Iterator[None]:
    """The running statistics of frozen BatchNorm layers go on running."""
    from torch.nn.modules.batchnorm import _BatchNorm

    norms = [each for each in model.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
    still = [each for each in norms if not any(parameter.requires_grad for parameter in each.parameters())]
    if not still:
        raise DoesNotApply("the model has no frozen BatchNorm")
    if _run_in_training(model, still):
        raise DoesNotApply("the statistics of the frozen BatchNorm layers run anyhow; see `frozen_drift`")

    def run(_model: nn.Module, _inputs: Any) -> None:
        if model.training:
            for norm in still:
                norm.training = True

    with ExitStack() as stack:
        for statistics in (each for norm in still for each in norm.buffers()):
            stack.enter_context(filled(statistics, lambda _values: None))
        hook = unwrapped(model).register_forward_pre_hook(run)
        yield
        hook.remove()


def _run_in_training(model: nn.Module, norms: Sequence[nn.Module]) -> bool:
    """Whether layers of a model are in training mode when it is put there."""
    modes = {module: module.training for module in model.modules()}
    model.train()
    found = any(norm.training for norm in norms)
    for module, mode in modes.items():
        module.training = mode
    return found


@fault(families=_LEARNT, noticed_by="max_final_loss overfit_loss", frequency=Frequency.OFTEN, of_training=True)
def softmax_twice(model: nn.Module) -> Iterator[None]:
    """The model returns probabilities, and the loss takes them for logits."""
    with on_logits(model, lambda logits: logits.softmax(1)):
        yield


@fault(families=_LEARNT, noticed_by="initial_loss_rtol max_grad_norm", frequency=Frequency.RARELY, of_training=True)
def logits_too_large(model: nn.Module) -> Iterator[None]:
    """The logits are a hundred times too large to begin with."""
    with on_logits(model, lambda logits: logits * 100):
        yield


@fault(families=f"{_LEARNT} predictions", noticed_by="batch_leak batch_invariance_atol", frequency=Frequency.SOMETIMES)
def samples_mixed(model: nn.Module) -> Iterator[None]:
    """The images of a batch leak into one another: statistics are taken over the batch in eval mode, too."""
    with on_logits(model, lambda logits: logits + 0.5 * logits.mean(0, keepdim=True), reaches_loss=False):
        yield


@fault(families=f"{_LEARNT} predictions", noticed_by="eval_determinism_atol merge_atol", frequency=Frequency.OFTEN)
def dropout_in_eval(model: nn.Module) -> Iterator[None]:
    """Dropout stays on in eval mode."""
    from torch.nn.functional import dropout

    with on_logits(model, lambda logits: dropout(logits, 0.1, training=True), reaches_loss=False):
        yield


@fault(families=_LEARNT, noticed_by="merge_atol", frequency=Frequency.SOMETIMES)
def merge_drops_layer(model: nn.Module) -> Iterator[None]:
    """Merging leaves out the adapter of one layer."""
    with replaced(layers_of(model)[-1], merge=_nothing):
        yield


@fault(families=_LEARNT, noticed_by="merge_atol", frequency=Frequency.SOMETIMES)
def merge_forgets_scale(model: nn.Module) -> Iterator[None]:
    """Merging forgets the scale of the adapter."""
    with ExitStack() as stack:
        for layer in layers_of(model):
            if not hasattr(layer, "get_delta_weight"):
                raise DoesNotApply("the adapter adds no matrix to its layers")
            if all(scale == 1 for scale in layer.scaling.values()):
                raise DoesNotApply("the scale of the adapter is one")
            stack.enter_context(replaced(layer, get_delta_weight=_unscaled(layer)))
        yield


def _unscaled(layer: Any) -> Callable[[str], Tensor]:
    delta = layer.get_delta_weight
    return lambda name: delta(name) / layer.scaling[name]


def _nothing(*_arguments: object, **_options: object) -> None:
    """Do nothing."""
