"""What people really do to a setup: each fault, how it is planted, and the criteria that must turn red for it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """Overrides of `cases/preflight/full.yaml`, and the criteria that are missed because of them, no other."""

    name: str
    overrides: tuple[str, ...]
    red: frozenset[str] = field(default_factory=frozenset)


def fault(name: str, *overrides: str, red: str = "") -> Fault:
    return Fault(name, overrides, frozenset(red.split()))


def vit(model: str) -> str:
    return f'model.factory="tests.tiny:{model}"'


def net(model: str) -> tuple[str, ...]:
    """A small net with the fault between its adapted embedding and its saved head, and the limits that fit it."""
    fits = {
        "max_trainable_params": "20_000",
        "max_trainable_fraction": "0.5",
        "lora_layers": "1",
        "rank_params": "{2: 6176, 8: 24704}",
        "min_trainable_params": "10_000",
        "initial_loss_rtol": "1.0",
    }
    shapes = ("patch_count", "embed_dim", "input_divisible_by_patch", "sequence_length", "attention_shape")
    limits = [f"checks.{check}={limit}" for check, limit in fits.items()]
    skips = [f"checks.{check}={{skip: a net without patches}}" for check in shapes]
    return ('model.factory="tests.tiny:adapted"', f"model.kwargs={{fault: {model}}}", *limits, *skips)


FAULTS = (
    fault("none, a ViT"),
    fault("none, a small net", *net("plain")),
    fault("the adapter is frozen", vit("adapter_never_trained")),
    fault("everything but the head is frozen after wrapping", vit("frozen_after_wrapping")),
    fault("modules_to_save is misspelt", vit("head_misspelt")),
    fault("modules_to_save is missing", vit("head_not_saved")),
    fault("the head is replaced after wrapping", vit("head_replaced_after_wrapping")),
    fault("the head is unfrozen by hand", vit("head_trained_but_not_saved")),
    fault("a second adapter trains, the first is used", vit("stale_adapter")),
    fault("[qkv, proj] adapts the patch embedding too", vit("patch_embedding_adapted")),
    fault("a part of the base is left unfrozen", vit("base_left_unfrozen")),
    fault("the model is not wrapped at all", vit("base")),
    fault("nothing trains", vit("nothing_trains")),
    fault("the head has the classes of ImageNet", vit("base"), "model.kwargs={num_classes: 1000}"),
    fault("the patch size is another", vit("base"), "model.kwargs={patch_size: 4}"),
    fault("the number of heads is another", vit("base"), "model.kwargs={num_heads: 4}"),
    fault("the width is another", vit("base"), "model.kwargs={embed_dim: 64}"),
    fault("the learning rate is zero", "train.lr=0"),
    fault("the learning rate is far too high", "train.lr=3"),
    fault("the inputs are zeroed", *net("inputs_lost")),
    fault("the loss has the wrong sign", 'train.loss="tests.tiny:wrong_sign"'),
    fault("the loss is a sum where a mean is expected", 'train.loss="tests.tiny:summed_cross_entropy"'),
    fault("a weight is NaN", vit("nan_weight")),
    fault("the gradient of a root at zero is infinite", *net("root_of_zero")),
    fault("the adapter is merged before training", vit("merged_before_training")),
    fault("the head stands behind a detach", vit("head_behind_detach")),
    fault("the blocks run under no_grad", vit("no_grad_backbone")),
    fault("the attention bypasses its adapter", vit("adapter_bypassed")),
    fault("a hook writes to a frozen weight", vit("frozen_weight_written")),
    fault("a BatchNorm drifts under LoRA", *net("batch_normalized")),
    fault("the logits are far too large", *net("loud")),
    fault("a scale near zero starves what lies before it", *net("vanishing")),
    fault("activations are kept from step to step", *net("keeps_activations")),
    fault("merging drops a layer", vit("merge_drops_a_layer")),
    fault("merging forgets the scale", vit("merged_twice_scaled")),
    fault("unmerging forgets a layer", vit("unmerge_forgets_a_layer")),
    fault("adapters and head are kept in half precision", vit("half_adapters")),
    fault("half precision cancels", *net("cancels_in_half")),
    fault("noise from a generator that no seed reaches", *net("unseeded_noise")),
    fault("dropout stays on in eval mode", *net("dropout_in_eval")),
    fault("a buffer counts in eval mode", *net("counts_in_eval")),
    fault("statistics run over the batch in eval mode", *net("norm_over_batch")),
    fault("view where transpose was meant", *net("view_for_transpose")),
    fault("the compiled model takes another branch", *net("other_when_compiled")),
)
