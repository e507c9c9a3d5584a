"""Shards of webdataset: what is listed of them, and what is said of those that are not as they should be."""

from __future__ import annotations

import gzip
import json
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from retspec.errors import SubjectError
from retspec.measurements.images import images
from retspec.measurements.splits import splits
from retspec.regular_files import read_content
from retspec.subjects.data.images import take_images
from retspec.subjects.data.sources.webdataset_data import WebDataset, webdataset
from retspec.subjects.data.tars.braces import TooManyNamesError, expanded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from retspec.facts import Dataset


def photo(number: int) -> bytes:
    Image.new("RGB", (4, 4), (number, 0, 0)).save(buffer := BytesIO(), "PNG")
    return buffer.getvalue()


def shard(path: Path, members: Mapping[str, bytes | str]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            held = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(held)
            archive.addfile(entry, BytesIO(held))
    return path


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    for number in range(2):
        first = 2 * number
        members: dict[str, bytes | str] = {}
        for at in range(first, first + 2):
            members[f"{at}_left.png"] = photo(at)
            members[f"{at}_left.cls"] = f"{at % 2}\n"
            members[f"{at}_left.json"] = json.dumps(
                {"patient": {"id": f"P{at:02d}"}, "N": at % 2 == 0, "D": 1, "age": None}
            )
        shard(tmp_path / f"train-{number:06d}.tar", members)
    patient = json.dumps({"patient": {"id": 9}})
    shard(tmp_path / "val-000000.tar", {"9_right.PNG": photo(9), "9_right.cls": "0", "9_right.json": patient})
    return tmp_path


def read(folder: Path, **options: Any) -> Dataset:
    return webdataset(WebDataset(**{"train": "train-{000000..000001}.tar", **options}), folder)


def refusal(folder: Path, **options: Any) -> tuple[str, str | None]:
    with pytest.raises(SubjectError) as caught:
        read(folder, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value), caught.value.path


# What is listed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.tar", ["a.tar"]),
        ("a-{000..002}.tar", ["a-000.tar", "a-001.tar", "a-002.tar"]),
        ("a-{8..10}", ["a-8", "a-9", "a-10"]),
        ("{08..10}", ["08", "09", "10"]),
        ("{0..4..2}", ["0", "2", "4"]),
        ("{2..0}", ["2", "1", "0"]),
        ("{a,b}-{0..1}.tar", ["a-0.tar", "a-1.tar", "b-0.tar", "b-1.tar"]),
        ("{a}.tar", ["{a}.tar"]),
        ("{}", ["{}"]),
    ],
)
def test_braces_stand_for_what_they_do_in_a_shell(pattern: str, names: list[str]) -> None:
    assert expanded(pattern) == names


@pytest.mark.parametrize("pattern", ["{0..100000}", "{0..999}{0..999}", "{0..99999999999999999999}"])
def test_a_pattern_of_too_many_names_is_not_expanded(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(TooManyNamesError):
        expanded(pattern)
    assert "stands for more than 100,000 shards" in refusal(tmp_path, train=pattern)[0]


def test_every_sample_of_every_shard_is_an_example(shards: Path) -> None:
    dataset = read(shards, val="val-000000.tar", group="json.patient.id")
    assert [(each.file, each.label, each.group) for each in dataset.first.examples] == [
        (f"train-{at // 2:06d}.tar/{at}_left.png", at % 2, f"p{at}") for at in range(4)
    ]
    assert [(each.file, each.group) for each in dataset.splits["val"].examples] == [("val-000000.tar/9_right.PNG", "9")]
    assert dataset.notes == ()
    assert read(shards).notes == ("no split reads val-000000.tar, beside the shards that are named.",)


def test_the_bytes_of_an_image_are_read_as_they_are_stored(shards: Path) -> None:
    from torchvision.transforms.functional import to_tensor

    dataset = read(shards)
    assert [read_content(dataset.content(file), 10**6) for _, file, _ in dataset.files()] == [*map(photo, range(4))]
    found = images.function(dataset, lambda *_: None)
    assert (found.listed, found.decoded, found.corrupt) == (4, 4, ())
    assert splits.function(dataset).absent == 0
    inputs, targets = take_images(dataset, to_tensor, 4, 0)
    assert (inputs.shape, sorted(targets.tolist())) == ((4, 3, 4, 4), [0, 0, 1, 1])


def test_labels_may_be_fields_of_json_and_several(shards: Path) -> None:
    dataset = read(shards, label=["json.N", "json.D"])
    assert dataset.first.classes == {"N": 0, "D": 1}
    assert [each.label for each in dataset.first.examples] == [(1, 1), (0, 1), (1, 1), (0, 1)]
    assert [each.label for each in read(shards, label="json.N").first.examples] == [1, 0, 1, 0]


def test_samples_without_a_group_are_noted(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": photo(1), "1.cls": "0", "1.json": '{"p": 7}', "2.png": photo(2), "2.cls": "1"})
    dataset = read(tmp_path, train="a.tar", group="json.p")
    assert [each.group for each in dataset.first.examples] == ["7", None]
    assert dataset.notes == ("train: 1 of 2 samples have no json.p.",)


def test_a_sample_may_have_several_images(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.left.jpg": photo(1), "1.right.png": photo(2), "1.cls": "0"})
    dataset = read(tmp_path, train="a.tar", image={"left": "left.jpg", "right": "right.jpg;right.png"})
    (example,) = dataset.first.examples
    assert (example.files, dataset.inputs) == (("a.tar/1.left.jpg", "a.tar/1.right.png"), ("left", "right"))


def test_a_sample_without_its_image_is_a_missing_file(tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": photo(1), "1.cls": "0", "2.cls": "1", "README": "no sample", "__x__": "meta"})
    dataset = read(tmp_path, train="a.tar", image="png")
    assert splits.function(dataset).missing == ("a.tar/2.png",)
    found = images.function(dataset, lambda *_: None)
    assert (found.listed, found.read) == (2, 1)


def test_a_split_without_labels_has_files_and_no_classes(shards: Path) -> None:
    shard(shards / "test.tar", {"1.png": photo(77)})
    dataset = read(shards, test="test.tar", label="cls")
    assert not dataset.splits["test"].has_labels
    assert "test: no sample has a file `cls`: checks of labels give no verdict on it." in dataset.notes


# What is said of bad ones -------------------------------------------------------------------------


def test_shards_that_are_not_there_are_named_beside_those_that_are(shards: Path) -> None:
    text, path = refusal(shards, train="train-{000000..000003}.tar")
    assert "2 of 4 shards are not there: train-000002.tar, train-000003.tar; there are train-000000.tar" in text
    assert path == "data.webdataset.train"
    assert "there are none" in refusal(shards, train="nowhere/a.tar")[0]
    assert "names no shard" in refusal(shards, train=[])[0]
    assert (
        "names train-000000.tar twice" in refusal(shards, train=["train-000000.tar", "./train-{000000..000001}.tar"])[0]
    )


@pytest.mark.parametrize("url", ["pipe:curl x", "https://host/a.tar", "s3://bucket/{0..3}.tar"])
def test_a_shard_elsewhere_is_refused_and_no_command_is_run(url: str, tmp_path: Path) -> None:
    assert "is not on this machine; name local shards" in refusal(tmp_path, train=url)[0]


def test_every_truncation_of_a_shard_is_noticed(shards: Path) -> None:
    path = shards / "val-000000.tar"
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        end = max(member.offset_data + 512 for member in archive)
    for size in [*range(0, end + 512, 128)]:
        path.write_bytes(whole[:size])
        assert "val-000000.tar" in refusal(shards, val="val-000000.tar")[0]
    path.write_bytes(whole[: end + 512])
    assert len(read(shards, val="val-000000.tar").splits["val"].examples) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "a.tar is empty"),
        (gzip.compress(b"x", mtime=0), "a.tar is compressed, so that its images cannot be read one by one"),
        (b"<html>404</html>", "a.tar is no tar archive: it is a page of HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"\x89PNG" + bytes(2000), "a.tar is no tar archive: it is an image (PNG)"),
    ],
)
def test_what_is_no_tar_is_named_for_what_it_is(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    assert reason in refusal(tmp_path, train="a.tar")[0]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"a.png": b"", "b.png": b"", "a.cls": b"0"}, "the files of 'a' are not side by side"),
        ({"a.png": b"", "a.PNG": b""}, "a.tar holds 'a.PNG' twice, which webdataset refuses"),
    ],
)
def test_what_webdataset_makes_no_samples_of_is_refused(
    members: dict[str, bytes | str], reason: str, tmp_path: Path
) -> None:
    shard(tmp_path / "a.tar", members)
    assert reason in refusal(tmp_path, train="a.tar")[0]


@pytest.mark.parametrize(
    ("options", "reason", "place"),
    [
        ({"label": "pyd"}, "'pyd' is binary, or a pickle, which runs code", "label"),
        ({"group": "meta.pickle"}, "'meta.pickle' is binary, or a pickle", "group"),
        (
            {"label": "json.grade"},
            "no sample of the first split has `json.grade`; there are `png`, `cls`, `json`",
            "label",
        ),
        ({"label": "json.patient"}, "'patient' is a dict, not one value", "label"),
        ({"group": "json.age", "val": "val-000000.tar"}, "no sample of train has json.age", "group"),
        ({"group": "json.nobody"}, "no sample of train has json.nobody", "group"),
        ({"image": ""}, "name the extension of the images", "image"),
    ],
)
def test_a_file_of_a_sample_that_says_nothing_is_named(
    options: dict[str, Any], reason: str, place: str, shards: Path
) -> None:
    text, path = refusal(shards, **options)
    assert reason in text
    assert path == f"data.webdataset.{place}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"{", "a.tar/1.json is no JSON"), (b" " * 2**21, "a.tar/1.json is no label: it has 2,097,152 bytes")],
)
def test_a_file_of_json_that_is_none_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    shard(tmp_path / "a.tar", {"1.png": photo(1), "1.json": content})
    assert reason in refusal(tmp_path, train="a.tar", label="json.grade")[0]


def test_no_damage_of_a_shard_is_more_than_an_error_in_one_line(shards: Path) -> None:
    path = shards / "val-000000.tar"
    whole = path.read_bytes()
    lines: list[str] = []
    for place in range(0, 3000, 13):
        path.write_bytes(whole[:place] + b"\xff\x00" + whole[place + 2 :])
        try:
            read(shards, val="val-000000.tar")
        except SubjectError as error:
            lines.append(str(error))
    assert lines
    assert not any("\n" in line for line in lines)
