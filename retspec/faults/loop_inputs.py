"""Faults of a training of the user's own: the batches that it takes, its labels, its modes, its criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from retspec.faults import Frequency, fault
from retspec.faults._criteria import criteria_given
from retspec.faults._patching import Chance, entering
from retspec.subjects.patching import patched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from retspec.subjects.training.watching.launching import Launch

_LOOP = "loop learning distributed"
_WITH_CLASSES = frozenset({"cross_entropy", "nll_loss"})
"""Criteria of torch whose targets are the indices of classes."""


@fault(families=_LOOP, noticed_by="eval_mode_leaves", frequency=Frequency.OFTEN)
def eval_mode_kept(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """Once it was in eval mode, the model stays in it."""
    chance = Chance("no `train()` brings a layer back from eval mode that computes something else there")
    with chance.awaited(), _modes_kept(chance, losing=True):
        yield


@fault(families=_LOOP, noticed_by="train_mode_validations", frequency=Frequency.OFTEN)
def no_eval_mode(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """The model is never put in eval mode, not even to be validated."""
    chance = Chance("no `eval()` reaches a layer that computes something else in train mode")
    with chance.awaited(), _modes_kept(chance, losing=False):
        yield


def _modes_kept(chance: Chance, *, losing: bool) -> Any:
    """Let `train(mode)` of modules do nothing for one of the modes; `eval()` calls it, too."""
    from torch import nn

    def kept(train: Callable[..., Any]) -> Callable[..., Any]:
        def changing(module: nn.Module, mode: bool = True) -> nn.Module:  # noqa: FBT001, FBT002 - torch's own signature
            if mode is not losing:
                train(module, mode)
            elif any(each.training is not mode and _differs(each) for each in module.modules()):
                chance.taken = True
            return module

        return changing

    return patched(nn.Module, "train", kept)


def _differs(module: nn.Module) -> bool:
    from retspec.subjects.training.watching.forwards import is_sensitive

    return next(module.children(), None) is None and is_sensitive(module)


@fault(families=_LOOP, noticed_by="loss_drop max_final_loss", frequency=Frequency.SOMETIMES)
def labels_shuffled(own_training: Launch) -> Iterator[Launch]:
    """The labels of a batch are those of other images in it."""
    import torch

    chance = Chance("no criterion of torch is given targets of two samples or more that differ")
    drawing = torch.Generator().manual_seed(0)  # the training draws the numbers that it would have drawn

    def shuffled(_name: str, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
        if not targets.dim():
            return None
        order = torch.randperm(len(targets), generator=drawing).to(targets.device)
        chance.taken = chance.taken or not torch.equal(targets[order], targets)
        return inputs, targets[order]

    with chance.awaited():
        yield entering(own_training, lambda: criteria_given(shuffled))


@fault(families=_LOOP, noticed_by="min_class_recall", frequency=Frequency.SOMETIMES)
def labels_off_by_one(own_training: Launch) -> Iterator[Launch]:
    """Every label is that of the next class."""
    chance = Chance("no cross-entropy of torch is given the indices of classes")

    def next_class(name: str, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
        if name not in _WITH_CLASSES or targets.is_floating_point() or inputs.dim() < 2:  # noqa: PLR2004 - batch and classes
            return None
        chance.taken = True
        return inputs, ((targets + 1) % inputs.shape[1]).where(targets >= 0, targets)  # below zero, one is left out

    with chance.awaited():
        yield entering(own_training, lambda: criteria_given(next_class))


@fault(families=_LOOP, noticed_by="criterion_input loss_drop", frequency=Frequency.OFTEN)
def softmax_before_criterion(own_training: Launch) -> Iterator[Launch]:
    """A softmax comes before cross-entropy, which takes one itself."""
    chance = Chance("no cross-entropy of torch is given logits")

    def softmaxed(name: str, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
        if name != "cross_entropy" or inputs.dim() < 2:  # noqa: PLR2004 - batch and classes
            return None
        chance.taken = True
        return inputs.softmax(1), targets

    with chance.awaited():
        yield entering(own_training, lambda: criteria_given(softmaxed))


@fault(families=_LOOP, noticed_by="repeated_batches input_matters loss_drop", frequency=Frequency.SOMETIMES)
def images_zeroed(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is hooked is torch
    """The images are all zeros when they enter the model."""
    import torch
    from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

    chance = Chance("no module with parameters is called with a tensor of floats by position")
    inside: list[nn.Module] = []
    has_entered = False

    def zeroed(module: nn.Module, args: tuple[Any, ...]) -> Any:
        nonlocal has_entered
        has_entered = has_entered and bool(inside)
        inside.append(module)
        images = [_is_image(each) for each in args]
        if has_entered or not any(images) or next(module.parameters(), None) is None:
            return None
        has_entered = chance.taken = True
        return tuple(torch.zeros_like(each) if is_image else each for each, is_image in zip(args, images, strict=True))

    def left(module: nn.Module, *_rest: Any) -> None:
        while inside and inside.pop() is not module:
            pass

    handles = (
        register_module_forward_pre_hook(zeroed),
        register_module_forward_hook(left, always_call=True),
    )
    try:
        with chance.awaited():
            yield
    finally:
        for handle in handles:
            handle.remove()


def _is_image(value: Any) -> bool:
    """Whether a value may be a batch of images as it was loaded: features that another module made have a graph."""
    import torch

    return isinstance(value, torch.Tensor) and value.is_floating_point() and not value.requires_grad


@fault(families=f"loaders {_LOOP}", noticed_by="repeated_batches", frequency=Frequency.SOMETIMES)
def one_batch_repeated(own_training: Launch) -> Iterator[None]:  # noqa: ARG001 - what is patched is torch
    """Every batch of a pass is its first one, as with `next(iter(loader))` in the loop."""
    from torch.utils.data.dataloader import _BaseDataLoaderIter

    chance = Chance("no DataLoader gives a second batch")
    firsts: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def repeating(following: Callable[..., Any]) -> Callable[..., Any]:
        def first(iterator: Any) -> Any:
            batch = following(iterator)
            chance.taken = chance.taken or iterator in firsts
            return firsts.setdefault(iterator, batch)

        return first

    with chance.awaited(), patched(_BaseDataLoaderIter, "__next__", repeating):
        yield
