"""The module that a watched training trains: found, kept as it was before its first step, given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.subjects.models.state import fingerprints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from retspec.subjects.training.watching.forwards import Called, Forwards


_NEARLY_ALL = 0.9
"""Share of what the optimizers train that is in the model itself."""


class Trainee:
    """A module with a copy of its parameters that train and of its buffers; of the others, fingerprints."""

    def __init__(self, module: nn.Module, root: nn.Module, forwards: Forwards, trained: Mapping[int, Tensor]) -> None:
        self.module = module
        self.names = {id(p): name for name, p in module.named_parameters()}
        self.training = {
            name: p.detach().clone() for name, p in module.named_parameters() if p.requires_grad or id(p) in trained
        }
        self.frozen = fingerprints({name: p for name, p in module.named_parameters() if name not in self.training})
        self._requires_grad = {name: p.requires_grad for name, p in module.named_parameters()}
        self._buffers = forwards.buffers.get(id(root), [])
        self._modes = [(each, each.training) for each in module.modules()]

    @staticmethod
    def among(forwards: Forwards, trained: Mapping[int, Tensor]) -> Trainee | None:
        """Return the module that ran and shares the most elements with the optimizers; None when none does.

        It is the outermost one that is called with a tensor and returns more than a scalar: what wraps it may compute
        the loss, too, or hold averages of its weights.
        """
        roots = sorted(forwards.roots.values(), key=lambda root: _overlap(root, trained), reverse=True)
        if not roots or not _overlap(roots[0], trained):
            return None
        root = roots[0]
        inside = {id(module) for module in root.modules()}
        most = _NEARLY_ALL * _overlap(root, trained)
        candidates = [
            each
            for each in forwards.called
            if id(each.module) in inside and _is_model(each) and _overlap(each.module, trained) >= most
        ]
        candidates.sort(key=lambda each: each.depth)
        module = candidates[0].module if candidates else root
        return Trainee(_unwrapped(module), root, forwards, trained)

    @property
    def still(self) -> dict[str, int]:
        """Fingerprints, now, of the parameters that do not train."""
        return fingerprints({name: p for name, p in self.module.named_parameters() if name in self.frozen})

    def buffers_that_changed(self) -> set[int]:
        """Return the identities of the buffers that are not what they were before the first forward pass."""
        return {id(buffer) for buffer, before in self._buffers if not buffer.equal(before)}

    def give_back(self) -> None:
        """Put parameters, buffers and modes back to what they were before the first step."""
        for name, parameter in self.module.named_parameters():
            if name in self._requires_grad:
                parameter.requires_grad_(self._requires_grad[name])
            parameter.grad = None
            if name in self.training:
                parameter.data.copy_(self.training[name])
        for buffer, before in self._buffers:
            buffer.data.copy_(before)
        for module, mode in self._modes:
            module.training = mode


def _overlap(module: nn.Module, trained: Mapping[int, Tensor]) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if id(parameter) in trained)


def _is_model(called: Called) -> bool:
    wrapper = type(called.module).__name__ in {"DistributedDataParallel", "DataParallel"}
    return not (wrapper or called.gives_scalar or called.inputs is None)


def _unwrapped(module: nn.Module) -> nn.Module:
    """Return what torch.compile or a data-parallel wrapper holds."""
    for name in ("_orig_mod", "module"):
        inner = getattr(module, name, None)
        if inner is not None and type(module).__name__ in {
            "OptimizedModule",
            "DistributedDataParallel",
            "DataParallel",
        }:
            return _unwrapped(inner)
    return module
