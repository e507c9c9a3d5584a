"""What the measurement `features` returns: plain data, so that the checks need no torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log


@dataclass(frozen=True)
class Features:
    """What enters the head for the images of one batch, in eval mode: a matrix (images, features)."""

    head: str
    """The name of the layer that the features enter."""
    images: int
    """Number of images that differ from all others in the batch."""
    width: int
    """Features per image."""
    dead: int
    """Number of features that are the same for every image, up to rounding."""
    norm: float
    """Frobenius norm of the matrix, in the units of a feature."""
    singular_values: tuple[float, ...]
    """Singular values of the matrix without its mean over the images, largest first, without those within rounding."""

    @property
    def largest_rank(self) -> int:
        """The number of directions in which so many images can differ."""
        return min(self.images - 1, self.width)

    @property
    def effective_rank(self) -> float:
        """The number of directions in which the images do differ: exp(entropy) of the singular values' shares.

        Equal singular values count one each; those that are small compared with the others hardly count. 0 when the
        images do not differ at all. From Roy and Vetterli, The effective rank, EUSIPCO 2007.
        """
        total = sum(self.singular_values)
        shares = [value / total for value in self.singular_values]
        return exp(-sum(share * log(share) for share in shares)) if shares else 0.0

    @property
    def spread(self) -> float:
        """How much the images differ, from 0 to 1: the norm of the matrix without its mean, over its whole norm."""
        return sum(value * value for value in self.singular_values) ** 0.5 / self.norm if self.norm else 0.0
