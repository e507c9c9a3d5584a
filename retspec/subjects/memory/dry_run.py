"""Run a training step on tensors without data, to trace the memory that it would need."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from retspec.errors import NoVerdict, describe
from retspec.subjects.data.batch import Batch
from retspec.subjects.garbage import no_collection
from retspec.subjects.memory.allocation_trace import AllocationTracer, Role
from retspec.subjects.memory.dispatching import dispatching
from retspec.subjects.models.skeleton import hollow

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor, nn
    from torch.utils._python_dispatch import TorchDispatchMode

    from retspec.subjects.memory.allocation_trace import AllocationTrace
    from retspec.subjects.training.making import TrainerMaker


@dataclass(frozen=True)
class BatchShape:
    """Shapes and dtypes of one input and one target, without the batch dimension."""

    inputs: tuple[int, ...]
    targets: tuple[int, ...]
    inputs_dtype: torch.dtype
    targets_dtype: torch.dtype

    @staticmethod
    def of(batch: Batch) -> BatchShape:
        """Return the shapes and dtypes of a batch."""
        inputs, targets = batch.inputs, batch.targets
        return BatchShape(tuple(inputs.shape[1:]), tuple(targets.shape[1:]), inputs.dtype, targets.dtype)

    def make(self, size: int) -> Batch:
        """Return a batch of `size` images without data; must be called in a FakeTensorMode."""
        import torch

        inputs = torch.empty((size, *self.inputs), dtype=self.inputs_dtype)
        return Batch(inputs, torch.empty((size, *self.targets), dtype=self.targets_dtype))


class DryRun:
    """Runs a training step of a model without data, at any batch size.

    The tensors report the CPU as their device: the bytes are exactly those of the same step on a CPU. See
    https://docs.pytorch.org/docs/stable/torch.compiler_fake_tensor.html

    foreach: update all parameters together, as torch does by default on CUDA; that needs temporary copies.
    """

    def __init__(self, module: nn.Module, shape: BatchShape, trainer: TrainerMaker, *, foreach: bool = False) -> None:
        self._module = module
        self._shape = shape
        self._trainer = trainer
        self._foreach = foreach

    def trace(self, batch_size: int) -> AllocationTrace:
        """Run one step and return its trace.

        Raises NoVerdict for a model that cannot be run without data, SubjectError for one that does not fit its data.
        """
        with self.trainer(batch_size) as trainer:
            trainer.step()
            return trainer.tracer.trace(batch_size)

    @contextmanager
    def trainer(self, batch_size: int) -> Iterator[DryTrainer]:
        """Yield a trainer, in the mode in which tensors have no data; raises as `trace` does."""
        import torch
        from torch._subclasses.fake_tensor import DataDependentOutputException

        try:
            # Without collection tensors are freed with their last reference, so that traces are repeatable.
            with self._fake, no_collection(), torch.enable_grad():
                self._model.zero_grad(set_to_none=True)
                trainer = DryTrainer(self._model, self._shape.make(batch_size), self._trainer, foreach=self._foreach)
                with trainer.tracer.watching(), trainer.answering():
                    yield trainer
        except NoVerdict as error:
            if not isinstance(error.__cause__, DataDependentOutputException):  # in a function of the user's own
                raise
            raise _no_data(batch_size, error.__cause__) from error
        except Exception as error:
            raise _no_data(batch_size, error) from error

    @cached_property
    def _fake(self) -> Any:
        from torch._subclasses.fake_tensor import FakeTensorMode

        return FakeTensorMode(allow_non_fake_inputs=True)

    @cached_property
    def _model(self) -> nn.Module:
        import torch

        model = hollow(self._module, lambda t: torch.empty(t.shape, dtype=t.dtype, device="cpu"))
        model.train()
        return model


def _no_data(batch_size: int, error: BaseException) -> NoVerdict:
    return NoVerdict(
        f"a training step of batch size {batch_size} on tensors without data fails: {describe(error)}; "
        "`peak_memory_mb` measures a real one"
    )


class DryTrainer:
    """A trainer on tensors without data, with a tracer of its storages."""

    def __init__(self, model: nn.Module, batch: Batch, trainer: TrainerMaker, *, foreach: bool) -> None:
        held = [*model.parameters(), *model.buffers()]
        self.tracer = AllocationTracer(held, [batch.inputs, batch.targets])
        self._in_forward = self._seen = False
        self._trainer = trainer.on(model, batch)
        self._trainer.see = self._see
        self._trainer.around = self._forward
        for optimizer in self._trainer.optimizers:
            for group in optimizer.param_groups:
                if "foreach" in group:
                    group["foreach"] = foreach

    def step(self) -> None:
        """Compute and apply the gradients, and set the roles of the storages."""
        self._trainer.finite_backward()
        self.tracer.mark((p.grad for p in self._trainer.parameters if p.grad is not None), Role.GRADIENTS)
        self._trainer.update()
        self.tracer.mark(self._optimizer_state(), Role.OPTIMIZER)

    def forward(self) -> None:
        """Compute the loss of the batch, without keeping it."""
        for inputs, targets in self._trainer.micro_batches():
            self._trainer.loss(inputs, targets)

    @contextmanager
    def _forward(self) -> Iterator[None]:
        """Mark that a loss is being computed: a model that reads a value then must fail, not go on with zero."""
        self._in_forward, self._seen = True, False
        try:
            yield
            if not self._seen:  # by a training that does not show its logits
                self.tracer.mark_rest(Role.ACTIVATIONS)
        finally:
            self._in_forward = False

    def _see(self, _logits: Tensor, _targets: Tensor) -> None:
        """Mark what is alive at the end of the forward pass as activations, kept for the backward pass."""
        self._seen = True
        self.tracer.mark_rest(Role.ACTIVATIONS)

    def answering(self) -> TorchDispatchMode:
        """Return a context in which the trainer reads zero for every value.

        It reads whether the loss is finite, and the loss scaler whether a gradient is not.
        """
        from torch._subclasses.fake_tensor import DataDependentOutputException

        def answer(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            try:
                return operation(*args, **kwargs)
            except DataDependentOutputException:
                if self._in_forward:
                    raise
                return 0.0

        return dispatching(answer)

    def _optimizer_state(self) -> Iterator[Tensor]:
        for optimizer in self._trainer.optimizers:
            for state in optimizer.state.values():
                yield from (value for value in state.values() if hasattr(value, "untyped_storage"))
