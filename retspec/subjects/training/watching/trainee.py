"""The module that a watched training trains: found, kept as it was before its first step, given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retspec.subjects.models.state import fingerprints

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from torch import Tensor, nn

    from retspec.subjects.training.watching.forwards import Called, Forwards


_PARALLEL = {"DistributedDataParallel": "module", "DataParallel": "module"}
_WRAPPERS = {**_PARALLEL, "OptimizedModule": "_orig_mod"}
"""Classes that hold the user's module, and where."""
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
        before = {id(buffer): copy for buffer, copy in forwards.buffers.get(id(root), [])}
        self.buffers = {name: before[id(b)] for name, b in module.named_buffers() if id(b) in before}
        self._modes = [(each, each.training) for each in module.modules()]

    @staticmethod
    def among(forwards: Forwards, trained: Mapping[int, Tensor]) -> Trainee | None:
        """Return the module that ran and shares the most elements with the optimizers; None when none does.

        It is the outermost one that is called with a tensor and returns more than a scalar: what wraps it may compute
        the loss, too, or hold averages of its weights. Where that one returns a loss, it is what it wraps, if all else
        that ran is in there.
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
        module = _model_of(candidates, forwards.ran) if candidates else root
        return Trainee(user_module(module), root, forwards, trained)

    @property
    def still(self) -> dict[str, int]:
        """Fingerprints, now, of the parameters that do not train."""
        return fingerprints({name: p for name, p in self.module.named_parameters() if name in self.frozen})

    def give_back(self) -> None:
        """Put parameters, buffers and modes back to what they were before the first step.

        Unlike a `Snapshot`, it leaves alone what the training has added since.
        """
        for name, parameter in self.module.named_parameters():
            if name in self._requires_grad:
                parameter.requires_grad_(self._requires_grad[name])
            parameter.grad = None
            if name in self.training:
                parameter.data.copy_(self.training[name])
        for name, buffer in self.module.named_buffers():
            if name in self.buffers:
                buffer.data.copy_(self.buffers[name])
        for module, mode in self._modes:
            module.training = mode


def _overlap(module: nn.Module, trained: Mapping[int, Tensor]) -> int:
    return sum(parameter.numel() for parameter in module.parameters() if id(parameter) in trained)


def _is_model(called: Called) -> bool:
    is_wrapper = type(called.module).__name__ in _PARALLEL
    return not (is_wrapper or called.gives_scalar or called.inputs is None)


def _model_of(candidates: Sequence[Called], ran: Container[int]) -> nn.Module:
    outermost = candidates[0]
    if outermost.gives_loss:
        whole = _parameters_that_ran(outermost.module, ran)
        inside = (each.module for each in candidates if not each.gives_loss)
        return next((each for each in inside if _parameters_that_ran(each, ran) == whole), outermost.module)
    return outermost.module


def _parameters_that_ran(module: nn.Module, ran: Container[int]) -> set[int]:
    return {id(p) for each in module.modules() if id(each) in ran for p in each.parameters(recurse=False)}


def user_module(module: nn.Module) -> nn.Module:
    """Return what torch.compile or a data-parallel wrapper holds."""
    inner = getattr(module, _WRAPPERS.get(type(module).__name__, ""), None)
    return module if inner is None else user_module(inner)
