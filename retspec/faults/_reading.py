"""What faults look for in a model: its adapter, its blocks, its classifier."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retspec.errors import DoesNotApply
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.structure import adapted_layers, adapter_parameters, groups, has_adapter, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor, nn

    from retspec.facts import Group


def adapter_of(model: nn.Module) -> list[Tensor]:
    """Return the parameters of the adapters; raises DoesNotApply without any that trains."""
    found = [each for each in adapter_parameters(model).values() if each.requires_grad]
    if not found:
        raise DoesNotApply("no adapter trains")
    return found


def layers_of(model: nn.Module) -> list[Any]:
    """Return the layers that peft adapts, as they follow one another; raises DoesNotApply without any."""
    found = [*adapted_layers(model).values()]
    if not found:
        raise DoesNotApply("peft adapts no layer")
    return found


def trained(model: nn.Module, group: Group) -> list[nn.Parameter]:
    """Return the trainable parameters of a group; raises DoesNotApply without any."""
    found = [parameter for _, parameter, of in groups(model) if of is group and parameter.requires_grad]
    if not found:
        raise DoesNotApply(f"no parameter of the {group.value} trains")
    return found


def frozen_base(model: nn.Module) -> list[nn.Parameter]:
    """Return the frozen parameters; raises DoesNotApply where all train, or nothing is adapted."""
    found = [parameter for parameter in model.parameters() if not parameter.requires_grad]
    if not found or not has_adapter(model):
        raise DoesNotApply("there is no frozen base under an adapter")
    return found


def blocks_of(model: nn.Module) -> list[nn.Module]:
    """Return the blocks of the model, such as those of a ViT; raises DoesNotApply without any."""
    blocks = getattr(unwrapped(model), "blocks", None)
    if blocks is None or not len(blocks):
        raise DoesNotApply("the model has no `blocks`")
    return [*blocks]


@contextmanager
def frozen(parameters: Iterable[Tensor]) -> Iterator[None]:
    """Let parameters not train."""
    changed = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in changed:
        parameter.requires_grad = False
    yield
    for parameter in changed:
        parameter.requires_grad = True


@contextmanager
def filled(tensor: Tensor, change: Callable[[Tensor], object]) -> Iterator[None]:
    """Change the values of a tensor in place; of one on the meta device, there are none."""
    before = tensor.detach().clone()
    change(tensor.data)
    yield
    tensor.data.copy_(before)


@contextmanager
def replaced(owner: object, **attributes: object) -> Iterator[None]:
    """Give an object attributes of its own, and take them away, or put the former ones back."""
    before = {name: vars(owner)[name] for name in attributes if name in vars(owner)}
    vars(owner).update(attributes)
    yield
    for name in attributes:
        del vars(owner)[name]
    vars(owner).update(before)


@contextmanager
def on_logits(model: nn.Module, change: Callable[[Tensor], Tensor], *, reaches_loss: bool = True) -> Iterator[None]:
    """Change the logits of a model, wherever they are in what it returns.

    reaches_loss: raise DoesNotApply, when it is called, for a model that has computed its loss from them already.
    """
    from torch.utils._pytree import tree_map

    def changed(_model: nn.Module, _inputs: Any, output: Any) -> Any:
        logits = logits_of(output)
        if logits.ndim < len(("batch", "classes")):
            raise DoesNotApply("the module that trains returns a loss, and no logits")
        if reaches_loss and _loss_in(output) is not None:
            raise DoesNotApply("the model computes its loss itself, from logits that the fault does not reach")
        return tree_map(lambda leaf: change(logits) if leaf is logits else leaf, output)

    hook = model.register_forward_hook(changed)
    yield
    hook.remove()


def _loss_in(output: Any) -> Any:
    return output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
