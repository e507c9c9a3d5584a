"""The measurements `memory_estimate`, `memory_fit` and `step_flops`: predictions from tensors without data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from retspec.errors import SubjectError
from retspec.facts import Estimate, Fitting, MemoryEstimate, MemoryFit, StepFlops
from retspec.plugin import Cost, measurement
from retspec.records import PositiveInt
from retspec.subjects.devices import memory_of
from retspec.subjects.memory.dry_run import BatchShape, DryRun
from retspec.subjects.memory.foresight import Foresight
from retspec.subjects.models.structure import fully_trained, set_grad_checkpointing

if TYPE_CHECKING:
    import torch
    from torch import nn

    from retspec.subjects.data.batch import Batch
    from retspec.subjects.models.skeleton import Skeleton
    from retspec.subjects.training.making import TrainerMaker

Target = Annotated[
    Literal["cpu", "cuda"],
    Meta(description="Device whose allocator and kernels are assumed; by default that of the run."),
]
Amp = Literal["none", "bfloat16", "float16"]
GIGABYTE = 1e9
FREE = 0.1
"""Share of the memory that a recommended batch leaves free: for the CUDA context, and for fragmentation."""


@measurement(cost=Cost.STATIC)
def memory_estimate(
    skeleton: Skeleton, batch: Batch, trainer: TrainerMaker, device: torch.device, *, target: Target | None = None
) -> MemoryEstimate:
    """Estimate the peak memory in bytes of the spec's training step, and of its alternatives, without weights.

    The alternatives are full fine-tuning and gradient checkpointing.

    Raises NoVerdict when the step cannot run on tensors without data.
    """
    size, shape, target = len(batch.inputs), BatchShape.of(batch), target or _target(device)

    def foresee(module: nn.Module) -> Foresight:
        return Foresight(module, shape, trainer, target=target)

    own = foresee(skeleton.module)
    checkpointed = None if trainer.recipe.grad_checkpointing else _checkpointed(skeleton)
    return MemoryEstimate(
        target,
        step=own.estimate(size),
        full=foresee(fully_trained(skeleton.copy())).estimate(size),
        checkpointed=None if checkpointed is None else foresee(checkpointed).estimate(size),
        over_step=own.course(size),
    )


@measurement(cost=Cost.STATIC)
def memory_fit(  # noqa: PLR0913 - four parts of the subject, and the arguments
    skeleton: Skeleton,
    batch: Batch,
    trainer: TrainerMaker,
    device: torch.device,
    *,
    memory_gb: (
        Annotated[float, Meta(gt=0, description="Memory to fit in, in GB of 10^9 bytes; by default the device's.")]
        | None
    ) = None,
    target: Target | None = None,
    batch_sizes: Annotated[list[PositiveInt], Meta(description="Batch sizes to estimate besides the search.")] = [],  # noqa: B006 - read only
    amps: Annotated[list[Amp], Meta(description="Autocast dtypes to try; `train.amp` by default.")] = [],  # noqa: B006
) -> MemoryFit:
    """Find the largest batch whose training step fits in a given memory, without weights.

    Raises NoVerdict when the step cannot run on tensors without data.
    """
    memory = memory_of(device) if memory_gb is None else round(memory_gb * GIGABYTE)
    target = target or _target(device)
    full = fully_trained(skeleton.copy())
    estimates: list[Estimate] = []
    fittings = []
    for amp in amps or [trainer.recipe.amp]:
        taken = trainer.varied(amp=amp)
        adapted, whole = (
            Foresight(module, BatchShape.of(batch), taken, target=target) for module in (skeleton.module, full)
        )
        largest = adapted.largest(memory, known_to=max(batch_sizes, default=0))
        estimates += [adapted.estimate(size) for size in batch_sizes]
        fittings.append(
            Fitting(
                amp,
                largest=largest,
                recommended=_recommended(adapted, largest, trainer.recipe.accumulation, memory),
                step=adapted.estimate(len(batch.inputs)),
                full=whole.estimate(len(batch.inputs)),
            )
        )
    dtype = str(skeleton.dtype).removeprefix("torch.")
    return MemoryFit(target, memory, dtype, tuple(estimates), tuple(fittings))


@measurement(cost=Cost.STATIC)
def step_flops(skeleton: Skeleton, batch: Batch, trainer: TrainerMaker) -> StepFlops:
    """Count the floating-point operations of the spec's training step, without weights.

    A multiplication and an addition count as two, by the formulas of `torch.utils.flop_counter`.

    Raises NoVerdict when the step cannot run on tensors without data.
    """
    from torch.utils.flop_counter import FlopCounterMode

    size = len(batch.inputs)
    formulas = _attention_on_the_cpu()
    forward, whole = (FlopCounterMode(display=False, custom_mapping=formulas) for _ in range(2))
    run = DryRun(skeleton.module, BatchShape.of(batch), trainer)
    with run.trainer(size) as dry:
        with forward:
            dry.forward()
        with whole:
            dry.step()
    total = whole.get_total_flops()
    return StepFlops(size, forward.get_total_flops(), total - forward.get_total_flops(), _by_operator(whole))


def _attention_on_the_cpu() -> dict[Any, Any]:
    """Return formulas for the CPU attention operators that an older torch, such as 2.10, counts as zero."""
    from torch import ops
    from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

    def forward(*shapes: Any, **_other: Any) -> int:
        return int(sdpa_flop_count(*shapes[:3]))  # type: ignore[no-untyped-call]

    def backward(*shapes: Any, **_other: Any) -> int:
        return int(sdpa_backward_flop_count(*shapes[:4]))  # type: ignore[no-untyped-call]

    formulas = {
        "_scaled_dot_product_flash_attention_for_cpu": forward,
        "_scaled_dot_product_flash_attention_for_cpu_backward": backward,
    }
    operators = {getattr(ops.aten, name): count for name, count in formulas.items()}
    return {operator: count for operator, count in operators.items() if operator not in flop_registry}


def _by_operator(counter: Any) -> dict[str, int]:
    counts = {str(operator): int(flops) for operator, flops in counter.get_flop_counts()["Global"].items()}
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def _target(device: torch.device) -> Literal["cpu", "cuda"]:
    return "cuda" if device.type == "cuda" else "cpu"


def _checkpointed(skeleton: Skeleton) -> nn.Module | None:
    module = skeleton.copy()
    try:
        set_grad_checkpointing(module)
    except SubjectError:
        return None
    return module


def _recommended(foresight: Foresight, largest: int, unit: int, memory: int) -> int:
    powers = [unit << power for power in range((largest // unit).bit_length())]
    fitting = [size for size in powers if foresight.estimate(size).peak <= (1 - FREE) * memory]
    return max(fitting, default=0)
