"""`model: {retfound: ...}` is the model of the authors' code, and every published layout fills it as it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from retspec.plugin import SubjectError
from retspec.subjects.checkpoints import find, load_into
from timm.data import resolve_model_data_config

from retspec_retfound.building import retfound
from retspec_retfound.contracts import CONTRACTS
from retspec_retfound.samples.weights import SHALLOW

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import Loading

HEAD = ["head.weight", "head.bias"]
NORM, FC_NORM = ["norm.weight", "norm.bias"], ["fc_norm.weight", "fc_norm.bias"]
# Green is small enough to be written in full.
DEPTHS = {"large": SHALLOW, "dinov2": SHALLOW, "green": 12}


def hollow(backbone: str, **options: Any) -> Any:
    with torch.device("meta"):
        return retfound(backbone, num_classes=5, **options)


def filled(backbone: str, file: str, folder: Path, **options: Any) -> Loading:
    torch.manual_seed(0)
    model = retfound(backbone, num_classes=5, depth=DEPTHS[backbone], **options)
    return load_into(model, find(file, folder))


# Building ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backbone", "parameters", "tokens"),
    [("large", 303_306_757, 197), ("dinov2", 303_233_029, 257), ("green", 21_834_629, 789)],
)
def test_it_has_the_sizes_of_the_published_model(backbone: str, parameters: int, tokens: int) -> None:
    model, contract = hollow(backbone), CONTRACTS[backbone]
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    assert contract.patches + contract.prefix_tokens == tokens
    assert model.num_prefix_tokens == contract.prefix_tokens


@pytest.mark.parametrize(
    ("backbone", "pooling", "norm_before"),
    [("large", "avg", False), ("large", "token", True), ("dinov2", "token", True), ("green", "avg", True)],
)
def test_there_is_one_norm_where_it_belongs(backbone: str, pooling: str, norm_before: bool) -> None:  # noqa: FBT001
    model = hollow(backbone, global_pool=pooling)
    norms = {name: isinstance(getattr(model, name), torch.nn.LayerNorm) for name in ("norm", "fc_norm")}
    assert norms == {"norm": norm_before, "fc_norm": not norm_before}


def test_the_head_starts_as_the_authors_start_it() -> None:
    torch.manual_seed(0)
    heads = {name: retfound(name, num_classes=50, depth=1).head.weight.std().item() for name in CONTRACTS}
    assert heads["large"] == pytest.approx(2e-5, rel=0.02)
    assert heads["dinov2"] == pytest.approx(2e-5, rel=0.02)
    assert heads["green"] == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("backbone", CONTRACTS)
def test_the_model_itself_tells_its_preprocessing(backbone: str) -> None:
    resolved = resolve_model_data_config(hollow(backbone))
    assert resolved == CONTRACTS[backbone].data_config


def test_a_size_that_the_patches_do_not_cover_is_refused() -> None:
    with pytest.raises(SubjectError, match=r"img_size 250 is not a multiple of the patch of 16 pixels.*take 240"):
        hollow("large", img_size=250)


# Loading -------------------------------------------------------------------------------------------


def test_the_masked_autoencoder_leaves_head_and_fc_norm_fresh(samples: Path) -> None:
    loading = filled("large", "RETFound_mae.pth", samples)
    assert sorted(loading.missing) == sorted(HEAD + FC_NORM)
    assert {name for name in loading.unexpected if not name.startswith("decoder_")} == {"mask_token", *NORM}
    assert len(loading.unexpected) == 2 + 1 + 7 + 12 * SHALLOW
    assert (loading.wrapper, loading.prefixes, loading.resampled, loading.mismatches) == ("model", (), (), ())


def test_with_token_pooling_it_keeps_its_norm(samples: Path) -> None:
    loading = filled("large", "RETFound_mae.pth", samples, global_pool="token")
    assert sorted(loading.missing) == sorted(HEAD)
    assert not set(NORM) & set(loading.unexpected)


def test_position_embeddings_are_resampled_for_other_sizes(samples: Path) -> None:
    loading = filled("large", "RETFound_mae.pth", samples, img_size=256)
    assert loading.resampled == ("pos_embed",)
    assert sorted(loading.missing) == sorted(HEAD + FC_NORM)


def test_a_fine_tuned_file_fills_everything(samples: Path) -> None:
    loading = filled("large", "RETFound_finetuned.pth", samples)
    assert (loading.missing, loading.unexpected, loading.mismatches) == ((), (), ())
    assert loading.loaded_elements == loading.model_elements


def test_the_teacher_leaves_its_heads_and_518_pixels_behind(samples: Path) -> None:
    loading = filled("dinov2", "RETFound_dinov2.pth", samples)
    assert (loading.wrapper, loading.prefixes, loading.resampled) == ("teacher", ("backbone.",), ("pos_embed",))
    assert sorted(loading.missing) == sorted(HEAD)
    assert {name.partition(".")[0] for name in loading.unexpected} == {"mask_token", "dino_head", "ibot_head"}


def test_green_leaves_nothing_but_a_fresh_head(samples: Path) -> None:
    loading = filled("green", "RETFound_green.pth", samples)
    assert (sorted(loading.missing), loading.unexpected, loading.mismatches) == (sorted(HEAD), (), ())
    assert (loading.wrapper, loading.prefixes) == ("", ())
