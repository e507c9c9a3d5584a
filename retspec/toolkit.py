"""For plugins whose code touches torch: what a measurement or a source of models or data works with.

Importing this page imports no torch; its functions do, when they are called. Import torch inside functions, too: the
command line imports plugins to learn what they offer, and answers at once without it.

A measurement that looks at the features before the head, as it may be written::

    from retspec.facts import Geometry
    from retspec.plugin import Cost, Passes, measurement
    from retspec.toolkit import Batch, head_layer, preserved

    @measurement(cost=Cost.FORWARD, passes=lambda recipe: Passes(forward=1))
    def feature_norm(model, batch: Batch, geometry: Geometry) -> float:
        '''How long the features are on average.'''
        import torch

        seen = []
        _, head = head_layer(model, geometry.classifier)
        handle = head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
        try:
            with preserved(model), torch.no_grad():
                model.eval()
                model(batch.inputs)
        finally:
            handle.remove()
        return float(seen[0].norm(dim=-1).mean())

**Parts of the subject**, which a measurement gets by the name of its parameter:

* `Batch`: `batch`, with `inputs` (batch, ...) and `targets` (batch,) or (batch, classes), on the device of the run.
* `Skeleton`: `skeleton`, the model on the meta device. `module` has names, shapes and dtypes but no numbers; `copy()`
  is one to change at will; `trace(shape)` tells what a forward pass of inputs of that shape shows.
* `File`: `checkpoint_file`, the checkpoint as it lies on disk. `weights_in(file, names)` reads it, safely, and returns
  `Weights`: named tensors, the key that they were found under, and the prefixes taken off their names, the choice of
  which most of `names` fit. Tensors stay on disk where the format allows that. Raises SubjectError.
* `Loaded`: `loaded`, what came of filling the model from it.
* `Transforms`: `transforms`. `evaluate`, and `augment` unless it is None, are each a `Transform` of a PIL image to a
  tensor (3, height, width).
* `TrainerMaker`: `trainer`. `on(model, batch)` makes a `Trainer`, which computes gradients (`backward`) and applies
  them (`update`); keys of the recipe as keywords vary it. A training of your own is a subclass of `Trainer`.
* `Feed`: `feed`, batch after batch as a training takes them.

**Leaving the model as it was found**, each a context manager:

* `preserved(model)` restores trainable parameters, buffers, modes and `requires_grad`, and drops gradients.
* `without_dropout(model)` sets all probabilities of dropout and stochastic depth to zero; better than eval mode where a
  training step is measured, since normalization stays as it is.
* `single_precision(model)` casts what is in half precision up to float32, and back.
* `adapters_off(model)` lets the base model answer alone.

`fingerprints(tensors)` returns 64 bits for each named tensor: they tell whether anything changed, without a copy.

**What belongs to what**, however peft has wrapped it:

* `groups(model)` yields `(name, parameter, group)` for every parameter; `Group` is ADAPTER, HEAD or OTHER.
* `head_layer(model, classifier)` returns name and module of the layer that the features enter; `classifier` is
  `geometry.classifier`. Raises SubjectError for a model without a head.
* `adapted_layers(model)` returns the layers with an adapter, by name; `has_adapter(model)` whether there is one;
  `unwrapped(model)` the user's own model.
* `own_name(name)` returns the name of a module or parameter before peft wrapped it.
* `input_size(model)` returns (channels, height, width) of a timm model, or None.

**Outputs and shapes:**

* `logits_of(output)` returns the logits (batch, classes) of whatever a model returned. Raises SubjectError.
* `largest_difference(first, second)` returns the largest absolute difference of two tensors. Raises Inconclusive when
  one is not finite.
* `trace(model, inputs)` runs one forward pass and returns its `retspec.facts.Geometry`.

**The machine:**

* `seeded(seed)` seeds random, numpy and torch, and restores their states at the end. A measurement is called inside of
  one already, with the seed of the spec: this is for a part of it that must draw the same numbers twice.
* `choose_device(name)` returns the torch device; `auto` takes cuda, else mps, else cpu. A measurement takes the part
  `device` instead.
* `synchronize(device)` waits until the device is done, before a clock is read. `memory_of(device)` returns its bytes,
  `cores()` how many CPU cores this process may use.
"""

from __future__ import annotations

from retspec.facts import Group
from retspec.subjects.checkpoints import File, Loaded
from retspec.subjects.checkpoints.matching import Weights, weights_in
from retspec.subjects.data.batch import Batch
from retspec.subjects.data.loaders import Feed
from retspec.subjects.data.transforms import Transform, Transforms
from retspec.subjects.devices import choose_device, cores, memory_of, synchronize
from retspec.subjects.models.adapters import adapters_off
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.skeleton import Skeleton
from retspec.subjects.models.state import fingerprints, preserved, single_precision, without_dropout
from retspec.subjects.models.structure import (
    adapted_layers,
    groups,
    has_adapter,
    head_layer,
    input_size,
    own_name,
    unwrapped,
)
from retspec.subjects.models.tracing import trace
from retspec.subjects.seeds import seeded
from retspec.subjects.training.making import TrainerMaker
from retspec.subjects.training.trainer import Trainer

__all__ = [
    "Batch",
    "Feed",
    "File",
    "Group",
    "Loaded",
    "Skeleton",
    "Trainer",
    "TrainerMaker",
    "Transform",
    "Transforms",
    "Weights",
    "adapted_layers",
    "adapters_off",
    "choose_device",
    "cores",
    "fingerprints",
    "groups",
    "has_adapter",
    "head_layer",
    "input_size",
    "largest_difference",
    "logits_of",
    "memory_of",
    "own_name",
    "preserved",
    "seeded",
    "single_precision",
    "synchronize",
    "trace",
    "unwrapped",
    "weights_in",
    "without_dropout",
]
