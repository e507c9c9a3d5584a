"""`max_memory_estimate_gb`."""

from __future__ import annotations

from retspec.checks.memory._reading import GIGA
from retspec.facts import MemoryEstimate
from retspec.plugin import Amount, Observed, check


@check(
    direction="at most",
    unit="GB",
    advice="Use a smaller batch with `train.accumulation`, mixed precision (`train.amp`), gradient checkpointing "
    "(`train.grad_checkpointing`), or train fewer parameters; the details say what each part takes.",
)
def max_memory_estimate_gb(memory_estimate: MemoryEstimate) -> Observed[Amount]:
    """How much memory will a training step need?

    Why it matters:
        It pays to know whether a batch fits on a card before the card is booked. The estimate needs no weights, no data
        and no GPU, and takes seconds.

    Example:
        max_memory_estimate_gb: {limit: 21.5, with: {target: cuda}}

    What the number means:
        The most memory in use at once in a steady step at the spec's batch size, in GB of 10^9 bytes, with its parts.
        The estimate follows the storages of a step on tensors without data from allocation to release. On the CPU that
        is what `peak_memory_mb` measures, to the byte. For CUDA (`target: cuda`) it rounds every storage up to 512
        bytes, as PyTorch's caching allocator does (`kMinBlockSize`), lets the optimizer update all parameters at once,
        and adds 64 MiB of cuBLAS workspaces; attention takes what the fused kernels take, autocast casts what it casts
        on the CPU. None of that is verified on CUDA. The CUDA context (some hundreds of MB), cuDNN workspaces and
        fragmentation are not included: leave a tenth of the card free.
    """
    step, full, checkpointed = memory_estimate.step, memory_estimate.full, memory_estimate.checkpointed
    details = {
        "batch size": step.batch_size,
        "estimated for": memory_estimate.target,
        "parts in GB": {part: size / GIGA for part, size in step.parts.items()},
        "full fine-tuning in GB": full.peak / GIGA,
    }
    if checkpointed is not None:
        details["with gradient checkpointing in GB"] = checkpointed.peak / GIGA
    return Observed(step.peak / GIGA, details)
