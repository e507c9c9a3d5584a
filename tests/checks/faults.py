"""What people really do to a setup: each fault, how it is planted, and what comes of every criterion."""

from __future__ import annotations

from tests.checks.planting import FULL, criteria, file, named, net, vit

TRAINED = (
    "loss_drop max_loss_rise max_final_loss initial_loss_rtol nonfinite_steps nonfinite_gradients "
    "max_grad_norm min_grad_norm dead_gradients unchanged_params frozen_drift input_matters "
    "overfit_accuracy overfit_loss overfit_steps peak_memory_mb memory_growth_mb adapter_effect "
    "grad_accumulation_rtol amp_rtol determinism_atol "
)
DIVERGED = (
    "loss_drop max_loss_rise max_final_loss initial_loss_rtol min_grad_norm unchanged_params "
    "input_matters overfit_accuracy overfit_loss overfit_steps peak_memory_mb memory_growth_mb "
    "adapter_effect "
)
ADAPTED = "adapter_effect lora_scaling merge_atol rank_params reload_atol unmerge_atol"
LOADED = (
    "checkpoint_coverage max_missing_keys max_unexpected_keys max_shape_mismatches nonfinite_weights "
    "backbone_matches_file "
)
LEARNT = "overfit_accuracy overfit_loss overfit_steps"

FAULTS = (
    vit("none, a ViT"),
    net("none, a small net"),
    named("none, a ViT by its name in timm"),
    net("none, a frozen BatchNorm that stands still", "normalized_by_batch"),
    vit(
        "the adapter is frozen",
        planted="adapter_frozen",
        missed="adapter_effect max_final_loss min_trainable_params overfit_loss overfit_steps",
    ),
    vit(
        "modules_to_save is misspelt",
        model="tests.tiny_adapters:head_misspelt",
        missed="head_trainable max_final_loss overfit_loss overfit_steps",
    ),
    named(
        "modules_to_save is missing",
        planted="head_not_saved",
        missed="head_trainable max_final_loss overfit_loss overfit_steps",
    ),
    vit(
        "the head is replaced after wrapping",
        model="tests.tiny_adapters:head_replaced_after_wrapping",
        missed="dead_gradients head_trainable max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    vit(
        "the head is frozen together with the base",
        planted="head_frozen",
        missed="head_trainable max_final_loss overfit_loss overfit_steps",
    ),
    vit("the head is unfrozen by hand", model="tests.tiny_adapters:head_trained_but_not_saved", missed="reload_atol"),
    vit(
        "a second adapter trains, the first is used",
        model="tests.tiny_adapters:stale_adapter",
        missed=f"{LEARNT} adapter_effect dead_gradients head_trainable input_matters loss_drop "
        "max_final_loss min_grad_norm unchanged_params",
        undecided="amp_rtol grad_accumulation_rtol reload_atol",
    ),
    vit(
        "[qkv, proj] adapts the patch embedding too",
        model="tests.tiny_adapters:patch_embedding_adapted",
        missed="lora_layers max_trainable_params rank_params",
    ),
    vit(
        "a part of the base is left unfrozen",
        planted="base_unfrozen",
        missed="reload_atol trainable_names",
    ),
    vit(
        "the base trains as a whole",
        planted="base_trains_whole",
        missed="max_trainable_fraction max_trainable_params reload_atol trainable_names",
        unsteady="dead_gradients max_loss_rise min_grad_norm unchanged_params",
    ),
    vit("the adapter trains in its first layer alone", planted="later_layers_frozen", missed="min_trainable_params"),
    named(
        "target_modules matches every linear layer",
        planted="more_layers_adapted",
        missed="lora_layers max_trainable_fraction max_trainable_params rank_params",
        unsteady=f"{LEARNT} lora_scaling max_loss_rise max_final_loss",
    ),
    vit(
        "the model is not wrapped at all",
        model="tests.tiny:base",
        missed="lora_layers max_trainable_fraction max_trainable_params trainable_names",
        undecided=ADAPTED,
    ),
    vit(
        "nothing trains",
        model="tests.tiny:nothing_trains",
        missed="head_trainable lora_layers min_trainable_params",
        undecided=f"{TRAINED} lora_scaling merge_atol rank_params reload_atol trainable_dtype trainable_names "
        "unmerge_atol",
    ),
    named(
        "the head has the classes of ImageNet",
        planted="classes_of_imagenet",
        missed="max_trainable_fraction max_trainable_params output_shape",
    ),
    named(
        "the patches are twice as large",
        planted="other_patch_size",
        missed="attention_shape patch_count sequence_length",
    ),
    vit(
        "the number of heads is another",
        "model.kwargs={num_heads: 4}",
        model="tests.tiny:base",
        missed="attention_shape lora_layers max_trainable_fraction max_trainable_params trainable_names",
        undecided=ADAPTED,
    ),
    vit(
        "the width is another",
        "model.kwargs={embed_dim: 64}",
        model="tests.tiny:base",
        missed="embed_dim lora_layers max_loss_rise max_trainable_fraction max_trainable_params trainable_names",
        undecided=ADAPTED,
    ),
    vit(
        "the learning rate is zero",
        planted="rate_zero",
        missed=f"{LEARNT} adapter_effect input_matters loss_drop max_final_loss min_grad_norm unchanged_params",
        undecided="dead_gradients",
    ),
    vit(
        "the learning rate is a hundred times a high one",
        "train.lr=0.1",
        planted="rate_too_high",
        missed="nonfinite_gradients nonfinite_steps",
        undecided=f"{DIVERGED} max_grad_norm",
        unsteady="dead_gradients determinism_atol grad_accumulation_rtol amp_rtol",
    ),
    # So high that the second step overflows. Under one that is merely too high, the step at which the training leaves
    # the numbers hangs on rounding, and with it what is still measured.
    vit(
        "the learning rate is far too high",
        "train.lr=1e25",
        missed="nonfinite_steps",
        undecided=f"{DIVERGED} dead_gradients determinism_atol",
    ),
    net(
        "the inputs are zeroed",
        planted="images_lost",
        missed=f"{LEARNT} adapter_effect dead_gradients input_matters loss_drop max_final_loss "
        "min_grad_norm unchanged_params",
        undecided="batch_invariance_atol batch_leak merge_atol unmerge_atol",
    ),
    vit(
        "the loss has the wrong sign",
        'train.loss="tests.tiny_losses:wrong_sign"',
        missed="overfit_accuracy overfit_steps",
        undecided="initial_loss_rtol input_matters loss_drop max_loss_rise overfit_loss",
    ),
    vit(
        "the loss is a sum where a mean is expected",
        'train.loss="tests.tiny_losses:summed_cross_entropy"',
        missed="grad_accumulation_rtol",
        undecided="initial_loss_rtol",
    ),
    vit(
        "a user's own optimizer holds the head alone",
        'train={optimizer: "tests.subjects.own_pieces:of_the_head"}',
        missed="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
        unsteady="loss_drop",
    ),
    vit(
        "a user's own optimizer has the parameters of a copy",
        'train={optimizer: "tests.subjects.own_pieces:of_a_copy"}',
        undecided=TRAINED,
    ),
    vit(
        "a user's own loss gets the logits detached",
        'train.loss="tests.subjects.own_pieces:detached"',
        undecided=TRAINED,
    ),
    vit(
        "a user's own step loses the images",
        'train.step="tests.subjects.own_pieces:step_without_images"',
        missed="input_matters loss_drop max_final_loss",
        undecided=f"{LEARNT} initial_loss_rtol",
    ),
    vit(
        "a weight is NaN",
        planted="weight_is_nan",
        missed="nonfinite_steps",
        undecided=f"{DIVERGED} amp_rtol batch_invariance_atol batch_leak compile_atol dead_gradients "
        "determinism_atol eval_determinism_atol eval_drift grad_accumulation_rtol max_grad_norm "
        "merge_atol nonfinite_gradients reload_atol unmerge_atol",
    ),
    net(
        "the gradient of a root at zero is infinite",
        "root_of_zero",
        missed="nonfinite_gradients nonfinite_steps",
        undecided=f"{DIVERGED} amp_rtol batch_invariance_atol batch_leak dead_gradients determinism_atol "
        "grad_accumulation_rtol max_grad_norm",
    ),
    vit(
        "the adapter is merged before training",
        model="tests.tiny_adapters:merged_before_training",
        missed="dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
        undecided="adapter_effect merge_atol rank_params unmerge_atol",
    ),
    vit(
        "the head stands behind a detach",
        model="tests.tiny_adapters:head_behind_detach",
        missed="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
        undecided="batch_invariance_atol batch_leak",
    ),
    vit(
        "the blocks run under no_grad",
        planted="blocks_without_grad",
        missed="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
        undecided="batch_invariance_atol batch_leak",
    ),
    vit(
        "the attention bypasses its adapter",
        planted="adapter_bypassed",
        missed="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
        undecided="merge_atol unmerge_atol",
    ),
    vit(
        "the head that is called is the one before wrapping",
        planted="head_bypassed",
        missed="dead_gradients head_trainable max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    vit(
        "a hook writes to a frozen weight",
        planted="frozen_weight_written",
        missed="determinism_atol frozen_drift",
    ),
    net(
        "a BatchNorm drifts under LoRA",
        "normalized_by_batch",
        planted="statistics_drift",
        missed="batch_leak frozen_drift grad_accumulation_rtol",
    ),
    vit(
        "the logits are a hundred times too large",
        planted="logits_too_large",
        missed="initial_loss_rtol max_grad_norm max_loss_rise",
        # Rounding alone, made large.
        unsteady="batch_invariance_atol merge_atol unmerge_atol",
    ),
    net(
        "the logits are far too large",
        "loud",
        missed="initial_loss_rtol input_matters max_grad_norm merge_atol unmerge_atol",
        # Rounding alone, made large: where the product of one row is computed as that of six, nothing differs.
        unsteady="batch_invariance_atol",
    ),
    net(
        "a scale near zero starves what lies before it",
        "vanishing",
        missed=f"{LEARNT} adapter_effect input_matters loss_drop max_final_loss min_grad_norm",
        undecided="merge_atol unmerge_atol",
    ),
    net("activations are kept from step to step", "keeps_activations", missed="memory_growth_mb"),
    vit(
        "train() freezes the adapter",
        model="tests.wild:train_freezes_the_adapter",
        missed="adapter_effect max_final_loss min_trainable_params overfit_loss overfit_steps",
    ),
    vit("a lazy layer never saw a batch", model="tests.wild:lazy", undecided=" ".join(criteria(FULL))),
    vit("a part is left on the meta device", model="tests.wild:without_values", undecided=" ".join(criteria(FULL))),
    vit(
        "the initialization of the adapter draws the base",
        model="tests.tiny_adapters:drawn_at_random",
        missed="reload_atol",
    ),
    net("noise in training alone", "tests.wild:own_noise", undecided="amp_rtol grad_accumulation_rtol"),
    net("none, stochastic depth", "tests.wild:stochastic_depth"),
    net("none, functional dropout", "tests.wild:functional_dropout"),
    vit("merging drops a layer", planted="merge_drops_layer", missed="merge_atol"),
    vit("merging forgets the scale", planted="merge_forgets_scale", missed="merge_atol"),
    vit("unmerging forgets a layer", model="tests.tiny_adapters:unmerge_forgets_a_layer", missed="unmerge_atol"),
    vit(
        "adapters and head are kept in half precision",
        model="tests.tiny_adapters:half_adapters",
        missed="grad_accumulation_rtol trainable_dtype",
    ),
    net("an offset swallows the digits of half precision", "offset_in_half", missed="amp_rtol"),
    net(
        "noise from a generator that no seed reaches",
        "unseeded_noise",
        missed="batch_invariance_atol compile_atol determinism_atol eval_determinism_atol max_loss_rise merge_atol "
        "reload_atol unmerge_atol",
        undecided="amp_rtol grad_accumulation_rtol",
    ),
    vit(
        "dropout of the logits stays on in eval mode",
        planted="dropout_in_eval",
        missed="compile_atol eval_determinism_atol merge_atol reload_atol unmerge_atol",
        unsteady="amp_rtol grad_accumulation_rtol",
    ),
    net(
        "dropout stays on in eval mode",
        "dropout_in_eval",
        missed="batch_invariance_atol compile_atol eval_determinism_atol merge_atol reload_atol unmerge_atol",
    ),
    net("a buffer counts in eval mode", "counts_in_eval", missed="eval_drift"),
    net(
        "statistics run over the batch in eval mode",
        "norm_over_batch",
        missed="batch_invariance_atol batch_leak grad_accumulation_rtol",
    ),
    vit(
        "the images of a batch leak into one another",
        planted="samples_mixed",
        missed="batch_invariance_atol batch_leak grad_accumulation_rtol",
    ),
    net(
        "view where transpose was meant",
        "view_for_transpose",
        missed="batch_invariance_atol batch_leak grad_accumulation_rtol",
    ),
    net("the compiled model takes another branch", "other_when_compiled", missed="compile_atol"),
    vit(
        "everything is frozen after wrapping",
        planted="everything_frozen",
        missed="head_trainable min_trainable_params",
        undecided=f"{TRAINED} reload_atol trainable_dtype trainable_names",
    ),
    vit(
        "the adapter is merged and unloaded before training",
        model="tests.faulty:merged_and_unloaded",
        missed="lora_layers max_final_loss min_trainable_params overfit_loss overfit_steps",
        undecided=ADAPTED,
    ),
    vit(
        "both factors of the adapter start at zero",
        planted="adapter_starts_at_zero",
        missed="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    vit(
        "the adapter is kept in float16",
        planted="adapter_in_half",
        missed="grad_accumulation_rtol nonfinite_steps trainable_dtype",
        undecided=f"{DIVERGED} dead_gradients determinism_atol",
    ),
    named(
        "lora_alpha is a thousand times too large",
        planted="scale_forgotten",
        missed="grad_accumulation_rtol lora_scaling max_grad_norm",
        unsteady=f"{LEARNT} amp_rtol input_matters loss_drop max_final_loss max_loss_rise",
    ),
    vit(
        "parameters are replaced while the optimizer holds the old ones "
        "(a training loop's fault, imitated inside the model)",
        model="tests.faulty:head_replaced_while_training",
        missed="dead_gradients grad_accumulation_rtol max_final_loss min_grad_norm overfit_loss "
        "overfit_steps unchanged_params",
    ),
    vit(
        "the logits are detached",
        planted="logits_detached",
        missed=f"{LEARNT} adapter_effect dead_gradients head_trainable input_matters loss_drop "
        "max_final_loss min_grad_norm unchanged_params",
        undecided="amp_rtol batch_invariance_atol batch_leak grad_accumulation_rtol",
    ),
    vit(
        "reentrant checkpointing follows a frozen embedding",
        model="tests.faulty:checkpointed_reentrantly",
        missed="adapter_effect dead_gradients max_final_loss min_grad_norm overfit_loss overfit_steps unchanged_params",
    ),
    vit(
        "zero_grad is missing (a training loop's fault, imitated inside the model)",
        model="tests.faulty:gradients_never_zeroed",
        missed="determinism_atol max_loss_rise",
        undecided="amp_rtol",
        unsteady=f"{LEARNT} grad_accumulation_rtol",
    ),
    net(
        "a ReLU is never above zero",
        "tests.faulty:switched_off",
        missed=f"{LEARNT} adapter_effect dead_gradients input_matters loss_drop max_final_loss "
        "min_grad_norm unchanged_params",
        undecided="batch_invariance_atol batch_leak merge_atol unmerge_atol",
    ),
    net("the state of a step is carried on with its graph", "tests.faulty:carries_its_state", undecided=TRAINED),
    net("a large intermediate is made for nothing", "tests.faulty:wasteful", missed="peak_memory_mb"),
    vit(
        "a softmax precedes the cross-entropy",
        planted="softmax_twice",
        missed="max_final_loss overfit_loss overfit_steps",
    ),
    vit(
        "the labels are shuffled at every step (a training loop's fault, imitated inside the loss)",
        'train.loss="tests.faulty:shuffled_labels"',
        missed=f"{LEARNT} input_matters loss_drop max_final_loss max_loss_rise",
        undecided="amp_rtol grad_accumulation_rtol initial_loss_rtol",
    ),
    vit(
        "the loss is divided by a fixed batch size",
        'train.loss="tests.faulty:fixed_divisor"',
        missed="grad_accumulation_rtol",
        undecided="initial_loss_rtol",
    ),
    vit(
        "the loss is a mean weighted by class",
        'train.loss="tests.faulty:weighted_cross_entropy"',
        missed="grad_accumulation_rtol",
        undecided="initial_loss_rtol",
    ),
    vit("the labels count from one", 'train.loss="tests.faulty:labels_from_one"', undecided=TRAINED),
    vit(
        "losses are kept with their graphs (a training loop's fault, imitated inside the loss)",
        'train.loss="tests.faulty:kept_losses"',
        missed="memory_growth_mb",
        undecided="initial_loss_rtol",
    ),
    vit(
        "the patches do not divide the image",
        "model.kwargs={patch_size: 7}",
        model="tests.tiny:base",
        missed="input_divisible_by_patch lora_layers max_loss_rise max_trainable_fraction "
        "max_trainable_params trainable_names",
        undecided=ADAPTED,
    ),
    vit("the batch is ten times as large", "data.synthetic.batch_size=60", missed="attention_shape output_shape"),
    file("none, a bare file", "plain.safetensors"),
    file("none, behind `state_dict` and `module.`", "prefixed.pth"),
    file("none, a file in bfloat16", "half-precision.pth"),
    file("the decoder of the pre-training is in the file", "mae.pth", missed="max_unexpected_keys"),
    file("none, behind a prefix of its own", "odd-prefix.pth"),
    file("none, behind a key of its own", "odd-wrapper.pth"),
    file("a block is missing in the file", "half.pth", missed="checkpoint_coverage max_missing_keys"),
    file("the head has the classes of another task", "seven-classes.pth", missed="max_shape_mismatches"),
    file("none, a file of a larger image size, resampled", "larger-image.pth"),
    file(
        "the model pools in another way",
        "plain.safetensors",
        "model.kwargs={global_pool: avg}",
        missed="max_missing_keys max_unexpected_keys",
    ),
    file("one weight of the file is NaN", "nan.pth", missed="nonfinite_weights"),
    file(
        "the base is initialized anew after loading",
        "plain.safetensors",
        'model.factory="tests.tiny_checkpoints:initializes_after_loading"',
        missed="backbone_matches_file",
    ),
    file(
        "half of the names in the file fit no name of the model",
        "plain.safetensors",
        planted="checkpoint_half_loaded",
        missed="backbone_matches_file checkpoint_coverage max_missing_keys max_unexpected_keys",
    ),
    file(
        "the layers are initialized anew after loading",
        "plain.safetensors",
        planted="initialized_after_loading",
        missed="backbone_matches_file",
    ),
    file(
        "a layer of the file has another size",
        "plain.safetensors",
        planted="checkpoint_of_another_shape",
        missed="backbone_matches_file max_shape_mismatches",
    ),
    file(
        "one weight is NaN once the file is loaded",
        "plain.safetensors",
        planted="checkpoint_has_nan",
        missed="backbone_matches_file nonfinite_weights",
    ),
    file("the download was cut short", "cut-short.pth", undecided=LOADED),
    file("the file is a git-LFS pointer", "pointer.pth", undecided=LOADED),
)
