"""The keys of the methods of peft other than LoRA, with the types of their values.

Validating a spec imports no peft, so they are listed here; a test holds them against the installed dataclasses.
See https://huggingface.co/docs/peft/package_reference/peft_types
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from retspec.records.quantities import PositiveInt

_Index = Annotated[int, Meta(ge=0)]
_Fraction = Annotated[float, Meta(ge=0, lt=1)]
_Names = Annotated[list[str], Meta(examples=[["head"]])]
_Pattern = Annotated[list[str] | str, Meta(examples=[["qkv"]])]
_Ranks = Mapping[str, PositiveInt]

Keys = Mapping[str, Any]
"""The keys of one method, each with the type of its value."""


_SHARED: Keys = {
    "target_modules": _Pattern,
    "exclude_modules": _Pattern,
    "modules_to_save": _Names,
    "layers_to_transform": list[_Index] | _Index,
    "layers_pattern": _Pattern,
    "fan_in_fan_out": bool,
    "init_weights": bool,
    "r": PositiveInt,
    "bias": Literal["none", "all"],
    "rank_pattern": _Ranks,
    "alpha_pattern": Mapping[str, Annotated[float, Meta(gt=0)]],
    "alpha": Annotated[int, Meta(ge=1)],
    "lora_alpha": Annotated[float, Meta(gt=0)],
    "n_frequency": PositiveInt,
    "n_frequency_pattern": _Ranks,
    "scaling": float,
    "random_seed": int,
    "random_loc_seed": int,
    "projection_prng_key": int,
    "save_projection": bool,
    "d_initial": float,
    "use_effective_conv2d": bool,
    "use_cayley_neumann": bool,
    "num_cayley_neumann_terms": PositiveInt,
}
"""Keys that mean the same in every method that has them; every key with `dropout` in its name is a share."""
_PLACES = "target_modules exclude_modules modules_to_save layers_to_transform layers_pattern"
_MOST = "target_modules modules_to_save layers_to_transform layers_pattern"


def _keys(names: str, **own: Any) -> Keys:
    dropout = {name: _Fraction for name in names.split() if "dropout" in name}
    return {name: dropout.get(name, _SHARED.get(name)) for name in names.split()} | own


PEFT_KEYS: Mapping[str, Keys] = {
    "ADALORA": _keys(
        f"{_PLACES} lora_alpha lora_dropout fan_in_fan_out",
        init_lora_weights=bool,
        bias=Literal["none", "all", "lora_only"],
        target_r=PositiveInt,
        init_r=PositiveInt,
        tinit=_Index,
        tfinal=_Index,
        deltaT=PositiveInt,
        beta1=_Fraction,
        beta2=_Fraction,
        orth_reg_weight=Annotated[float, Meta(gt=0)],
        total_step=PositiveInt,
    ),
    "ADAMSS": _keys(
        f"{_MOST} r random_seed",
        num_subspaces=PositiveInt,
        subspace_rank=PositiveInt,
        init_weights=Literal["orthogonal"],
        use_asa=bool,
        asa_target_subspaces=PositiveInt,
        init_warmup=_Index,
        final_warmup=_Index,
        mask_interval=PositiveInt,
        asa_importance_beta=_Fraction,
        asa_uncertainty_beta=_Fraction,
        asa_schedule_exponent=float,
        use_dynamic_rank=bool,
        svd_threshold=float,
    ),
    "BEFT": _keys("target_modules modules_to_save init_weights"),
    "BOFT": _keys(
        f"{_PLACES} boft_dropout fan_in_fan_out init_weights",
        bias=Literal["none", "all", "boft_only"],
        boft_block_size=_Index,
        boft_block_num=_Index,
        boft_n_butterfly_factor=PositiveInt,
    ),
    "C3A": _keys(
        f"{_MOST}",
        bias=Literal["none", "all", "c3a_only"],
        block_size=PositiveInt,
        block_size_pattern=_Ranks,
        init_weights=bool | Literal["gaussian", "kaiming_uniform", "xavier_uniform"],
    ),
    "DEFT": _keys(
        f"{_PLACES} r alpha deft_dropout fan_in_fan_out init_weights",
        bias=Literal["none", "all", "deft_only"],
        decomposition_method=Literal["relu", "qr"],
        init_scale=float,
        para=bool,
    ),
    "DELORA": _keys(
        f"{_PLACES} r module_dropout init_weights rank_pattern",
        bias=Literal["none", "all", "delora_only"],
        delora_lambda=PositiveInt,
        lambda_pattern=_Ranks,
    ),
    "FOURIERFT": _keys(
        f"{_PLACES} n_frequency n_frequency_pattern scaling random_loc_seed fan_in_fan_out init_weights",
        bias=Literal["none", "all", "fourier_only"],
    ),
    "FROD": _keys(
        f"{_MOST} projection_prng_key save_projection frod_dropout fan_in_fan_out init_weights",
        bias=Literal["none", "all", "frod_only"],
        sparse_rate=_Fraction,
        regularization_alpha=Annotated[float, Meta(ge=0)],
        progressbar=bool,
        runtime_offload_base_weight=bool,
    ),
    "GLORA": _keys(
        "target_modules modules_to_save r bias init_weights",
        config_A_B=Literal["lora", "vector", "constant", "none"],
        config_C=Literal["lora", "vector", "none"],
        config_D_E=Literal["vector", "constant", "none"],
    ),
    "GRALORA": _keys(
        f"{_MOST} r alpha gralora_dropout fan_in_fan_out init_weights",
        bias=Literal["none", "all", "gralora_only"],
        hybrid_r=_Index,
        gralora_k=PositiveInt,
    ),
    "HIRA": _keys(
        f"{_PLACES} r hira_dropout fan_in_fan_out rank_pattern",
        init_weights=bool | Literal["gaussian"],
    ),
    "HRA": _keys(f"{_PLACES} r init_weights", bias=Literal["none", "all", "hra_only"], apply_GS=bool),
    "IA3": _keys(
        "target_modules exclude_modules modules_to_save fan_in_fan_out",
        feedforward_modules=Annotated[list[str] | str, Meta(description="Those whose input is scaled; may be [].")],
        init_ia3_weights=bool,
    ),
    "LILY": _keys(f"{_PLACES} r scaling init_weights", stride_A=PositiveInt, num_B=PositiveInt),
    "LN_TUNING": _keys("target_modules exclude_modules", modules_to_save=_Pattern),
    "LOHA": _keys(
        f"{_PLACES} r alpha rank_dropout module_dropout use_effective_conv2d init_weights rank_pattern alpha_pattern"
    ),
    "LOKR": _keys(
        f"{_PLACES} r alpha rank_dropout module_dropout use_effective_conv2d rank_pattern alpha_pattern",
        init_weights=bool | Literal["lycoris"],
        decompose_both=bool,
        decompose_factor=Annotated[int, Meta(ge=-1)],
        rank_dropout_scale=bool,
    ),
    "MISS": _keys(
        f"{_PLACES} r miss_dropout",
        bias=Literal["none", "all", "MiSS_only"],
        mini_r=PositiveInt,
        init_weights=bool | Literal["bat", "mini"],
    ),
    "OFT": _keys(
        f"{_PLACES} module_dropout fan_in_fan_out init_weights use_cayley_neumann num_cayley_neumann_terms",
        r=_Index,
        bias=Literal["none", "all", "oft_only"],
        oft_block_size=_Index,
        coft=bool,
        eps=Annotated[float, Meta(gt=0)],
        block_share=bool,
    ),
    "OSF": _keys(
        "target_modules modules_to_save init_weights",
        effective_rank=float,
        rank_pattern=Mapping[str, float],
        target_svd_config=_Ranks,
    ),
    "PEANUT": _keys(f"{_PLACES} r scaling init_weights", depth=_Index, act_fn=str),
    "PSOFT": _keys(
        f"{_PLACES} r psoft_dropout fan_in_fan_out random_seed init_weights use_cayley_neumann "
        "num_cayley_neumann_terms",
        psoft_alpha=PositiveInt,
        ab_svd_init=Literal["psoft_init", "pissa_init"],
        psoft_svd=Literal["full", "lowrank"],
        psoft_svd_lowrank_niter=PositiveInt,
        psoft_orth=bool,
        psoft_mag_b=bool,
        psoft_mag_a=bool,
        cayley_neumann_eps=Annotated[float, Meta(gt=0)],
    ),
    "PVERA": _keys(
        f"{_MOST} r projection_prng_key save_projection pvera_dropout d_initial fan_in_fan_out init_weights",
        bias=Literal["none", "all", "pvera_only"],
        sample_at_inference=bool,
        generator_seed=int,
    ),
    "RANDLORA": _keys(
        f"{_MOST} r projection_prng_key save_projection randlora_dropout fan_in_fan_out init_weights",
        bias=Literal["none", "all", "randlora_only"],
        sparse=bool,
        very_sparse=bool,
        randlora_alpha=PositiveInt,
    ),
    "ROAD": _keys(
        "target_modules modules_to_save init_weights",
        variant=Literal["road_1", "road_2", "road_4"],
        group_size=PositiveInt,
    ),
    "SHIRA": _keys(
        "target_modules modules_to_save r fan_in_fan_out random_seed init_weights", mask_type=Literal["random"]
    ),
    "SUPERTUNING": _keys(
        "target_modules modules_to_save r lora_alpha lora_dropout init_weights",
        sparsity=_Fraction,
        select_top=bool,
        save_precomputed_indices=bool,
    ),
    "TINYLORA": _keys(
        f"{_MOST} r tinylora_dropout fan_in_fan_out save_projection",
        bias=Literal["none", "all", "tinylora_only"],
        u=PositiveInt,
        weight_tying=Annotated[float, Meta(ge=0, le=1)],
        projection_seed=int,
        init_v_bound=float,
        init_weights=bool | str,
    ),
    "UNILORA": _keys(
        f"{_MOST} r unilora_dropout fan_in_fan_out init_weights",
        bias=Literal["none", "all", "unilora_only"],
        proj_seed=int,
        theta_d_length=PositiveInt,
        init_theta_d_bound=float,
        save_indices=bool,
    ),
    "VBLORA": _keys(
        f"{_PLACES} r vblora_dropout fan_in_fan_out",
        bias=Literal["none", "all", "vblora_only"],
        num_vectors=PositiveInt,
        vector_length=PositiveInt,
        topk=PositiveInt,
        save_only_topk_weights=bool,
        init_vector_bank_bound=float,
        init_logits_std=float,
    ),
    "VERA": _keys(
        f"{_MOST} r projection_prng_key save_projection vera_dropout d_initial fan_in_fan_out init_weights",
        bias=Literal["none", "all", "vera_only"],
    ),
    "WAVEFT": _keys(
        f"{_PLACES} n_frequency n_frequency_pattern scaling random_loc_seed fan_in_fan_out init_weights",
        bias=Literal["none", "all", "waveft_only"],
        wavelet_family=str,
        use_idwt=bool,
        proportional_parameters=bool,
    ),
}
"""The methods that a spec takes, by `peft.PeftType`."""
