"""Find what a file puts in front of the names of a model: the longest common suffix of both decides."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from retspec.subjects.checkpoints.sets import Weights

PEFT = "base_model.model."
"""What peft puts in front of all names."""
_WRAPPERS = re.compile(r"(?<=\.)(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|module)\.")
"""What torch.compile, FSDP, activation checkpointing and DataParallel insert where they wrap a part of a model."""
_MOST_TRIED = 8
_LEAST = 0.25
"""Share of the names of the file or of the model that a prefix must explain: `norm.weight` alone is in every model."""
_COMMON = 0.5
"""Share of the names of the file that begin with a prefix, from which a few matches are enough."""
_STEP = re.compile(rf"{re.escape(PEFT)}|[^.]+\.")


def variants(weights: Weights, names: Collection[str]) -> Iterator[Weights]:
    """Yield weights unchanged, then under the likeliest names that they have in a model, with the fewest changes first.

    A prefix is removed step by step also from names that have only a part of it: beside `model.backbone.` a head may be
    `model.head.`.
    """
    yield weights
    candidates = [weights]
    bare = {_WRAPPERS.sub("", name): tensor for name, tensor in weights.tensors.items()}
    if bare.keys() != weights.tensors.keys() and len(bare) == len(weights.tensors):
        candidates.append(replace(weights, tensors=bare, unwrapped=True))
        yield candidates[1]
    for candidate in candidates:
        for prefix in prefixes_in(candidate, names):
            yield without(candidate, prefix)


def prefixes_in(weights: Weights, names: Collection[str]) -> list[str]:
    """Return the prefixes whose removal gives names of the model, those of most names first.

    An adapter's are not among them: its tensors are no weights of the model that it adapts.
    """
    counted = _counted(weights.tensors, names)
    least = _LEAST * min(len(names), len(weights.tensors))

    def is_likely(prefix: str, number: int) -> bool:
        having = sum(name.startswith(prefix) for name in weights.tensors)
        return number >= least or (number > 1 and having >= _COMMON * len(weights.tensors))

    likely = [prefix for prefix, number in counted.most_common(_MOST_TRIED) if is_likely(prefix, number)]
    return [prefix for prefix in likely if "lora_" not in prefix]


def without(weights: Weights, prefix: str) -> Weights:
    """Return weights without a prefix; two names never become one."""
    steps = tuple(_STEP.findall(prefix))
    tensors = dict(weights.tensors)
    for step in steps:
        shorter = {name.removeprefix(step): tensor for name, tensor in tensors.items()}
        if len(shorter) < len(tensors):
            return behind(weights, prefix)
        tensors = shorter
    return replace(weights, tensors=tensors, prefixes=steps)


def behind(weights: Weights, prefix: str) -> Weights:
    """Return weights with a prefix removed as a whole; a name that this makes equal to another is marked, not lost."""
    tensors = {name.removeprefix(prefix): each for name, each in weights.tensors.items() if name.startswith(prefix)}
    others = {name: each for name, each in weights.tensors.items() if not name.startswith(prefix)}
    kept = {f"{name} (without {prefix})" if name in tensors else name: each for name, each in others.items()}
    return replace(weights, tensors={**tensors, **kept}, prefixes=tuple(_STEP.findall(prefix)))


def within(weights: Weights, names: Collection[str]) -> Weights | None:
    """Return weights under the names of a part of the model that has most of them, None if no part has half."""
    counted = _counted(names, weights.tensors)
    if not counted:
        return None
    (prefix, number), *_ = counted.most_common(1)
    if 2 * number < len(weights.tensors):
        return None
    return replace(weights, tensors={f"{prefix}{name}": each for name, each in weights.tensors.items()}, added=prefix)


def _counted(longer: Iterable[str], names: Collection[str]) -> Counter[str]:
    """Return the prefixes without which longer names are among these, and for how many each is so."""
    counted: Counter[str] = Counter()
    for name in longer:
        at = name.find(".")
        while at >= 0:
            if name[at + 1 :] in names:
                counted[name[: at + 1]] += 1
            at = name.find(".", at + 1)
    return counted
