"""Choose the weights in the content of a file: under which key, and behind which prefixes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from retspec.errors import did_you_mean
from retspec.subjects.checkpoints.prefixes import behind, prefixes_in, variants
from retspec.subjects.checkpoints.reading import read
from retspec.subjects.checkpoints.sets import Weights, found
from retspec.text.wording import listing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from retspec.subjects.checkpoints.files import File

_TIMMS = ("state_dict_ema", "model_ema", "state_dict", "model")
"""Where `load_state_dict` in timm.models looks, in this order.

See https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/_helpers.py
"""
_AVERAGED = re.compile(r"(^|[._])(ema|swa|avg|averaged?|shadow|teacher)([._]|$)", re.IGNORECASE)
"""Words for weights that are the mean of several steps: those that are evaluated."""
_ALIKE = 0.5
"""Share of the names of the chosen set from which another set is one that could be meant."""


def weights_in(file: File, names: Collection[str]) -> Weights:
    """Return the weights in a checkpoint, with the key and the prefixes chosen so that most of `names` match.

    Empty where there are no weights. Raises SubjectError when the file cannot be read safely, or lacks the key or the
    prefix that the spec names.
    """
    candidates = allowed_by(file, found(read(file).value))
    return best(candidates, names, file.prefix) if candidates else Weights({})


def allowed_by(file: File, candidates: list[Weights]) -> list[Weights]:
    """Return those sets of a file that the spec allows: all, or those under the key and with the prefix that it names.

    Raises SubjectError where there are none.
    """
    key, prefix = file.key, file.prefix
    if not candidates:
        return []
    if key is not None:
        keys = [each.wrapper for each in candidates]
        candidates = [
            each for each in candidates if each.wrapper == key or (key and each.wrapper.startswith(f"{key}."))
        ]
        if not candidates:
            raise file.refused(f"has no weights under the key {key!r}; {_under(keys)}{did_you_mean(key, keys)}", "key")
    if prefix is not None:
        having = [each for each in candidates if any(name.startswith(prefix) for name in each.tensors)]
        if not having:
            raise file.refused(f"has no name that begins with {prefix!r}; {_beginnings(candidates, prefix)}", "prefix")
        candidates = having
    return candidates


def best(candidates: list[Weights], names: Collection[str], prefix: str | None = None) -> Weights:
    """Return the weights, with or without prefixes, of which most have a name in the model, and a shape if it has any.

    Of equals, the one that timm takes, then averaged weights, then the one with the fewest prefixes removed.

    prefix: what to remove, where that is not to be found out.
    """
    if prefix is not None:
        chosen = [behind(_own(each, prefix, rivals_of(each, prefix, names), names), prefix) for each in candidates]
        return max(chosen, key=lambda each: _rank(each, names))
    chosen = [max(variants(each, names), key=lambda variant: _rank(variant, names)) for each in candidates]
    taken = max(chosen, key=lambda each: _rank(each, names))
    others = [each.wrapper for each in chosen if each.wrapper != taken.wrapper and _is_alike(each, taken, names)]
    hints = [f"under {_quoted(other)}" for other in others]
    raw = next(each for each in candidates if each.wrapper == taken.wrapper)
    rivals = rivals_of(raw, "".join(taken.prefixes), names)
    if rivals:
        own = _own(raw, "".join(taken.prefixes), rivals, names)
        taken = max(variants(own, names), key=lambda each: _rank(each, names))
    hints += [f"behind the prefix {each!r}" if each else "without a prefix" for each in rivals]
    return replace(taken, others=tuple(hints))


def matched(weights: Weights, names: Collection[str]) -> int:
    """Return how many of the weights have a name in the model."""
    return sum(name in names for name in weights.tensors)


def _rank(weights: Weights, names: Collection[str]) -> tuple[int, ...]:
    shapes = _of_same_shape(weights, names) if isinstance(names, Mapping) else 0
    prefix = "".join(weights.prefixes)
    timms = len(_TIMMS) - _TIMMS.index(weights.wrapper) if weights.wrapper in _TIMMS else 0
    averaged = bool(_AVERAGED.search(weights.wrapper)), bool(_AVERAGED.search(prefix))
    deep = weights.wrapper.count(".") + bool(weights.wrapper)
    return matched(weights, names), shapes, timms, *averaged, -deep, -weights.unwrapped, -len(weights.prefixes)


def _of_same_shape(weights: Weights, places: Mapping[str, object]) -> int:
    return sum(tensor.shape == getattr(places.get(name), "shape", None) for name, tensor in weights.tensors.items())


def _is_alike(other: Weights, taken: Weights, names: Collection[str]) -> bool:
    if matched(other, names) < max(1, _ALIKE * matched(taken, names)):
        return False
    return not isinstance(names, Mapping) or _of_same_shape(other, names) >= _ALIKE * _of_same_shape(taken, names)


def rivals_of(raw: Weights, prefix: str, names: Collection[str]) -> list[str]:
    """Return the prefixes in a set behind which there are other weights that fit as well; empty for none in front.

    prefix: that of the weights that were taken.
    """
    least = max(2, _ALIKE * sum(name.startswith(prefix) and name.removeprefix(prefix) in names for name in raw.tensors))

    def is_rival(other: str) -> bool:
        if prefix.startswith(other or "\0") or other.startswith(prefix or "\0"):
            return False
        return sum(name.startswith(other) and name.removeprefix(other) in names for name in raw.tensors) >= least

    bare = [""] if prefix and matched(raw, names) >= least else []
    return [*bare, *(other for other in prefixes_in(raw, names) if is_rival(other))]


def _own(raw: Weights, prefix: str, rivals: Collection[str], names: Collection[str]) -> Weights:
    """Return a set without the names of its rivals, which the weights that were taken do not answer for.

    prefix: that of the weights that were taken. What else is in the wrapper of a rival goes with it, such as the
    `n_averaged` of torch's AveragedModel; what the model itself has a name for stays.
    """
    wrappers = tuple(_wrapper(rival, prefix) for rival in rivals if rival)

    def is_rivals(name: str) -> bool:
        if prefix and name.startswith(prefix):
            return False
        return "" in rivals if name in names else name.startswith(wrappers)

    return replace(raw, tensors={name: each for name, each in raw.tensors.items() if not is_rivals(name)})


def _wrapper(rival: str, prefix: str) -> str:
    """Return the shortest beginning of a rival's prefix that is none of another prefix."""
    ends = [at + 1 for at, letter in enumerate(rival) if letter == "."]
    return next((rival[:end] for end in ends if not prefix.startswith(rival[:end])), rival)


def _quoted(key: str) -> str:
    return f"the key {key!r}" if key else "no key, at the top of the file"


def _under(keys: Iterable[str]) -> str:
    known = listing([key or "(the top)" for key in keys])
    return f"there are some under {known}"


def _beginnings(candidates: list[Weights], prefix: str) -> str:
    first = {f"{name.partition('.')[0]}." for each in candidates for name in each.tensors if "." in name}
    return f"they begin with {listing(sorted(first)) or 'no prefix'}{did_you_mean(prefix, first)}"
