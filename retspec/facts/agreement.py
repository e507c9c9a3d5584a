"""Facts about computations that must agree: gradients, outputs, repetitions.

A difference of outputs is in the units of a logit. A relative L2 norm is ||x - reference|| / ||reference||.
"""

from __future__ import annotations

from msgspec import Struct


class TensorDeviation(Struct, frozen=True):
    """How far one tensor is from its reference."""

    name: str
    relative: float
    """L2 norm of the difference over all elements, relative to that of the reference, or to a larger floor."""


class GradientAgreement(Struct, frozen=True):
    """Gradients computed in two ways."""

    loss: float
    """|loss - reference loss| / |reference loss|, without unit."""
    tensors: tuple[TensorDeviation, ...]
    """One per trainable parameter, worst first."""
    factor: float
    """The factor between the two that fits best, by least squares, without unit: 1 where they agree."""
    norm: float = 0.0
    """L2 norm of the reference gradients of all parameters together."""
    floor: float = 0.0
    """Least norm that a difference is relative to: a hundredth of `norm`, or more in a coarse dtype."""
    unresolved: tuple[str, ...] = ()
    """Parameters that agree with respect to the floor alone: next to the other gradients, theirs may be rounding."""
    explained: float = 0.0
    """Share of the large deviations that rounded weights alone make up; 0 where they are small, and not asked for."""

    @property
    def worst(self) -> TensorDeviation:
        """The tensor that deviates most."""
        return self.tensors[0]


class Repetition(Struct, frozen=True):
    """Two identically seeded short trainings."""

    losses: float
    """Largest absolute difference of a loss, over the steps."""
    parameters: float
    """Largest absolute difference of an element of a trained parameter after the last step."""
    worst: str
    """Name of the parameter that differs most; empty when none differs."""


class Evaluation(Struct, frozen=True):
    """Two forward passes in eval mode."""

    difference: float
    """Largest absolute difference of a logit."""
    drifted: tuple[str, ...]
    """Names of the buffers that they changed."""


class Isolation(Struct, frozen=True):
    """Images on their own and inside a batch."""

    difference: float
    """Largest absolute difference of a logit in eval mode, an image on its own against inside the batch."""
    leak: float
    """Largest absolute gradient of one image's logits with respect to a pixel of another image, in train mode."""
    batch_normalized: bool
    """Whether batch normalization, which mixes the images by design, was held in eval mode for the leak."""


class Compilation(Struct, frozen=True):
    """The compiled model against the eager one, in eval mode."""

    backend: str
    difference: float
    """Largest absolute difference of a logit."""
    scale: float
    """Largest absolute logit of the eager model."""
    eager: tuple[float, ...]
    """Seconds of each forward pass of the eager model, one entry per pass after the warm-up."""
    compiled: tuple[float, ...]
    """Seconds of each forward pass of the compiled model, likewise."""


class Reloading(Struct, frozen=True):
    """An adapter that was saved and then loaded into freshly initialized weights."""

    difference: float
    """Largest absolute difference of a logit before saving and after loading."""
    effect: float
    """Largest absolute difference of a logit that the fresh initialization made: what loading has to undo."""
    not_saved: tuple[str, ...]
    """Names of the trainable parameters that did not return to their saved values."""
    initialization: str = ""
    """The `init_lora_weights` that ran again on the base, as when peft loads an adapter; empty for one that cannot."""
