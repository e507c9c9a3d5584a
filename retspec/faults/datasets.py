"""Faults of a dataset: what its lists say, and what lies on the disk. No file of the user's is touched."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec.structs import replace

from retspec.errors import DoesNotApply
from retspec.faults import Frequency, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from retspec.facts import Dataset, Example, Split


def _split_of(dataset: Dataset, place: int) -> tuple[str, Split]:
    """Return the name and the split at a place of the list; raises DoesNotApply for none, or an empty one."""
    if len(dataset.splits) <= place:
        raise DoesNotApply(f"the data has {len(dataset.splits)} split{'s' * (len(dataset.splits) != 1)}")
    name, split = [*dataset.splits.items()][place]
    if not split.examples:
        raise DoesNotApply(f"the split {name!r} is empty")
    return name, split


def _with_first(dataset: Dataset, place: int, change: Callable[[Example], Example]) -> Dataset:
    """Return a dataset whose first example of a split is another."""
    name, split = _split_of(dataset, place)
    first, *others = split.examples
    return replace(dataset, splits={**dataset.splits, name: replace(split, examples=(change(first), *others))})


def _with_more(dataset: Dataset, place: int, more: Example) -> Dataset:
    """Return a dataset in which a split has one more example."""
    name, split = _split_of(dataset, place)
    return replace(dataset, splits={**dataset.splits, name: replace(split, examples=(*split.examples, more))})


@contextmanager
def _another_file(dataset: Dataset, place: int, write: Callable[[bytes, Path], None]) -> Iterator[Dataset]:
    """Give the first example of a split another file, made from the bytes of its own, for as long as that is needed."""
    _, split = _split_of(dataset, place)
    content = dataset.content(split.examples[0].file)
    if not isinstance(content, Path):
        raise DoesNotApply("the images are stored inside of other files")
    try:
        own = content.read_bytes()
    except OSError as error:
        raise DoesNotApply(f"the first image of the data cannot be read: {error.strerror}") from error
    with TemporaryDirectory(prefix="retspec-fault-") as folder:
        path = Path(folder, content.name)
        write(own, path)
        yield _with_first(dataset, place, lambda example: replace(example, file=str(path)))


@fault(families="data", noticed_by="split_leakage", frequency=Frequency.OFTEN)
def patient_in_two_splits(dataset: Dataset) -> Dataset:
    """A patient of the training is in another split, too."""
    _, training = _split_of(dataset, 0)
    group = next((example.group for example in training.examples if example.group), None)
    if group is None:
        raise DoesNotApply("the data names no patients")
    return _with_first(dataset, 1, lambda example: replace(example, group=group))


@fault(families="data", noticed_by="split_leakage duplicate_images", frequency=Frequency.OFTEN)
def image_in_two_splits(dataset: Dataset) -> Dataset:
    """An image of the training is listed in another split, too."""
    _, training = _split_of(dataset, 0)
    return _with_more(dataset, 1, training.examples[0])


@fault(families="data", noticed_by="near_duplicate_images", frequency=Frequency.SOMETIMES)
def image_saved_again(dataset: Dataset) -> Iterator[Dataset]:
    """An image of the training was resized, saved as JPEG, and is in another split, too."""
    from PIL import Image, UnidentifiedImageError

    _, training = _split_of(dataset, 0)
    first = training.examples[0]

    def write(_own: bytes, path: Path) -> None:
        try:
            with Image.open(dataset.path(first)) as image:
                smaller = image.convert("RGB").resize((max(image.width * 3 // 4, 8), max(image.height * 3 // 4, 8)))
        except (OSError, UnidentifiedImageError) as error:
            raise DoesNotApply(f"the first image of the data cannot be read: {error}") from error
        smaller.save(path, format="JPEG", quality=90)

    with _another_file(dataset, 1, write) as changed:
        yield changed


@fault(families="data", noticed_by="missing_files", frequency=Frequency.OFTEN)
def image_missing(dataset: Dataset) -> Dataset:
    """A listed image is not on the disk."""
    return _with_first(dataset, 0, lambda example: replace(example, file=f"{example.file}.missing"))


@fault(families="data", noticed_by="corrupt_images", frequency=Frequency.OFTEN)
def image_truncated(dataset: Dataset) -> Iterator[Dataset]:
    """The file of an image ends in its middle, as a copy does that was cut short."""
    with _another_file(dataset, 0, lambda own, path: _write(path, own[: len(own) // 2])) as changed:
        yield changed


@fault(families="data", noticed_by="blank_images", frequency=Frequency.SOMETIMES)
def image_blank(dataset: Dataset) -> Iterator[Dataset]:
    """An image is black from edge to edge."""
    from PIL import Image

    def write(_own: bytes, path: Path) -> None:
        Image.new("RGB", (64, 64)).save(path, format="PNG")

    with _another_file(dataset, 0, write) as changed:
        yield changed


@fault(families="data", noticed_by="labels_out_of_range", frequency=Frequency.OFTEN)
def labels_from_one(dataset: Dataset) -> Dataset:
    """The labels of the training count from one."""
    name, training = _split_of(dataset, 0)
    examples = tuple(replace(each, label=each.label + 1) for each in training.examples if isinstance(each.label, int))
    if len(examples) < len(training.examples):
        raise DoesNotApply("the labels are not one class index for each image")
    classes = {each: index + 1 for each, index in training.classes.items()}
    return replace(dataset, splits={**dataset.splits, name: replace(training, examples=examples, classes=classes)})


@fault(families="data", noticed_by="class_map_mismatch", frequency=Frequency.SOMETIMES)
def classes_reordered(dataset: Dataset) -> Dataset:
    """Another split numbers the classes in another order."""
    name, other = _split_of(dataset, 1)
    if len(other.classes) < len(("one", "another")):
        raise DoesNotApply(f"the split {name!r} defines no two classes")
    names = [*other.classes]
    classes = dict(zip(names, (other.classes[each] for each in reversed(names)), strict=True))
    examples = tuple(replace(each, label=classes.get(each.class_name, each.label)) for each in other.examples)
    return replace(dataset, splits={**dataset.splits, name: replace(other, examples=examples, classes=classes)})


@fault(families="data", noticed_by="min_class_count max_class_imbalance", frequency=Frequency.SOMETIMES)
def class_lost(dataset: Dataset) -> Dataset:
    """All images of a class but one are left out of the training."""
    name, training = _split_of(dataset, 0)
    names = [*dict.fromkeys(example.class_name for example in training.examples)]
    kept = next((each for each in training.examples if each.class_name == names[-1]), None)
    examples = tuple(each for each in training.examples if each.class_name != names[-1] or each is kept)
    if len(names) == 1 or len(examples) == len(training.examples):
        raise DoesNotApply("no class of the training has two images beside another class")
    return replace(dataset, splits={**dataset.splits, name: replace(training, examples=examples)})


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
