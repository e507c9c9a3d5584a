"""`lora_layers`."""

from __future__ import annotations

from retspec.facts import Parameters
from retspec.plugin import Observed, check


@check(
    direction="equal",
    unit="layers",
    advice="Compare the layers in the details with `model.lora.target_modules`: a regular expression such as "
    r"'.*\.attn\.(qkv|proj)' or `exclude_modules` keeps `patch_embed.proj` out.",
)
def lora_layers(parameters: Parameters) -> Observed[int]:
    """How many layers carry an adapter?

    Why it matters:
        A list of targets matches the end of a name (https://huggingface.co/docs/peft/package_reference/lora). `[qkv,
        proj]` also adapts the convolution `patch_embed.proj` of a ViT, and peft accepts a list of which only a part
        matches.

    Example:
        lora_layers: 24

    What the number means:
        Layers that peft wrapped: a ViT with 24 blocks has 24 for `[qkv]`, and 48 for attention qkv and proj; 49 means
        that the patch embedding was adapted too. Layers with an adapter of another library or of your own count as
        well: two trainable factors of low rank beside a frozen weight, or what `model.adapters` names.
    """
    return Observed(len(parameters.adapted_layers), {"layers": list(parameters.adapted_layers)})
