"""The measurements `merging` and `unmerging`: whether merging an adapter into its base, and back, keeps the logits."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from retspec.errors import NoVerdict, named
from retspec.facts import LayerDeviation, Merging, Unmerging
from retspec.plugin import Cost, Passes, measurement
from retspec.subjects.models.adapters import (
    Weights,
    adapters_off,
    base_layers_alone,
    base_weights,
    factors_of,
    factors_put,
    factors_stirred,
    zero_factors_filled,
)
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.peft_types import layers_read_past
from retspec.subjects.models.state import preserved, single_precision
from retspec.subjects.models.structure import adapted_layers, own_name, tuner
from retspec.subjects.seeds import remembered, states_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from peft.tuners.tuners_utils import BaseTuner
    from torch import Tensor, nn

    from retspec.records import Recipe
    from retspec.subjects.data.batch import Batch


LEAST_EFFECT = 1e-3
"""Effect of the adapter, as a fraction of the largest output, below which its factors get other values."""
ADDED = frozenset({"lora", "adalora", "loha", "lokr"})
"""Packages of peft whose adapters add an update to the weight, as `get_delta_weight` returns it."""


class Merged(Merging, frozen=True, dict=True):
    """The facts, and what `unmerging` begins from, which is not recorded."""

    @property
    def way_back(self) -> WayBack:
        """What the merge left."""
        way_back: WayBack = self.__dict__["way_back"]
        return way_back

    @staticmethod
    def of(facts: Merging, way_back: WayBack) -> Merged:
        """Return the facts with what the merge left."""
        merged = Merged(**asdict(facts))
        # No field, so that only the facts are recorded.
        merged.__dict__.update(way_back=way_back)
        return merged


@dataclass(frozen=True)
class WayBack:
    """Logits with the adapter active, the factors of the adapter that gave them, and what restores random numbers."""

    adapted: Tensor
    factors: list[Tensor]
    put_states: Callable[[], None]


def _passes(recipe: Recipe) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=3)


@measurement(cost=Cost.FORWARD, passes=_passes)
def merging(model: nn.Module, batch: Batch) -> Merged:
    """Compare the logits with the adapter active, disabled, and merged.

    The active and disabled adapters come first, because merging changes the model in place. The base weights are then
    restored from a copy, because unmerging subtracts the update again, with rounding errors. See
    https://huggingface.co/docs/peft/developer_guides/lora

    Raises NoVerdict for a model without an adapter, Inconclusive for a merged adapter or logits that are not finite.
    """
    with ExitStack() as stack:
        merger = stack.enter_context(_as_in_use(model))
        randomized = stack.enter_context(zero_factors_filled(model))
        inputs = _in_single(batch)
        adapted, disabled = _with_and_without(model, inputs)
        if largest_difference(adapted, disabled) < LEAST_EFFECT * float(adapted.abs().max()):
            randomized = stack.enter_context(factors_stirred(model))
            adapted, disabled = _with_and_without(model, inputs)
        factors = factors_of(model)
        with base_weights(model) as weights:
            with _known_to_peft("merge"):
                merger.merge_adapter()
            layers, recomputed = _deviations(model, weights), _recomputed(weights)
            with base_layers_alone(model):
                merged = logits_of(model(inputs)).clone()
            put_states = remembered()
            with _known_to_peft("unmerge"):
                merger.unmerge_adapter()
    facts = Merging(
        merged=largest_difference(adapted, merged),
        effect=largest_difference(adapted, disabled),
        scale=float(adapted.abs().max()),
        randomized=randomized,
        layers=layers,
        recomputed=recomputed,
        tied=_tied(model),
        read_past=tuple(map(own_name, layers_read_past(model))),
    )
    return Merged.of(facts, WayBack(adapted, factors, put_states))


def _one_pass(recipe: Recipe) -> Passes:  # noqa: ARG001 - every counter gets the recipe
    return Passes(forward=1)


@measurement(cost=Cost.FORWARD, passes=_one_pass)
def unmerging(model: nn.Module, batch: Batch, merging: Merged) -> Unmerging:
    """Compare the logits with the adapter active, and merged and unmerged again.

    The factors are those of `merging`, and its active adapter is the reference. Random numbers go on from its last
    pass, so that a model that draws some in eval mode does not draw the same again.

    Raises what `merging` raises.
    """
    begun = merging.way_back
    with states_kept(), _as_in_use(model) as merger, factors_put(model, begun.factors), base_weights(model):
        with _known_to_peft("merge"):
            merger.merge_adapter()
        begun.put_states()
        with _known_to_peft("unmerge"):
            merger.unmerge_adapter()
        return Unmerging(largest_difference(begun.adapted, logits_of(model(_in_single(batch))).clone()))


@contextmanager
def _as_in_use(model: nn.Module) -> Iterator[BaseTuner]:
    """Yield what merges the adapter of a model, which is in eval mode, in single precision, and without gradients."""
    import torch

    with preserved(model), single_precision(model), torch.no_grad():
        merger = tuner(model)
        model.eval()
        yield merger


def _in_single(batch: Batch) -> Tensor:
    return batch.inputs.float() if batch.inputs.is_floating_point() else batch.inputs


def _with_and_without(model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor]:
    adapted = logits_of(model(inputs)).clone()
    with adapters_off(model):
        return adapted, logits_of(model(inputs)).clone()


@contextmanager
def _known_to_peft(verb: str) -> Iterator[None]:
    """Raise NoVerdict for a type of adapter that peft cannot merge or unmerge."""
    try:
        yield
    except NotImplementedError as error:
        raise NoVerdict(
            f"peft cannot {verb} adapters of this type: {named(error)}; leave this criterion out"
        ) from error


def _deviations(model: nn.Module, weights: Weights) -> tuple[LayerDeviation, ...]:
    """Return how far each merged weight W is from its base weight plus its update, worst first.

    The update of LoRA is (alpha / r) B A, in the shape of W (https://arxiv.org/abs/2106.09685). Empty if a layer has
    another kind of update, such as DoRA (https://arxiv.org/abs/2402.09353) or OFT, which multiplies the weight
    (https://arxiv.org/abs/2306.07280), or no parameter `weight`.
    """
    deviations = []
    for name, layer in adapted_layers(model).items():
        kind = type(layer).__module__.removeprefix("peft.tuners.").partition(".")[0]
        has_update = kind in ADDED and not any(getattr(layer, "use_dora", {}).values())
        if not has_update or "weight" not in weights[name]:
            return ()
        expected = weights[name]["weight"].clone()
        for adapter in layer.merged_adapters:  # of several active adapters, each may have layers of its own
            expected += layer.get_delta_weight(adapter)
        deviation = (layer.get_base_layer().weight - expected).abs().max()
        deviations.append(LayerDeviation(name, float(deviation)))
    return tuple(sorted(deviations, key=lambda entry: -entry.deviation))


def _recomputed(weights: Weights) -> tuple[str, ...]:
    """Return the layers whose weight is computed from other parameters, by `weight_norm` in either of its forms.

    See https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html
    """
    marks = ("weight_g", "parametrizations.weight.original", "parametrizations.weight.original0", "weight_orig")
    return tuple(name for name, own in weights.items() if not {*marks}.isdisjoint(own))


def _tied(model: nn.Module) -> tuple[str, ...]:
    """Return the adapted layers whose base has a parameter that is also in another module.

    So it is for a layer that the model holds under two names, of which peft adapts the first.
    """
    modules = [module for _, module in model.named_modules(remove_duplicate=False)]
    owners = Counter(id(p) for module in modules for p in vars(module)["_parameters"].values())
    return tuple(
        name
        for name, layer in adapted_layers(model).items()
        if any(owners[id(parameter)] > 1 for parameter in layer.get_base_layer().parameters())
    )
