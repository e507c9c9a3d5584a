"""Observe one forward pass: the shapes of attention, the patch embedding and the classifier."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict
from retspec.facts import AttentionShape, Classifier, Geometry, PatchEmbedding
from retspec.subjects.models.bare_heads import bare_products
from retspec.subjects.models.graphs import nodes_behind
from retspec.subjects.models.outputs import logits_of
from retspec.subjects.models.own_adapters import own_adapters
from retspec.subjects.models.peft_types import tuner_layers
from retspec.subjects.models.structure import own_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

MATRIX_DIMS = 4
"""Dimensions of an attention matrix: batch, heads, queries, keys."""


def trace(model: nn.Module, inputs: Tensor) -> Geometry:
    """Return the geometry that one forward pass of inputs (batch, ...) shows; it runs with autograd, without backward.

    The inputs require a gradient, so that frozen modules are in the autograd graph too.

    Raises NoVerdict when no module with parameters runs, SubjectError when the output has no logits.
    """
    import torch

    modules = _Modules(model)
    try:
        with torch.enable_grad(), _attention_watch() as attention:
            outputs = logits_of(model(_watched(inputs)))
    finally:
        modules.release()
    return Geometry(
        input_shape=tuple(inputs.shape),
        output_shape=tuple(outputs.shape),
        patch_embedding=modules.patch_embedding,
        attention=tuple(AttentionShape(shape, layers) for shape, layers in attention.shapes.items()),
        classifier=_classifier(model, modules, outputs),
    )


def _watched(inputs: Tensor) -> Tensor:
    """Return inputs that require a gradient, and that the model may change in place."""
    return inputs.detach().requires_grad_().clone() if inputs.is_floating_point() else inputs


class _Modules:
    """Records, with forward hooks, the first patch convolution, and the modules with parameters and their outputs."""

    def __init__(self, model: nn.Module) -> None:
        from torch import nn

        self.patch_embedding: PatchEmbedding | None = None
        self.last: tuple[str, nn.Module] | None = None
        self._makers: dict[Any, tuple[str, nn.Module]] = {}
        self._handles = []
        for name, module in model.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Conv3d)):
                self._handles.append(module.register_forward_hook(self._see_convolution(name)))
            if _owns_parameters(module):
                self._handles.append(module.register_forward_hook(self._see_last(name)))

    def release(self) -> None:
        for handle in self._handles:
            handle.remove()

    def behind(self, model: nn.Module, outputs: Tensor) -> dict[str, nn.Module]:
        """Return the modules whose output reaches the logits without another one in between, in the order they ran.

        A bare matrix counts as a module that holds it, the last of all.
        """
        from torch import nn

        bare = bare_products(model, outputs, self._makers)
        ends = nodes_behind(outputs, {**self._makers, **bare})
        found = {self._makers[node] for node in ends if node in self._makers}
        matrices = {name: nn.ParameterList([p]) for node, (name, p) in bare.items() if node in ends}
        return {**dict(maker for maker in self._makers.values() if maker in found), **matrices}

    def _see_last(self, name: str) -> Any:
        from torch import Tensor
        from torch.utils._pytree import tree_leaves

        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            self.last = (name, module)
            made = [leaf.grad_fn for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]
            self._makers |= {node: self.last for node in made if node is not None}

        return hook

    def _see_convolution(self, name: str) -> Any:
        def hook(module: nn.Conv2d | nn.Conv3d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            kernel: tuple[int, ...] = module.kernel_size
            if self.patch_embedding is None and kernel == module.stride and set(kernel) != {1}:
                grid, width = tuple(output.shape[-len(kernel) :]), output.shape[1]
                seen = tuple(inputs[0].shape) if inputs else ()
                self.patch_embedding = PatchEmbedding(own_name(name), kernel, grid, width, seen)

        return hook


def _attention_watch() -> Any:
    """Return a context that counts the shapes of attention matrices, also those that a fused kernel never makes."""
    import torch
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    softmaxes = (torch.softmax, torch.Tensor.softmax, functional.softmax)

    class Watch(TorchFunctionMode):
        def __init__(self) -> None:
            super().__init__()
            self.shapes: Counter[tuple[int, int, int, int]] = Counter()

        def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if function is functional.scaled_dot_product_attention:
                query, key = (kwargs.get(name, value) for name, value in _first_two(args, kwargs))
                self._note((*query.shape[:-1], key.shape[-2]))
            elif function in softmaxes and args and args[0].dim() == MATRIX_DIMS:
                self._note(tuple(args[0].shape))
            return function(*args, **kwargs)

        def _note(self, shape: tuple[int, ...]) -> None:
            if len(shape) == MATRIX_DIMS:
                batch, heads, queries, keys = shape
                self.shapes[batch, heads, queries, keys] += 1

    return Watch()


def _first_two(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the names and values of query and key, passed by position or by keyword."""
    given = dict(zip(("query", "key"), args, strict=False)) | kwargs
    return [(name, given[name]) for name in ("query", "key")]


def _classifier(model: nn.Module, modules: _Modules, outputs: Tensor) -> Classifier:
    from torch.nn import ParameterList

    if modules.last is None:
        raise NoVerdict("no module with parameters runs in the forward pass")
    reached = modules.behind(model, outputs)
    projections = {name: module for name, module in reached.items() if _projects(module)}
    name, module = [*(projections or reached or dict([modules.last])).items()][-1]
    used = {id(node.variable) for node in nodes_behind(outputs) if hasattr(node, "variable")}
    heads = _with_adapters(model, projections or {name: module})
    frozen = [name for name, head in heads.items() if not any(id(p) in used for p in head.parameters())]
    unused = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in used]
    return Classifier(
        name=own_name(name),
        type="Parameter" if isinstance(module, ParameterList) else type(module).__name__,
        trainable=not frozen,
        is_projection=_projects(module),
        unused_trainable=tuple(unused),
        heads=tuple(map(own_name, heads)),
        frozen_heads=tuple(map(own_name, frozen)),
    )


def _projects(module: nn.Module) -> bool:
    """Whether a module is a linear map or a convolution, by the dimensions of its own parameters."""
    return any(parameter.dim() > 1 for parameter in module.parameters(recurse=False))


def _with_adapters(model: nn.Module, heads: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Return the heads by name, each that is part of an adapted layer as that layer."""
    layers: dict[str, nn.Module] = {name: own.layer for name, own in own_adapters(model).items() if name}
    layers |= tuner_layers(model)
    whole = {name: next((each for each in layers if name.startswith(f"{each}.")), name) for name in heads}
    return {whole[name]: layers.get(whole[name], head) for name, head in heads.items()}


def _owns_parameters(module: nn.Module) -> bool:
    """Whether a module has parameters, and its children have none."""
    own = any(True for _ in module.parameters(recurse=False))
    return own and not any(any(True for _ in child.parameters()) for child in module.children())
