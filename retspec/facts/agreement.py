"""Facts about computations that must agree: gradients, outputs, repetitions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TensorDeviation:
    """How far one tensor is from its reference, as the relative L2 norm of the difference."""

    name: str
    relative: float


@dataclass(frozen=True)
class GradientAgreement:
    """Gradients computed in two ways."""

    loss: float
    """|difference of the losses| / |reference loss|."""
    tensors: tuple[TensorDeviation, ...]
    """One per trainable parameter, worst first."""
    factor: float
    """The factor that fits best between the two, by least squares: 1 where they agree."""

    @property
    def worst(self) -> TensorDeviation:
        """The tensor that deviates most."""
        return self.tensors[0]


@dataclass(frozen=True)
class Repetition:
    """Two identically seeded short trainings."""

    losses: float
    """Largest absolute difference of a loss."""
    parameters: float
    """Largest absolute difference of a trained parameter."""
    worst: str
    """The parameter that differs most."""


@dataclass(frozen=True)
class Evaluation:
    """Two forward passes in eval mode."""

    difference: float
    """Largest absolute difference of an output."""
    drifted: tuple[str, ...]
    """Buffers that they changed."""


@dataclass(frozen=True)
class Isolation:
    """Images alone and inside a batch."""

    difference: float
    """Largest absolute difference of an output in eval mode, an image alone against inside the batch."""
    leak: float
    """Largest absolute gradient of one image's output with respect to another image, in train mode."""
    batch_normalized: bool
    """Whether batch normalization, which mixes the images by design, was held in eval mode for the leak."""


@dataclass(frozen=True)
class Compilation:
    """The compiled model against the eager one, in eval mode."""

    backend: str
    difference: float
    """Largest absolute difference of an output."""
    scale: float
    """Largest absolute output of the eager model."""
    eager: tuple[float, ...]
    """Seconds of each forward pass after warm-up."""
    compiled: tuple[float, ...]
    """The same of the compiled model."""


@dataclass(frozen=True)
class Reloading:
    """An adapter saved, and loaded again into a freshly initialized one."""

    difference: float
    """Largest absolute difference of an output before saving and after loading."""
    effect: float
    """Largest absolute difference that the fresh initialization made: what loading has to undo."""
    not_saved: tuple[str, ...]
    """Trainable parameters that did not come back."""
