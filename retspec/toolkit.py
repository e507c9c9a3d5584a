"""For plugins that use torch: types and helpers for measurements and sources.

Importing this module does not import torch; its functions do when they are called. Import torch inside functions too:
the command line imports plugins to list what they offer, and is fast without torch.

An example, a measurement of the features before the head::

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

**Parts of the subject**, which a measurement gets by the name of a parameter:

* `Batch`: `batch`, with `inputs` (batch, ...) and `targets` (batch,) or (batch, classes), on the device of the run.
* `Skeleton`: `skeleton`, the model on the meta device. `module` has names, shapes and dtypes but no data; `copy()`
  returns a copy that may be changed; `trace(shape)` returns what a forward pass of inputs of that shape shows.
* `File`: `checkpoint_file`, the checkpoint on disk. `weights_in(file, names)` reads it safely and returns `Weights`:
  named tensors, the key that they were under, and the prefixes removed from their names, chosen so that most of `names`
  match. Tensors stay on disk where the format allows that. Raises SubjectError.
* `Loaded`: `loaded`, the result of loading it into the model.
* `Transforms`: `transforms`. `evaluate`, and `augment` unless it is None, are each a `Transform` of a PIL image to a
  tensor (3, height, width).
* `TrainerMaker`: `trainer`. `on(model, batch)` makes a `Trainer`, which computes gradients (`backward`) and applies
  them (`update`); keys of the recipe as keywords vary it. Your own training is a subclass of `Trainer`. A source that
  starts a whole program returns a `Launch`.
* `Feed`: `feed`, a stream of batches as a training takes them.

**Leaving the model unchanged**, each a context manager:

* `preserved(model)` restores trainable parameters, buffers, modes and `requires_grad`, and drops gradients.
* `without_dropout(model)` sets all probabilities of dropout and stochastic depth to zero, those of functions too;
  better than eval mode to measure a training step, since normalization layers keep their mode.
* `single_precision(model)` casts float16 and bfloat16 tensors to float32, and back.
* `adapters_off(model)` lets the base model compute without its adapter.

`fingerprints(tensors)` returns 64 bits for each named tensor, which show whether it changed, without a copy.

**The structure of a model**, however peft has wrapped it:

* `groups(model)` yields `(name, parameter, group)` for every parameter; `Group` is ADAPTER, HEAD or OTHER.
* `head_layer(model, classifier)` returns name and module of the layer that the features enter; `classifier` is
  `geometry.classifier`. Raises SubjectError for a model without a head.
* `adapted_layers(model)` returns the layers with an adapter, by name; `has_adapter(model)` whether there is one;
  `unwrapped(model)` the user's own model.
* `own_name(name)` returns the name of a module or parameter before peft wrapped it.
* `input_size(model)` returns (channels, height, width) in pixels, or None for a model of an unknown library.

**Outputs and shapes:**

* `logits_of(output)` returns the logits (batch, classes) in the output of a model. Raises SubjectError.
* `largest_difference(first, second)` returns the largest absolute difference of two tensors. Raises Inconclusive when
  an element is not finite.
* `trace(model, inputs)` runs one forward pass and returns its `retspec.facts.Geometry`.

**The machine:**

* `seeded(seed)` seeds random, numpy and torch, and restores their states at the end. A measurement already
  runs with the seed of the spec: use this for a part that must draw the same numbers twice.
* `choose_device(name)` returns the torch device; `auto` selects cuda, else mps, else cpu. A measurement should take the
  part `device` instead.
* `synchronize(device)` waits until the device has finished, so that timings are valid. `memory_of(device)` returns
  its memory in bytes, `cores()` the number of CPU cores that this process may use.
"""

from __future__ import annotations

from retspec.facts import Group
from retspec.subjects.checkpoints import File, Loaded
from retspec.subjects.checkpoints.matching import weights_in
from retspec.subjects.checkpoints.sets import Weights
from retspec.subjects.data.batch import Batch
from retspec.subjects.data.loaders import Feed
from retspec.subjects.data.transforms import Transform, Transforms
from retspec.subjects.devices import choose_device, cores, memory_of, synchronize
from retspec.subjects.models.adapters import adapters_off
from retspec.subjects.models.dropout import without_dropout
from retspec.subjects.models.outputs import largest_difference, logits_of
from retspec.subjects.models.skeleton import Skeleton
from retspec.subjects.models.state import fingerprints, preserved, single_precision
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
from retspec.subjects.training.watching.launching import Launch

__all__ = [
    "Batch",
    "Feed",
    "File",
    "Group",
    "Launch",
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
