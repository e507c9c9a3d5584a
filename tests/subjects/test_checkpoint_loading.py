"""What a checkpoint fills, what it leaves, and that it is told to the last element."""

from __future__ import annotations

import os
import struct
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from retspec.errors import SubjectError
from retspec.facts import ShapeMismatch
from retspec.plugins.catalog import gather
from retspec.prepare import prepare
from retspec.subjects.checkpoints import find, load_into
from retspec.subjects.subject import Subject
from tests.tiny import base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from retspec.facts import Loading

SPEC = """
retspec: 1
model:
  timm: vit_tiny_patch16_224
  kwargs: {img_size: 32, patch_size: 8, embed_dim: 48, depth: 2, num_heads: 2, num_classes: 3}
  checkpoint: weights/w.pth
  lora: {r: 4, target_modules: [qkv], modules_to_save: [head]}
checks: {max_trainable_params: 10_000, merge_atol: 1e-3}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "w.pth"


def other(**kwargs: Any) -> dict[str, Tensor]:
    """Weights of the tiny ViT that a fresh one does not have."""
    torch.manual_seed(1)
    return {name: torch.randn_like(tensor) for name, tensor in base(**kwargs).state_dict().items()}


def loaded(file: Path, model: nn.Module | None = None) -> Loading:
    return load_into(model or base(), find(file.name, file.parent))


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


class Creating:
    """What a pickle makes a folder of."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def is_filled(model: nn.Module, tensors: Mapping[str, Tensor]) -> bool:
    state = model.state_dict()
    return all(torch.equal(state[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_every_format_fills_the_model_bit_by_bit(kind: str, file: Path) -> None:
    model, tensors = base(), other()
    if kind == "safetensors":
        save_file(tensors, file)
    else:
        torch.save(tensors, file, _use_new_zipfile_serialization=kind == "zip")
    loading = loaded(file, model)
    assert is_filled(model, tensors)
    assert kind in loading.format or kind == "legacy"
    assert loading.loaded_elements == loading.model_elements == sum(tensor.numel() for tensor in tensors.values())
    assert not [*loading.missing, *loading.unexpected, *loading.mismatches, *loading.unusable, *loading.resampled]


@pytest.mark.parametrize("wrapper", ["model", "state_dict", "teacher", "net", "ema.shadow", ""])
@pytest.mark.parametrize("prefixes", [(), ("module.",), ("backbone.",), ("_orig_mod.",), ("base_model.model.",)])
def test_weights_are_found_under_wrapper_and_prefix(wrapper: str, prefixes: tuple[str, ...], file: Path) -> None:
    model, tensors = base(), other()
    named = prefixed("".join(prefixes), tensors)
    rest = {"epoch": 3, "args": Namespace(lr=1e-3, drop=None), "scaler": {"scale": 1.0}}
    held = named
    for key in reversed(wrapper.split(".") if wrapper else []):
        held = {key: held, **rest}
    torch.save(held, file)
    loading = loaded(file, model)
    assert is_filled(model, tensors)
    assert (loading.wrapper, loading.prefixes) == (wrapper, prefixes)


def test_prefixes_are_taken_off_one_after_the_other(file: Path) -> None:
    model, tensors = base(), other()
    torch.save({"teacher": prefixed("_orig_mod.module.backbone.", tensors)}, file)
    assert loaded(file, model).prefixes == ("_orig_mod.", "module.", "backbone.")
    assert is_filled(model, tensors)


def test_a_prefix_that_belongs_to_the_model_stays(file: Path) -> None:
    model = nn.ModuleDict({"backbone": nn.Linear(2, 2)})
    torch.save(model.state_dict(), file)
    assert loaded(file, model).prefixes == ()


def test_two_names_never_become_one(file: Path) -> None:
    torch.save({"weight": torch.ones(2, 2), "module.weight": torch.zeros(2, 2)}, file)
    model = nn.Linear(2, 2)
    assert loaded(file, model).unexpected == ("module.weight",)
    assert model.weight.eq(1).all()


def test_of_several_wrappers_the_one_that_fits_is_taken(file: Path) -> None:
    model, tensors = base(), other()
    torch.save({"model": {"decoder.weight": torch.ones(2)}, "teacher": tensors}, file)
    assert loaded(file, model).wrapper == "teacher"
    assert is_filled(model, tensors)


def test_what_is_left_is_told(file: Path) -> None:
    tensors = other(num_classes=1000)
    tensors["decoder.weight"] = torch.ones(2)
    del tensors["norm.weight"]
    torch.save(tensors, file)
    model = base()
    before = model.head.weight.clone()
    loading = loaded(file, model)
    assert loading.missing == ("norm.weight",)
    assert loading.unexpected == ("decoder.weight",)
    assert loading.mismatches == (
        ShapeMismatch(name="head.weight", in_file=(1000, 48), in_model=(3, 48)),
        ShapeMismatch(name="head.bias", in_file=(1000,), in_model=(3,)),
    )
    assert torch.equal(model.head.weight, before)
    assert loading.model_elements - loading.loaded_elements == 48 + 3 * 48 + 3
    modules = {each.name: (each.elements, each.loaded) for each in loading.modules}
    assert [*modules] == ["cls_token", "pos_embed", "patch_embed", "blocks.0", "blocks.1", "norm", "head"]
    assert modules["head"] == (3 * 48 + 3, 0)
    assert modules["blocks.0"] == (modules["blocks.0"][0], modules["blocks.0"][0])
    assert tuple(map(sum, zip(*modules.values(), strict=True))) == (loading.model_elements, loading.loaded_elements)


def test_quantized_numbers_are_not_taken_for_weights(file: Path) -> None:
    tensors = other()
    tensors["head.weight"] = torch.ones(3, 48, dtype=torch.int8)
    torch.save(tensors, file)
    assert loaded(file).unusable == ("head.weight (int8 for float32)",)


def test_weights_take_the_dtype_of_the_model(file: Path) -> None:
    tensors = other()
    torch.save({name: tensor.bfloat16() for name, tensor in tensors.items()}, file)
    model = base()
    loaded(file, model)
    assert torch.equal(model.head.weight, tensors["head.weight"].bfloat16().float())


def test_tied_weights_are_filled_by_one_name(file: Path) -> None:
    model = nn.ModuleDict({"inner": nn.Linear(3, 3), "outer": nn.Linear(3, 3)})
    model["outer"].weight = model["inner"].weight
    tensors = {"inner.weight": torch.ones(3, 3), "inner.bias": torch.ones(3), "outer.bias": torch.ones(3)}
    torch.save(tensors, file)
    loading = loaded(file, model)
    assert (loading.missing, loading.loaded_elements, loading.model_elements) == ((), 15, 15)


@pytest.mark.parametrize("wrapper", [None, "model"])
def test_position_embeddings_are_resampled_as_timm_does_it(wrapper: str | None, file: Path) -> None:
    from timm.models.vision_transformer import checkpoint_filter_fn

    tensors = other(img_size=64)
    torch.save({wrapper: tensors} if wrapper else tensors, file)
    model = base()
    loading = loaded(file, model)
    assert loading.resampled == ("pos_embed",)
    assert (loading.mismatches, loading.missing) == ((), ())
    assert torch.equal(model.pos_embed, checkpoint_filter_fn(dict(tensors), base())["pos_embed"])


def test_a_class_derived_from_timms_is_converted_too(file: Path) -> None:
    class Derived(type(base())):  # type: ignore[misc] - as RETFound derives its own
        pass

    model = base()
    model.__class__ = Derived
    torch.save(other(img_size=64), file)
    assert loaded(file, model).resampled == ("pos_embed",)


def test_what_timm_drops_in_converting_is_unexpected(file: Path) -> None:
    """A pre-training file has a mask token; timm drops it in silence."""
    torch.save({**other(img_size=64), "mask_token": torch.zeros(1, 1, 48)}, file)
    loading = loaded(file)
    assert (loading.resampled, loading.unexpected) == (("pos_embed",), ("mask_token",))


def test_weights_of_another_model_are_an_error(file: Path) -> None:
    torch.save({f"layer{i}.conv.weight": torch.ones(2) for i in range(296)}, file)
    with pytest.raises(
        SubjectError, match=r"none of its 296 tensors fits; the file has keys like layer0\.conv\.weight, "
    ):
        loaded(file)


def test_a_file_that_changes_while_it_is_read_is_an_error(file: Path) -> None:
    torch.save(other(), file)
    found = find(file.name, file.parent)
    os.utime(file, ns=(1, 1))
    with pytest.raises(SubjectError, match="changed while it was read"):
        load_into(base(), found)
    with pytest.raises(SubjectError, match="changed while it was read"):
        found.sha256()


def test_a_broken_conversion_is_not_the_end(file: Path) -> None:
    """timm asserts on a position embedding that is no square; it stays unfit, and the rest is loaded."""
    tensors = {**other(), "pos_embed": torch.randn(1, 12, 48)}
    torch.save(tensors, file)
    assert [mismatch.name for mismatch in loaded(file).mismatches] == ["pos_embed"]


def test_others_may_still_allow_what_we_allow(file: Path) -> None:
    torch.save({**other(), "args": Namespace()}, file)
    with torch.serialization.safe_globals([Namespace]):
        loaded(file)
        assert Namespace in torch.serialization.get_safe_globals()


def test_what_others_allow_is_not_allowed_to_a_checkpoint(file: Path, tmp_path: Path) -> None:
    """A training script may allow classes of its own; a stranger's file must not call them."""
    torch.save({**other(), "made": Creating(tmp_path / "ran")}, file)
    with torch.serialization.safe_globals([(os.mkdir, "posix.mkdir"), os.mkdir]):
        with pytest.raises(SubjectError, match=r"asks for posix\.mkdir"):
            loaded(file)
        assert os.mkdir in torch.serialization.get_safe_globals()
    assert not (tmp_path / "ran").exists()


def test_a_replaced_torch_load_is_not_asked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.load = partial(torch.load, weights_only=False)` is in many scripts that were written for torch 2.5."""
    torch.save(other(), file)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was asked"))
    loaded(file)


def test_an_archive_of_half_a_million_entries_is_refused_before_they_are_read(file: Path) -> None:
    entries, directory = 500_000, 500_000 * 50
    with file.open("wb") as stream:
        stream.write(b"PK\3\4" + b"\0" * 96)
        stream.truncate(100 + directory)
        stream.seek(0, os.SEEK_END)
        at = stream.tell()
        stream.write(struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, directory, 100))
        stream.write(struct.pack("<4sLQL", b"PK\6\7", 0, at, 1))
        stream.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
    with pytest.raises(SubjectError, match="its zip archive has 500,000 entries, and no model has so many tensors"):
        loaded(file)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of the process is read from /proc")
@pytest.mark.parametrize("kind", ["safetensors", "zip"])
def test_loading_takes_no_memory_beside_the_model(kind: str, file: Path) -> None:
    model = nn.Sequential(*(nn.Linear(1500, 1500, bias=False) for _ in range(10)))
    tensors = {name: tensor * 2 for name, tensor in model.state_dict().items()}
    save_file(tensors, file) if kind == "safetensors" else torch.save(tensors, file)
    del tensors
    before = _anonymous_memory()
    loaded(file, model)
    assert _anonymous_memory() - before < 15  # MB; the model has 90


def subject(folder: Path, *, weights: bool) -> Subject:
    path = folder / "spec.yaml"
    path.write_text(SPEC)
    plan, _ = prepare(path, entry_points=False)
    catalog = gather(entry_points=False)
    return Subject(plan.spec, model_sources=catalog.model_sources, data_sources=catalog.data_sources, weights=weights)


def test_a_subject_is_filled_before_it_is_wrapped(tmp_path: Path) -> None:
    tensors = other()
    (tmp_path / "weights").mkdir()
    torch.save({"model": tensors}, tmp_path / "weights" / "w.pth")
    made = subject(tmp_path, weights=True)
    loading = made.loaded.loading
    assert loading.loaded_elements == loading.model_elements
    state = made.model.state_dict()
    layer = "base_model.model.blocks.0.attn.qkv.base_layer.weight"
    assert torch.equal(state[layer].cpu(), tensors["blocks.0.attn.qkv.weight"])
    head = "base_model.model.head.modules_to_save.default.weight"
    assert torch.equal(state[head].cpu(), tensors["head.weight"])
    assert len(made.checkpoint_sha256) == 64


def test_a_subject_without_weights_reads_no_checkpoint(tmp_path: Path) -> None:
    made = subject(tmp_path, weights=False)
    assert made.skeleton.module is not None
    assert made.checkpoint_sha256 == ""


def _anonymous_memory() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) // 1024
