"""`model: {retfound: large | dinov2 | green, ...}`: the timm model that a RETFound checkpoint fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta
from retspec.plugin import ModelLibrary, PositiveInt, SubjectError, model_source

from retspec_retfound.contracts import CONTRACTS, Backbone, Pooling

if TYPE_CHECKING:
    from torch import nn


@model_source(library=ModelLibrary(imports=("timm",)))
def retfound(
    backbone: Backbone,
    *,
    num_classes: Annotated[PositiveInt, Meta(description="Outputs of the head: the grades, 5 for APTOS and IDRiD.")],
    global_pool: Annotated[
        Pooling, Meta(description="How tokens become features; by default as the checkpoint was trained.")
    ]
    | None = None,
    drop_path: Annotated[
        float, Meta(ge=0, lt=1, description="Stochastic depth; the authors fine-tune with 0.2.")
    ] = 0.0,
    img_size: Annotated[
        PositiveInt, Meta(description="Pixels, both sides; by default as the checkpoint was trained: 224, Green 392.")
    ]
    | None = None,
    depth: Annotated[
        PositiveInt, Meta(description="Keep only so many blocks: for dry runs on samples, never for results.")
    ]
    | None = None,
) -> nn.Module:
    """Build a RETFound classifier by timm, with the pooling, the norm and the fresh head of the authors' code.

    Weights are random until `checkpoint:` fills them. The model carries the preprocessing of its backbone, where
    timm's own defaults are wrong: 0.5 for RETFound, ImageNet and 518 pixels for Green.
    """
    import timm
    from torch.nn import init

    contract = CONTRACTS[backbone]
    pixels = img_size or contract.input_size
    if pixels % contract.patch_size:
        raise SubjectError(
            f"img_size {pixels} is not a multiple of the patch of {contract.patch_size} pixels: the rest would be cut "
            f"off in silence; take {pixels // contract.patch_size * contract.patch_size}",
            path="model.img_size",
        )
    pooling = global_pool or contract.pooling
    model: Any = timm.create_model(
        contract.architecture,
        pretrained=False,
        pretrained_cfg_overlay={**contract.data_config, "input_size": (3, pixels, pixels)},
        num_classes=num_classes,
        global_pool=pooling,
        img_size=pixels,
        drop_path_rate=drop_path,
        depth=depth or contract.depth,
        **({} if contract.fc_norm is None else {"fc_norm": contract.fc_norm}),
    )
    if contract.head_std is not None:
        init.trunc_normal_(model.head.weight, std=contract.head_std)
    built: nn.Module = model
    return built
