"""Which of the weights in a file are taken, and that a choice among several is never silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from retspec.errors import SubjectError
from retspec.facts import Checkpoint
from retspec.plugins.catalog import gather
from retspec.prepare import prepare
from retspec.records import CheckpointChoice
from retspec.subjects.checkpoints import Loaded, chosen, load_into
from retspec.subjects.checkpoints.matching import weights_in
from retspec.subjects.checkpoints.sets import found
from retspec.subjects.subject import Subject
from tests.tiny import base

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from retspec.facts import Loading


def weights(seed: int = 1, **kwargs: Any) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {name: torch.randn_like(tensor) for name, tensor in base(**kwargs).state_dict().items()}


PLAIN, MEAN = weights(1), weights(2)


def behind(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


def loaded(held: Any, folder: Path, model: nn.Module | None = None, **choice: str) -> tuple[Loading, nn.Module]:
    torch.save(held, folder / "w.pth")
    model = model or base()
    file = chosen(CheckpointChoice(file="w.pth", **choice) if choice else "w.pth", folder)
    return load_into(model, file), model


def is_filled(model: nn.Module, tensors: Mapping[str, Tensor]) -> bool:
    state = model.state_dict()
    return all(torch.equal(state[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize(
    "key",
    ["model_state_dict", "net", "network", "weights", "params", "module", "encoder", "ema", "my_own_key", "a.b.c"],
)
def test_any_key_is_opened(key: str, tmp_path: Path) -> None:
    held: Any = PLAIN
    for step in reversed(key.split(".")):
        held = {step: held, "epoch": 1}
    loading, model = loaded(held, tmp_path)
    assert (loading.wrapper, loading.others, loading.notes) == (key, (), ())
    assert is_filled(model, PLAIN)


@pytest.mark.parametrize(
    "prefix", ["model.", "net.", "encoder.", "student.", "model.net.", "module.module.", "a.b.c.d.", "model.backbone."]
)
def test_any_prefix_is_removed(prefix: str, tmp_path: Path) -> None:
    loading, model = loaded({"state_dict": behind(prefix, PLAIN), "hyper_parameters": {"lr": 1e-3}}, tmp_path)
    assert ("".join(loading.prefixes), loading.notes) == (prefix, ())
    assert is_filled(model, PLAIN)


def test_wrappers_of_a_part_are_removed_from_within_names(tmp_path: Path) -> None:
    names = {
        name.replace("blocks.", "blocks._orig_mod.").replace("norm.", "norm.module."): each
        for name, each in PLAIN.items()
    }
    loading, model = loaded(names, tmp_path)
    assert (loading.missing, loading.unexpected) == ((), ())
    assert is_filled(model, PLAIN)


def test_a_head_that_has_only_a_part_of_the_prefix_is_loaded(tmp_path: Path) -> None:
    held = {("model." if "head" in name else "model.backbone.") + name: each for name, each in PLAIN.items()}
    loading, model = loaded(held, tmp_path)
    assert (loading.missing, loading.unexpected) == ((), ())
    assert is_filled(model, PLAIN)


def test_a_network_in_an_attribute_of_the_model_is_filled_from_a_bare_file(tmp_path: Path) -> None:
    model = nn.ModuleDict({"body": base(num_classes=0), "top": nn.Linear(48, 3)})
    body = {name: each for name, each in PLAIN.items() if not name.startswith("head.")}
    loading, _ = loaded(body, tmp_path, model)
    assert (loading.added, loading.missing) == ("body.", ("top.weight", "top.bias"))
    assert is_filled(model["body"], body)
    assert loading.notes == ("w.pth names its weights without 'body.', where the model keeps them",)


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_of_plain_and_averaged_weights_those_are_taken_that_timm_takes(key: str, tmp_path: Path) -> None:
    from timm.models import load_checkpoint

    averaged = f"{key}_ema"
    loading, model = loaded({key: PLAIN, averaged: MEAN, "arch": "vit"}, tmp_path)
    theirs = base()
    load_checkpoint(theirs, str(tmp_path / "w.pth"))
    assert is_filled(model, theirs.state_dict())
    assert is_filled(model, MEAN)
    (note,) = loading.notes
    assert f"those under the key '{averaged}' were taken; others are under the key '{key}'" in note


@pytest.mark.parametrize(
    ("held", "wrapper", "others"),
    [
        ({"model": PLAIN, "ema": MEAN}, "model", ("under the key 'ema'",)),
        ({"student": behind("m.", PLAIN), "teacher": behind("b.", MEAN)}, "teacher", ("under the key 'student'",)),
        ({"folds": [PLAIN, MEAN]}, "folds.0", ("under the key 'folds.1'",)),
        ({"net": {**behind("q.", PLAIN), **behind("k.", MEAN)}}, "net", ("behind the prefix 'k.'",)),
        ({"net": {**behind("q.", PLAIN), **behind("ema.", MEAN)}}, "net", ("behind the prefix 'q.'",)),
        ({"student": weights(embed_dim=96), "wider": PLAIN}, "wider", ()),
        ({"generator": PLAIN, "head": {"head.weight": torch.ones(3, 48)}}, "generator", ()),
    ],
    ids=["ema", "distillation", "folds", "two encoders", "prefixed mean", "another width", "a small part"],
)
def test_other_sets_that_fit_are_named(
    held: dict[str, Any], wrapper: str, others: tuple[str, ...], tmp_path: Path
) -> None:
    loading, _ = loaded(held, tmp_path)
    assert (loading.wrapper, loading.others) == (wrapper, others)
    assert bool(loading.notes) == bool(others)
    assert all(other in loading.notes[0] for other in others)


IN_ONE_DICT = {
    "two prefixes": ("model.", "ema."),
    "a wrapper within": ("model.", "ema_model.module."),
    "beside each other": ("net.plain.", "net.ema."),
    "plain at the top": ("", "ema."),
    "averaged at the top": ("student.", ""),
    "backbones": ("model.backbone.", "teacher.backbone."),
}
"""Prefixes of plain and averaged weights in one dict. Without a choice, the averaged ones are taken."""


@pytest.mark.parametrize(("plain", "mean"), IN_ONE_DICT.values(), ids=IN_ONE_DICT)
def test_of_two_sets_in_one_dict_neither_answers_for_the_names_of_the_other(
    plain: str, mean: str, tmp_path: Path
) -> None:
    held = {"state_dict": {**behind(plain, PLAIN), **behind(mean, MEAN)}}
    loading, model = loaded(held, tmp_path)
    assert is_filled(model, MEAN)
    assert (loading.missing, loading.unexpected, loading.mismatches) == ((), (), ())
    (note,) = loading.notes
    assert (f"others are behind the prefix '{plain}'" if plain else "others are without a prefix") in note
    assert not mean or f"behind the prefix '{mean}' were taken" in note
    for prefix, tensors in ((plain, PLAIN), (mean, MEAN)):
        chosen_one, filled = loaded(held, tmp_path, prefix=prefix)
        assert is_filled(filled, tensors)
        assert (chosen_one.missing, chosen_one.unexpected, chosen_one.notes) == ((), (), ())


def test_what_belongs_to_neither_of_two_sets_is_still_unexpected(tmp_path: Path) -> None:
    """The counter of torch's AveragedModel goes with its set; a tensor beside both and one in the set do not."""
    extra = torch.ones(1)
    held = {
        **behind("model.", {**PLAIN, "decoder.weight": extra}),
        **behind("ema_model.", {**behind("module.", MEAN), "n_averaged": extra}),
        "queue": extra,
    }
    loading, _ = loaded(held, tmp_path, prefix="model")
    assert sorted(loading.unexpected) == ["decoder.weight", "queue"]
    averaged, _ = loaded(held, tmp_path)
    assert sorted(averaged.unexpected) == ["n_averaged", "queue"]


def test_a_set_that_lacks_most_names_of_the_model_is_no_rival_and_its_names_are_unexpected(tmp_path: Path) -> None:
    few = {name: each for name, each in MEAN.items() if name.startswith("head.")}
    loading, model = loaded({**behind("model.", PLAIN), **behind("ema.", few)}, tmp_path)
    assert is_filled(model, PLAIN)
    assert {name.rpartition(".")[2] for name in loading.unexpected} == {"weight", "bias"}
    assert loading.notes == ()


def test_a_key_and_a_prefix_of_the_spec_decide(tmp_path: Path) -> None:
    held = {"a": {**behind("student.", PLAIN), **behind("teacher.", MEAN)}, "b": MEAN}
    loading, model = loaded(held, tmp_path, key="a", prefix="student")
    assert (loading.wrapper, loading.prefixes, loading.notes) == ("a", ("student.",), ())
    assert is_filled(model, PLAIN)
    assert loading.unexpected == ()


@pytest.mark.parametrize(
    ("choice", "place", "message"),
    [
        (
            {"key": "emma"},
            "key",
            "no weights under the key 'emma'; there are some under model, ema; did you mean 'ema'?",
        ),
        ({"prefix": "nte"}, "prefix", "no name that begins with 'nte.'; they begin with net.; did you mean 'net.'?"),
    ],
)
def test_a_key_or_a_prefix_that_is_not_there_is_an_error(
    choice: dict[str, str], place: str, message: str, tmp_path: Path
) -> None:
    held = {"model": behind("net.", {"weight": torch.ones(2)}), "ema": behind("net.", {"weight": torch.ones(2)})}
    with pytest.raises(SubjectError) as caught:
        loaded(held, tmp_path, **choice)
    assert caught.value.path == f"model.checkpoint.{place}"
    assert message in str(caught.value)


def test_weights_of_another_dtype_are_noted(tmp_path: Path) -> None:
    loading, _ = loaded({name: each.half() for name, each in PLAIN.items()}, tmp_path)
    assert loading.dtypes == {"float16": len(PLAIN)}
    assert loading.notes == ("w.pth holds weights of float16; in the model they are float32",)


def test_moments_of_an_optimizer_are_no_weights(tmp_path: Path) -> None:
    model = base()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3, 32, 32)).sum().backward()
    optimizer.step()
    loading, _ = loaded({"optimizer": optimizer.state_dict(), "sd": model.state_dict()}, tmp_path)
    assert (loading.wrapper, loading.others) == ("sd", ())


def test_an_attribute_in_place_of_a_method_is_not_called() -> None:
    """A pickle can give an OrderedDict attributes, which go before its methods."""
    state = base().state_dict()
    state.__dict__.update(items=3, keys=4, values=5, _metadata={"": "no mapping"})
    (top,) = found(state)
    assert len(top.tensors) == len(PLAIN)
    assert top.versions == {}


@pytest.mark.parametrize(("version", "lacking"), [(None, 0), (1, 0), (2, 1)], ids=["no version", "old", "new"])
def test_counters_that_torch_fills_are_not_missing(version: int | None, lacking: int, tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    state = model.state_dict()
    del state["1.num_batches_tracked"]
    state._metadata["1"] = {"version": version}
    loading, _ = loaded(state, tmp_path, model)
    theirs = model.load_state_dict(state, strict=False).missing_keys
    assert (list(loading.missing), len(loading.missing)) == (theirs, lacking)
    assert loading.model_elements - loading.loaded_elements == lacking


def test_coverage_names_what_was_dropped(tmp_path: Path) -> None:
    from retspec.checks.checkpoint.checkpoint_coverage import checkpoint_coverage

    loading, _ = loaded({**PLAIN, "pos_embed": torch.ones(1, 12, 48)}, tmp_path)
    observed = checkpoint_coverage.function(Checkpoint(loading=loading, nonfinite=(), compared=0, altered=()))
    assert observed.details["of another shape"] == ["pos_embed: (1, 12, 48) in the file, (1, 17, 48) here"]


SPEC = """
retspec: 1
model:
  timm: vit_tiny_patch16_224
  kwargs: {img_size: 32, patch_size: 8, embed_dim: 48, depth: 2, num_heads: 2, num_classes: 3}
  checkpoint: {file: w.pth%s}
checks: {checkpoint_coverage: 1}
"""


@pytest.mark.parametrize(("more", "notes"), [("", 1), (", key: ema", 0)])
def test_a_subject_tells_the_choice_whatever_is_asked(more: str, notes: int, tmp_path: Path) -> None:
    torch.save({"sd": PLAIN, "ema": MEAN}, tmp_path / "w.pth")
    (tmp_path / "spec.yaml").write_text(SPEC % more)
    plan, _ = prepare(tmp_path / "spec.yaml", entry_points=False)
    catalog, told = gather(entry_points=False), list[str]()
    made = Subject(
        plan.spec,
        model_sources=catalog.model_sources,
        data_sources=catalog.data_sources,
        weights=True,
        note=told.extend,
    )
    assert isinstance(made.loaded, Loaded)
    assert len(told) == notes
    assert weights_in(made.checkpoint_file, PLAIN).wrapper == "ema"
