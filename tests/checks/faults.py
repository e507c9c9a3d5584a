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
    """State a fault; `red` names the criteria, separated by spaces."""
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
    fault(
        "the adapter is frozen",
        vit("adapter_never_trained"),
        red="adapter_effect max_final_loss min_trainable_params overfit_loss overfit_steps",
    ),
    fault(
        "everything but the head is frozen after wrapping",
        vit("frozen_after_wrapping"),
        red="adapter_effect max_final_loss min_trainable_params overfit_loss overfit_steps",
    ),
    fault(
        "modules_to_save is misspelt",
        vit("head_misspelt"),
        red="head_trainable max_final_loss overfit_loss overfit_steps",
    ),
    fault(
        "modules_to_save is missing",
        vit("head_not_saved"),
        red="head_trainable max_final_loss overfit_loss overfit_steps",
    ),
    fault(
        "the head is replaced after wrapping",
        vit("head_replaced_after_wrapping"),
        red="dead_gradients head_trainable max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    fault("the head is unfrozen by hand", vit("head_trained_but_not_saved"), red="reload_atol"),
    fault("a second adapter trains, the first is used", vit("stale_adapter"), red="head_trainable"),
    fault(
        "[qkv, proj] adapts the patch embedding too",
        vit("patch_embedding_adapted"),
        red="lora_layers max_trainable_params rank_params",
    ),
    fault("a part of the base is left unfrozen", vit("base_left_unfrozen"), red="reload_atol trainable_names"),
    fault(
        "the model is not wrapped at all",
        vit("base"),
        red="lora_layers max_trainable_fraction max_trainable_params trainable_names",
    ),
    fault("nothing trains", vit("nothing_trains"), red="head_trainable lora_layers min_trainable_params"),
    fault(
        "the head has the classes of ImageNet",
        vit("base"),
        "model.kwargs={num_classes: 1000}",
        red="input_matters lora_layers max_final_loss max_trainable_fraction max_trainable_params "
        "output_shape trainable_names",
    ),
    fault(
        "the patch size is another",
        vit("base"),
        "model.kwargs={patch_size: 4}",
        red="attention_shape lora_layers max_loss_rise max_trainable_fraction max_trainable_params "
        "patch_count sequence_length trainable_names",
    ),
    fault(
        "the number of heads is another",
        vit("base"),
        "model.kwargs={num_heads: 4}",
        red="attention_shape lora_layers max_trainable_fraction max_trainable_params trainable_names",
    ),
    fault(
        "the width is another",
        vit("base"),
        "model.kwargs={embed_dim: 64}",
        red="embed_dim lora_layers max_loss_rise max_trainable_fraction max_trainable_params trainable_names",
    ),
    fault(
        "the learning rate is zero",
        "train.lr=0",
        red="adapter_effect input_matters loss_drop max_final_loss min_grad_norm overfit_accuracy "
        "overfit_loss overfit_steps unchanged_params",
    ),
    fault("the learning rate is far too high", "train.lr=3", red="max_grad_norm nonfinite_gradients nonfinite_steps"),
    fault(
        "the inputs are zeroed",
        *net("inputs_lost"),
        red="adapter_effect dead_gradients input_matters loss_drop max_final_loss min_grad_norm "
        "overfit_accuracy overfit_loss overfit_steps unchanged_params",
    ),
    fault("the loss has the wrong sign", 'train.loss="tests.tiny:wrong_sign"', red="overfit_accuracy overfit_steps"),
    fault(
        "the loss is a sum where a mean is expected",
        'train.loss="tests.tiny:summed_cross_entropy"',
        red="grad_accumulation_rtol",
    ),
    fault("a weight is NaN", vit("nan_weight"), red="nonfinite_steps"),
    fault(
        "the gradient of a root at zero is infinite", *net("root_of_zero"), red="nonfinite_gradients nonfinite_steps"
    ),
    fault(
        "the adapter is merged before training",
        vit("merged_before_training"),
        red="dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    fault(
        "the head stands behind a detach",
        vit("head_behind_detach"),
        red="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    fault(
        "the blocks run under no_grad",
        vit("no_grad_backbone"),
        red="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    fault(
        "the attention bypasses its adapter",
        vit("adapter_bypassed"),
        red="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    fault(
        "a hook writes to a frozen weight",
        vit("frozen_weight_written"),
        red="determinism_atol frozen_drift grad_accumulation_rtol",
    ),
    fault("a BatchNorm drifts under LoRA", *net("batch_normalized"), red="frozen_drift grad_accumulation_rtol"),
    fault(
        "the logits are far too large",
        *net("loud"),
        red="batch_invariance_atol initial_loss_rtol input_matters max_grad_norm merge_atol unmerge_atol",
    ),
    fault(
        "a scale near zero starves what lies before it",
        *net("vanishing"),
        red="adapter_effect input_matters loss_drop max_final_loss min_grad_norm overfit_accuracy "
        "overfit_loss overfit_steps",
    ),
    fault("activations are kept from step to step", *net("keeps_activations"), red="memory_growth_mb"),
    fault("merging drops a layer", vit("merge_drops_a_layer"), red="merge_atol"),
    fault("merging forgets the scale", vit("merged_twice_scaled"), red="merge_atol"),
    fault("unmerging forgets a layer", vit("unmerge_forgets_a_layer"), red="unmerge_atol"),
    fault(
        "adapters and head are kept in half precision",
        vit("half_adapters"),
        red="grad_accumulation_rtol trainable_dtype",
    ),
    fault(
        "noise from a generator that no seed reaches",
        *net("unseeded_noise"),
        red="amp_rtol batch_invariance_atol compile_atol determinism_atol eval_determinism_atol "
        "grad_accumulation_rtol max_loss_rise merge_atol reload_atol unmerge_atol",
    ),
    fault(
        "dropout stays on in eval mode",
        *net("dropout_in_eval"),
        red="amp_rtol batch_invariance_atol compile_atol eval_determinism_atol grad_accumulation_rtol "
        "merge_atol reload_atol unmerge_atol",
    ),
    fault("a buffer counts in eval mode", *net("counts_in_eval"), red="eval_drift"),
    fault(
        "statistics run over the batch in eval mode",
        *net("norm_over_batch"),
        red="batch_invariance_atol batch_leak grad_accumulation_rtol",
    ),
    fault(
        "view where transpose was meant",
        *net("view_for_transpose"),
        red="batch_invariance_atol batch_leak grad_accumulation_rtol",
    ),
    fault("the compiled model takes another branch", *net("other_when_compiled"), red="compile_atol"),
)
