"""What a distributed training finds on a machine without a GPU: its variables, gloo, BatchNorm across ranks."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

_JOINING = ("torch.distributed", "torch.distributed.distributed_c10d", "torch.distributed.device_mesh")
"""Modules that have `init_process_group` as a name of their own."""


def variables(rank: int, ranks: int, port: int) -> dict[str, str]:
    """Return the environment of a rank, as torchrun sets it for one machine.

    See https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables. Accelerate takes the CPU only when
    it is asked for, and gloo would look up the name of this machine, which takes long where no server knows it.
    """
    loopback = next((name for _, name in socket.if_nameindex() if name in {"lo", "lo0"}), "")
    return {
        **({"GLOO_SOCKET_IFNAME": loopback} if loopback and "GLOO_SOCKET_IFNAME" not in os.environ else {}),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(ranks),
        "LOCAL_WORLD_SIZE": str(ranks),
        "GROUP_RANK": "0",
        "ROLE_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_RUN_ID": "retspec",
        "ACCELERATE_USE_CPU": "true",
    }


def free_port() -> int:
    """Return a port of this machine that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class World:
    """The process group that a training makes, noted when it is made: it may be gone when the training ends."""

    def __init__(self) -> None:
        self.backend = ""
        self.size = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Let a training of several ranks run here: as the only one, unless the environment says which it is.

        It leaves its process group at the end when it is alone; a rank first says what it did.
        """
        import torch

        with ExitStack() as stack:
            if "RANK" not in os.environ:
                stack.enter_context(_environment(variables(0, 1, free_port())))
                stack.callback(leave_group)
            stack.enter_context(self._joining())
            stack.enter_context(_parallel_on_cpu())
            if not torch.cuda.is_available():
                stack.enter_context(_batch_norm_on_cpu())
            yield

    @contextmanager
    def _joining(self) -> Iterator[None]:
        """Note the process group; without a GPU it is one of gloo, whatever the training names."""
        import torch.distributed.distributed_c10d as c10d

        original: Callable[..., None] = c10d.init_process_group

        @wraps(original)
        def join(*args: Any, **kwargs: Any) -> None:
            args, kwargs = _on_cpu(args, kwargs)
            original(*args, **kwargs)
            self.backend, self.size = str(c10d.get_backend()), c10d.get_world_size()

        places = [sys.modules[name] for name in _JOINING if hasattr(sys.modules.get(name), original.__name__)]
        for place in places:
            setattr(place, original.__name__, join)
        try:
            yield
        finally:
            for place in places:
                setattr(place, original.__name__, original)


def leave_group() -> None:
    """Leave the process group, if there is one: from now on, what would wait for others raises."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def hang_up() -> None:
    """Close the connections to other ranks, as the end of this process would: those that wait for it get an error.

    To leave the group is not enough, since DistributedDataParallel keeps it.
    """
    for descriptor in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:
            if connection.family in {socket.AF_INET, socket.AF_INET6}:
                connection.shutdown(socket.SHUT_RDWR)


def _on_cpu(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    import torch

    if torch.cuda.is_available():
        return args, kwargs
    kept = {name: value for name, value in kwargs.items() if name not in {"backend", "device_id"}}
    return ("gloo", *args[1:]), kept


@contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})


@contextmanager
def _parallel_on_cpu() -> Iterator[None]:
    """Let DistributedDataParallel take a module on the CPU with the GPU that a script names, which torch refuses.

    Most scripts say `device_ids=[local_rank]`; for a CPU the argument must be left out:
    https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html
    """
    from torch.nn.parallel import DistributedDataParallel

    original = DistributedDataParallel.__init__

    @wraps(original)
    def build(
        wrapper: Any, module: nn.Module, device_ids: Any = None, output_device: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        if all(parameter.device.type == "cpu" for parameter in module.parameters()):
            device_ids = output_device = None
        original(wrapper, module, device_ids, output_device, *args, **kwargs)

    DistributedDataParallel.__init__ = build  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        DistributedDataParallel.__init__ = original  # type: ignore[method-assign]


@contextmanager
def _batch_norm_on_cpu() -> Iterator[None]:
    """Let SyncBatchNorm compute on a CPU, where torch's own refuses to, and DistributedDataParallel take it there."""
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    refuse = "_passing_sync_batchnorm_handle"
    forward, refusal = nn.SyncBatchNorm.forward, getattr(DistributedDataParallel, refuse)
    nn.SyncBatchNorm.forward = _synced  # type: ignore[method-assign, assignment]
    setattr(DistributedDataParallel, refuse, lambda *_: None)
    try:
        yield
    finally:
        nn.SyncBatchNorm.forward = forward  # type: ignore[method-assign]
        setattr(DistributedDataParallel, refuse, refusal)


def _synced(norm: nn.SyncBatchNorm, inputs: Tensor) -> Tensor:
    """Normalize (batch, channels, ...) by mean and variance over the batches of all ranks; gradients go through both.

    See https://docs.pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html. The sums are in float64: the
    variance is the difference of two of them.
    """
    import torch
    from torch import distributed
    from torch.distributed.nn.functional import _AllReduce
    from torch.nn.modules.batchnorm import _BatchNorm

    if not (norm.training and distributed.is_initialized() and distributed.get_world_size(norm.process_group) > 1):
        return _BatchNorm.forward(norm, inputs)
    values = inputs.double()
    over = [0, *range(2, inputs.dim())]
    count = values.new_tensor([inputs.numel() / inputs.shape[1]])
    sums = torch.cat([values.sum(over), (values * values).sum(over), count])
    sums = _AllReduce.apply(distributed.ReduceOp.SUM, norm.process_group or distributed.group.WORLD, sums)
    total = sums[-1].detach()
    mean, square = (sums[:-1] / total).chunk(2)
    variance = square - mean * mean
    _track(norm, mean.detach(), variance.detach() * total / (total - 1))
    shape = [1, -1, *[1] * (inputs.dim() - 2)]
    normal = (values - mean.view(shape)) * (variance + norm.eps).rsqrt().view(shape)
    if norm.affine:
        normal = normal * norm.weight.view(shape) + norm.bias.view(shape)
    result: Tensor = normal.to(inputs.dtype)
    return result


def _track(norm: nn.SyncBatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move the running statistics as torch.nn.BatchNorm does, the variance without bias."""
    if not norm.track_running_stats or norm.running_mean is None or norm.running_var is None:
        return
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    share = norm.momentum if norm.momentum is not None else 1 / float(norm.num_batches_tracked or 1)
    norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
    norm.running_var.lerp_(variance.to(norm.running_var.dtype), share)


@contextmanager
def without_gpu_synchronization() -> Iterator[None]:
    """Make `torch.cuda.synchronize` do nothing where there is no GPU, for as long as the training runs."""
    import torch

    if torch.cuda.is_available():
        yield
        return
    original = torch.cuda.synchronize
    torch.cuda.synchronize = lambda _device=None: None  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.cuda.synchronize = original
