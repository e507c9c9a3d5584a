"""The measurement `retfound_tail`: what a model makes of the last block's tokens, before its head."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from retspec.plugin import Cost, Passes, SubjectError, measurement
from retspec.toolkit import head_layer, own_name, preserved, single_precision

from retspec_retfound.contracts import CONTRACTS, MEAN_THEN_NORM, NORM_THEN_CLASS, NORM_THEN_MEAN, Backbone
from retspec_retfound.facts import Tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from retspec.facts import Geometry
    from torch import Tensor, nn

    Row = nn.Sequential | nn.ModuleList

IMAGES = 2
SPREAD = 0.05
"""Standard deviation of the tokens that are put in: so small that the epsilon of the norm, 1e-6, shows."""
EPSILON = 1e-6
TOKEN_DIMS = 3
"""Dimensions of a block's output: images, tokens, channels."""


@measurement(cost=Cost.FORWARD, passes=lambda recipe, backbone: Passes(forward=1))  # noqa: ARG005 - every counter gets them
def retfound_tail(model: nn.Module, geometry: Geometry, *, backbone: Backbone) -> Tail:
    """Put known tokens in place of the last block's, see which features enter the head, and compare.

    A head may be more than its last layer, and begin with a norm of its own. So features are looked at wherever a part
    of the model ends that has the blocks, and wherever one begins that has the head; those count that come closest to
    the reference.

    The norms get seeded scales and shifts meanwhile: a fresh one is the identity, and applied twice it would not show.

    Raises SubjectError for a model without blocks or head, or whose features are of another width.
    """
    import torch

    blocks = _blocks(model)
    watch = _Watch()
    with ExitStack() as stack:
        stack.enter_context(preserved(model))
        stack.enter_context(single_precision(model))
        stack.enter_context(torch.no_grad())
        stack.enter_context(_seeded_norms(_norms_outside(model, blocks)))
        _, head = head_layer(model, geometry.classifier)
        stack.callback(blocks[-1].register_forward_hook(watch.replace).remove)
        for name, part in _around(model, blocks, head).items():
            stack.callback(part.register_forward_hook(watch.leave(f"behind {name}")).remove)
        for name, part in _around(model, head, blocks).items():
            stack.callback(part.register_forward_pre_hook(watch.enter(f"in front of {name}"), with_kwargs=True).remove)
        for name, norm in _norms_outside(model, blocks).items():
            stack.callback(norm.register_forward_hook(watch.see_norm(name)).remove)
        model.eval()
        first = next(model.parameters())
        model(torch.zeros(IMAGES, *geometry.input_shape[1:], dtype=first.dtype, device=first.device))
        ways = _ways(watch.tokens, CONTRACTS[backbone].prefix_tokens, watch.norms)
    reference = ways[CONTRACTS[backbone].tail]
    places = {place: features for place, features in watch.features.items() if features.shape == reference.shape}
    if not places:
        shape = tuple([*watch.features.values()][-1].shape)
        raise SubjectError(
            f"the head sees features of shape {shape}, and the tokens have {watch.tokens.shape[-1]} channels; there is "
            "nothing to compare"
        )
    place = min(places, key=lambda place: float((places[place] - reference).abs().max()))
    differences = {name: float((places[place] - way).abs().max()) for name, way in ways.items()}
    return Tail(backbone=backbone, differences=differences, norms=tuple(name for name, _ in watch.norms), place=place)


def _around(model: nn.Module, inner: nn.Module, outside: nn.Module) -> dict[str, nn.Module]:
    """Return a module, and those that hold it without the other one, by their names in the user's own model."""
    return {
        own_name(name): module
        for name, module in model.named_modules()
        if any(part is inner for part in module.modules()) and not any(part is outside for part in module.modules())
    }


class _Watch:
    """Notes what leaves the last block, which norms run then, and what enters the head; on the CPU, in double."""

    def __init__(self) -> None:
        self.norms: list[tuple[str, nn.LayerNorm]] = []
        self._tokens: Tensor | None = None
        self._features: dict[str, Tensor] = {}

    @property
    def tokens(self) -> Tensor:
        if self._tokens is None:
            raise SubjectError("the last block of the model never ran")
        return self._tokens

    @property
    def features(self) -> dict[str, Tensor]:
        """What was seen, by its place; the last one entered the last layer."""
        if not self._features:
            raise SubjectError("the head of the model never ran")
        return self._features

    def replace(self, _module: nn.Module, _arguments: Any, output: Any) -> Tensor:
        """Put seeded tokens (images, tokens, channels) in place of the last block's."""
        import torch

        if not isinstance(output, torch.Tensor) or output.dim() != TOKEN_DIMS:
            raise SubjectError("the last block does not return tokens (images, tokens, channels)")
        generator = torch.Generator().manual_seed(0)
        self._tokens = (torch.randn(output.shape, generator=generator) * SPREAD).double()
        return self._tokens.to(output)

    def see_norm(self, name: str) -> Any:
        def hook(module: nn.LayerNorm, _arguments: Any, _output: Any) -> None:
            if self._tokens is not None:
                self.norms.append((own_name(name), module))

        return hook

    def enter(self, place: str) -> Any:
        def hook(_module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
            self._see(place, next(iter((*arguments, *keywords.values())), None))

        return hook

    def leave(self, place: str) -> Any:
        def hook(_module: nn.Module, _arguments: Any, output: Any) -> None:
            self._see(place, output)

        return hook

    def _see(self, place: str, value: Any) -> None:
        import torch

        if self._tokens is not None and isinstance(value, torch.Tensor):
            self._features[place] = value.detach().cpu().double()


def _blocks(model: nn.Module) -> Row:
    """Return the longest row of modules of one type: the blocks of a transformer, whatever they are called."""
    from torch import nn

    rows = [module for module in model.modules() if isinstance(module, (nn.Sequential, nn.ModuleList))]
    rows = [row for row in rows if len({type(child) for child in row}) == 1]
    if not rows:
        raise SubjectError("the model has no row of blocks, so it is not a vision transformer")
    return max(rows, key=len)


def _norms_outside(model: nn.Module, blocks: nn.Module) -> dict[str, nn.LayerNorm]:
    from torch import nn

    inside = {id(module) for module in blocks.modules()}
    named = model.named_modules()
    return {name: norm for name, norm in named if isinstance(norm, nn.LayerNorm) and id(norm) not in inside}


@contextmanager
def _seeded_norms(norms: dict[str, nn.LayerNorm]) -> Iterator[None]:
    """Give norms scales around one and shifts around zero for a while."""
    import torch

    parameters = [parameter for norm in norms.values() for parameter in norm.parameters()]
    before = [parameter.detach().clone() for parameter in parameters]
    generator = torch.Generator().manual_seed(1)
    try:
        for parameter in parameters:
            parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator).to(parameter.device)
        yield
    finally:
        for parameter, value in zip(parameters, before, strict=True):
            parameter.data.copy_(value)


def _ways(tokens: Tensor, prefix: int, norms: list[tuple[str, nn.LayerNorm]]) -> dict[str, Tensor]:
    """Return the features (images, channels) that every known way makes of tokens, written out in full.

    prefix: class and register tokens in front of the patches.
    """
    from torch.nn import functional

    used = [[each.detach().cpu().double() for each in norm.parameters()] for _, norm in norms] or [[]]

    def norm(values: Tensor, which: int = 0) -> Tensor:
        scale, shift, *_ = [*used[min(which, len(used) - 1)], None, None]
        return functional.layer_norm(values, values.shape[-1:], scale, shift, EPSILON)

    patches = tokens[:, prefix:]
    return {
        MEAN_THEN_NORM: norm(patches.mean(dim=1)),
        NORM_THEN_CLASS: norm(tokens)[:, 0],
        NORM_THEN_MEAN: norm(patches).mean(dim=1),
        "mean of the patches, then norm twice": norm(norm(patches.mean(dim=1)), 1),
        "norm, then mean of the patches, then norm again": norm(norm(patches).mean(dim=1), 1),
        "mean of all tokens, then norm": norm(tokens.mean(dim=1)),
        "norm, then mean of all tokens": norm(tokens).mean(dim=1),
        "mean of the patches without a norm": patches.mean(dim=1),
        "class token without a norm": tokens[:, 0],
    }
