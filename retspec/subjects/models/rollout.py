"""Where a Vision Transformer looks: the rollout of its attention, https://arxiv.org/abs/2005.00928.

Of each layer, the attention is averaged over the heads, and the identity is added for the residual connection, each as
one half. The products of these layers say how much of each patch is in each token at the end.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retspec.errors import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

_OF_CLASS_TOKEN = ("token", "", False, None)
"""What `global_pool` is where the head reads the class token; subclasses such as RETFound's make it a bool."""
_OF_OWN_ATTENTION = "map"


class Rollout:
    """Reads the queries and keys of every layer while a model passes images, and changes nothing.

    Fused attention shows no weights: they are computed once more, from what enters it, one image at a time.
    most: of the images of a batch, so many from its start.
    """

    def __init__(self, model: nn.Module, most: int) -> None:
        self.reason = ""
        """Why there is nothing to show, as the rest of a sentence; empty if there is."""
        self._most = most
        self._vit: Any = None
        self._queries: Tensor | None = None
        self._layers = 0
        self._joint: list[Tensor] = []
        found = _transformers(model)
        self.reason = _why_not(model, found)
        if not self.reason:
            self._vit = found[0]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read one forward pass of a batch, in evaluation mode and without gradients."""
        removers = [] if self._vit is None else [*self._hooked(self._vit)]
        try:
            yield
        finally:
            for remove in removers:
                remove()

    def maps(self, height: int, width: int) -> list[Tensor]:
        """Return the map (rows, columns) of each image, on the CPU: the share of each patch in what the head reads.

        height, width: of the images, in pixels. It is empty, with a reason, where the pass was none of images that
        went through each layer once.
        """
        vit = self._vit
        if vit is None or self.reason:
            return []
        depth, prefix = len(vit.blocks), int(vit.num_prefix_tokens)
        if self._layers != depth:
            self.reason = f"{self._layers} of its {depth} layers were seen"
            return []
        rows, columns = _grid(vit, height, width)
        if rows * columns != len(self._joint[0]) - prefix:
            self.reason = f"its {len(self._joint[0]) - prefix} patches are no grid of {rows} x {columns}"
            return []
        return [_read(joint, vit, prefix)[prefix:].reshape(rows, columns).cpu() for joint in self._joint]

    def _hooked(self, vit: Any) -> Iterator[Callable[[], None]]:
        """Read every layer from now on; yield what ends it."""
        for index, block in enumerate(vit.blocks):
            attention = block.attn
            yield attention.q_norm.register_forward_hook(self._keep_queries).remove
            yield attention.k_norm.register_forward_hook(self._adding(index, float(attention.scale))).remove

    def _keep_queries(self, _module: nn.Module, _inputs: object, queries: Tensor) -> None:
        self._queries = queries

    def _adding(self, index: int, scale: float) -> Callable[[nn.Module, object, Tensor], None]:
        def add(_module: nn.Module, _inputs: object, keys: Tensor) -> None:
            queries, self._queries = self._queries, None
            if self.reason or queries is None:
                return
            if index != self._layers:
                self.reason = "it passes images more than once"
                return
            try:
                self._add(queries.detach(), keys.detach(), scale)
            except Exception as error:  # noqa: BLE001 - a picture ends no forward pass, whatever memory there is
                self.reason = describe(error)

        return add

    def _add(self, queries: Tensor, keys: Tensor, scale: float) -> None:
        """Multiply one layer in. queries, keys: (images, heads, tokens, numbers)."""
        import torch

        with torch.no_grad(), torch.autocast(queries.device.type, enabled=False):
            for place, (query, key) in enumerate(zip(queries[: self._most], keys[: self._most], strict=True)):
                layer = mixed(query.float(), key.float(), scale)
                if self._layers:
                    self._joint[place] = layer @ self._joint[place]
                else:
                    self._joint.append(layer)
        self._layers += 1


def mixed(query: Tensor, key: Tensor, scale: float) -> Tensor:
    """Return how one layer mixes the tokens, (tokens, tokens), of query and key (heads, tokens, numbers).

    It is half the mean attention of the heads, and half the identity; each row adds up to 1.
    """
    import torch

    attention = (query * scale @ key.transpose(-2, -1)).softmax(-1).mean(0)
    layer = (attention + torch.eye(len(attention), device=attention.device)) / 2
    return layer / layer.sum(-1, keepdim=True)


def _read(joint: Tensor, vit: Any, prefix: int) -> Tensor:
    """Return the shares of all tokens in what the head reads: the class token, or the mean of the patches."""
    has_class_token = getattr(vit, "cls_token", None) is not None
    return joint[0] if has_class_token and vit.global_pool in _OF_CLASS_TOKEN else joint[prefix:].mean(0)


def _grid(vit: Any, height: int, width: int) -> tuple[int, int]:
    embed = vit.patch_embed
    rows, columns = embed.dynamic_feat_size((height, width)) if vit.dynamic_img_size else embed.grid_size
    return int(rows), int(columns)


def _transformers(model: nn.Module) -> list[Any]:
    from timm.models.vision_transformer import VisionTransformer

    return [module for module in model.modules() if isinstance(module, VisionTransformer)]


def _why_not(model: nn.Module, found: list[Any]) -> str:
    """Return why the attention of a model cannot be read; empty if it can."""
    from timm.models.vision_transformer import Attention

    if not found:
        unwrapped: Any = getattr(model, "get_base_model", lambda: model)
        return f"{type(unwrapped()).__name__} is no Vision Transformer of timm"
    if len(found) > 1:
        return f"the model has {len(found)} Vision Transformers"
    if found[0].global_pool == _OF_OWN_ATTENTION:
        return "its head reads the patches with an attention of its own"
    other = next((block for block in found[0].blocks if type(getattr(block, "attn", None)) is not Attention), None)
    return "" if other is None else f"its {type(other).__name__} computes attention in another way"
