"""Tables as they come: what is recognised in their bytes, what is noted, and what is refused with what to do."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import zipfile
from typing import TYPE_CHECKING

import pytest

from retspec.checks.data.missing_files import missing_files
from retspec.errors import SubjectError
from retspec.measurements.splits import splits
from retspec.subjects.data.folders import Folders
from retspec.subjects.data.sources.csv_files import Tables, csv

if TYPE_CHECKING:
    from pathlib import Path

    from retspec.facts import Dataset

ROWS = [("a", 0), ("b", 1)]
CSV = "id_code,diagnosis\na,0\nb,1\n"


def read(folder: Path, name: str = "train.csv", **options: object) -> Dataset:
    settings = {"train": name, "image_column": "id_code", "label_column": "diagnosis", **options}
    return csv(Tables(**settings), folder)  # type: ignore[arg-type]


def refused(folder: Path, name: str = "train.csv", **options: object) -> tuple[str, str]:
    with pytest.raises(SubjectError) as refusal:
        read(folder, name, **options)
    return refusal.value.path, str(refusal.value)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (CSV.encode("utf-8-sig"), ""),
        (CSV.replace("\n", "\r\n").encode(), ""),
        (CSV.replace("\n", "\r").encode(), ""),
        (b'"id_code","diagnosis"\n"a","0"\n"b","1"\n', ""),
        (gzip.compress(CSV.encode(), mtime=0), ""),
        (CSV.replace(",", ";").encode(), "train.csv is read with semicolons between its cells."),
        (b"sep=;\n" + CSV.replace(",", ";").encode(), "train.csv is read with semicolons between its cells."),
        (CSV.replace(",", "\t").encode(), "train.csv is read with tabs between its cells."),
        (CSV.replace(",", "|").encode(), "train.csv is read with bars between its cells."),
        (CSV.replace(",", "  ").encode(), "train.csv is read with blanks between its cells."),
        (CSV.encode("utf-16"), "train.csv is read as UTF-16."),
        (CSV.encode("utf-16-le"), "train.csv is read as UTF-16-LE."),
        (CSV.encode("utf-16-be"), "train.csv is read as UTF-16-BE."),
        (CSV.encode("utf-32"), "train.csv is read as UTF-32."),
        (
            CSV.replace("sis\n", "sis,\u00c4rztin\n").encode("latin-1"),
            "train.csv is not UTF-8; the columns in use are ASCII, in which encodings agree.",
        ),
        ("".join(f'{{"id_code": "{name}", "diagnosis": {grade}}}\n' for name, grade in ROWS).encode(), ""),
        (json.dumps([{"id_code": name, "diagnosis": grade} for name, grade in ROWS], indent=1).encode(), ""),
        (b'{"id_code": {"0": "a", "1": "b"}, "diagnosis": {"0": 0, "1": 1.0}}', ""),
        (b'{"id_code": ["a", "b"], "diagnosis": [0, 1]}', ""),
    ],
)
def test_a_table_is_what_its_bytes_say(content: bytes, note: str, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(content)
    dataset = read(tmp_path)
    assert [(each.file, each.label) for each in dataset.first.examples] == ROWS
    assert dataset.notes == tuple(filter(None, [note]))


def archive(folder: Path, name: str, inner: str) -> None:
    with zipfile.ZipFile(folder / name, "w") as packed:
        packed.writestr(inner, CSV)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><html>404</html>", "it is a page of HTML or XML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "`git lfs pull` fetches it"),
        (pickle.dumps(ROWS), "it is a pickle, which runs code when it is read; save the table as CSV"),
        (b"id_code,diag\0nosis\n", "it is no text, since it has zero bytes"),
        (gzip.compress(CSV.encode(), mtime=0)[:-9], "train.csv is compressed, and damaged or cut off"),
        (b'id_code,diagnosis\na,0\n"b,1\n', "train.csv:3: a quote has no end"),
        (b'{"id_code": "a", "diagnosis": 0}\n{"id_code": \n', "train.csv:2:13: this is not JSON: Expecting value"),
        (b'{"id_code": "a", "diagnosis": 0}\n[1]\n', "train.csv:2: list, not an object in braces"),
        (b"[" * 100_000, "train.csv has no column 'id_code'"),
        (b'{"a":' * 100_000, "this JSON is nested too deep"),
        (b'{"id_code": ["a"], "diagnosis": [1, 2]}', "no list of objects and no columns of equal length"),
    ],
)
def test_what_is_no_table_is_named_in_one_line(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(content)
    path, told = refused(tmp_path)
    assert says in told
    assert path.startswith("data.csv.")
    assert "\n" not in told
    assert ".py:" not in told


def test_an_archive_is_named_with_what_is_in_it(tmp_path: Path) -> None:
    archive(tmp_path, "train.csv", "labels/train.csv")
    assert "it is a zip archive of labels/train.csv; unpack it" in refused(tmp_path)[1]


@pytest.mark.parametrize(
    ("content", "kind"), [(b"PAR1", "Parquet"), (b"ARROW1\0\0", "Arrow"), (None, "an Excel workbook")]
)
def test_a_format_of_the_extra_is_named_whatever_the_suffix(content: bytes | None, kind: str, tmp_path: Path) -> None:
    """With the extra these damaged files cannot be read; without it, the message says how to install it."""
    if content is None:
        archive(tmp_path, "train.csv", "xl/workbook.xml")
    else:
        (tmp_path / "train.csv").write_bytes(content)
    told = refused(tmp_path)[1]
    assert told.startswith(f"train.csv is {kind}, ")
    assert "pip install 'retspec[tables]'" in told or "cannot be read: " in told


def test_a_feather_file_is_read_by_the_extra(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="the extra `tables` is not installed")
    frame = polars.DataFrame({"id_code": ["a", "b"], "diagnosis": [0.0, 1.0]})
    frame.write_ipc(tmp_path / "train.csv")
    assert [(each.file, each.label) for each in read(tmp_path).first.examples] == ROWS


def write_workbook(path: Path, *sheets: str) -> None:
    """Write the least that is a workbook: https://ecma-international.org/publications-and-standards/standards/ecma-376/."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    head = ("id_code", "diagnosis")
    cells = [
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
        for row in (head, *ROWS)
    ]
    named = [f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in enumerate(sheets, 1)]
    links = [
        f'<Relationship Id="r{at}" Type="{related}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at, _ in enumerate(sheets, 1)
    ]
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("[Content_Types].xml", f'<Types xmlns="{kinds}"/>')
        root = f'<Relationship Id="r1" Type="{related}/officeDocument" Target="xl/workbook.xml"/>'
        packed.writestr("_rels/.rels", f'<Relationships xmlns="{packages}">{root}</Relationships>')
        packed.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{related}"><sheets>{"".join(named)}</sheets></workbook>',
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{packages}">{"".join(links)}</Relationships>'
        )
        for at, _ in enumerate(sheets, 1):
            sheet = f'<worksheet xmlns="{main}"><sheetData>{"".join(cells)}</sheetData></worksheet>'
            packed.writestr(f"xl/worksheets/sheet{at}.xml", sheet)


def test_a_workbook_is_read_by_the_extra_and_its_other_sheets_are_named(tmp_path: Path) -> None:
    for name in ("polars", "fastexcel"):
        pytest.importorskip(name, reason="the extra `tables` is not installed")
    write_workbook(tmp_path / "train.csv", "labels", "more")
    dataset = read(tmp_path)
    assert [(each.file, each.label) for each in dataset.first.examples] == ROWS
    assert dataset.notes == ("train.csv: the sheet 'labels' is read; others are more.",)
    assert read(tmp_path, sheet="more", columns=["id_code", "diagnosis"]).first.examples == dataset.first.examples
    assert refused(tmp_path, sheet="gone") == ("data.csv.sheet", "train.csv has no sheet 'gone'; it has labels, more")


def test_cells_beyond_ascii_in_an_unknown_encoding_are_refused_and_read_as_the_spec_says(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(CSV.replace("b,", "\u00e4,").encode("latin-1"))
    path, told = refused(tmp_path)
    assert (path, "row 2 of the column 'id_code' is more than ASCII" in told) == ("data.csv.train", True)
    assert read(tmp_path, encoding="latin-1").first.examples[1].file == "\u00e4"
    assert "train.csv:3: this is not utf-8" in refused(tmp_path, encoding="utf-8")[1]
    assert refused(tmp_path, encoding="latin-one")[0] == "data.csv.encoding"


def test_a_table_without_a_header_says_so_and_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,0\nb,1\n")
    assert "its first line looks like a row, not like a header: name its columns" in refused(tmp_path)[1]
    assert len(read(tmp_path, columns=["id_code", "diagnosis"]).first.examples) == 2
    (tmp_path / "train.csv").write_text(CSV)
    assert len(read(tmp_path, columns=["id_code", "diagnosis"]).first.examples) == 2, "a header is no row"
    assert "nothing between its cells gives the 3 of `columns`" in refused(tmp_path, columns=["id_code", "b", "c"])[1]


def test_a_row_with_more_cells_than_the_header_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id_code,diagnosis\na,0\nb,1,2\nc,0,\n")
    (note,) = read(tmp_path).notes
    assert note.startswith("train.csv: 1 rows have more cells than the header's 2, line 3 the first")


def test_rows_keep_their_lines_whatever_is_between_them(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text('sep=;\nid_code;diagnosis\n\na;0\n"b\nc";1\n;\nd;2\n')
    examples = read(tmp_path).first.examples
    assert [(example.file, example.line) for example in examples] == [("a", 4), ("b\nc", 6), ("d", 8)]
    (tmp_path / "train.csv").write_text('{"id_code": "a", "diagnosis": 0}\n\n{"id_code": "b", "diagnosis": 1}\n')
    assert [example.line for example in read(tmp_path).first.examples] == [1, 3]
    (tmp_path / "train.txt").write_text("a 0\n\nb 1\n")
    assert [each.line for each in read(tmp_path, "train.txt", columns=["id_code", "diagnosis"]).first.examples] == [
        1,
        3,
    ]


def test_a_header_below_other_lines_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("# of 2019\nid_code,diagnosis\na,0\n")
    assert refused(tmp_path)[1].endswith(
        "it has '# of 2019'; the line 'id_code,diagnosis' looks like the header: remove those above it"
    )


def test_cells_without_a_file_or_a_group_are_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id_code,diagnosis,patient\na,0,7\n,1,NaN\nb,1,\n")
    notes = read(tmp_path, group_column="patient").notes
    assert "train.csv: 1 of 3 rows have no 'id_code', line 3 the first." in notes
    assert "train.csv: 2 of 3 rows have no 'patient', line 3 the first." in notes


def test_a_file_is_one_however_tables_name_it(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "img" / name).touch()
    rows = ["a", str(tmp_path / "img" / "a"), "./x/../a", "../img/a", str(tmp_path / "b")]
    (tmp_path / "train.csv").write_text("id_code,diagnosis\n" + "".join(f"{name},0\n" for name in rows))
    files = [example.file for example in read(tmp_path, images="img").first.examples]
    assert files == ["img/a", "img/a", "img/a", "img/a", "b"]
    sub = tmp_path / "spec"
    sub.mkdir()
    (tmp_path / "train.csv").rename(sub / "train.csv")
    assert read(sub, images="../img").first.examples[1].file == "../img/a"


# Splits -------------------------------------------------------------------------------------------


def folds(folder: Path, cells: str = "01234") -> None:
    rows = "".join(f"{name},0,{cell}\n" for name, cell in zip("abcde", cells, strict=True))
    (folder / "train.csv").write_text(f"id_code,diagnosis,fold\n{rows}")


@pytest.mark.parametrize(
    ("shares", "counts"),
    [
        ({"val": 0}, {"train": 4, "val": 1}),
        ({"train": [0, 1, 2], "val": "3", "test": [4]}, {"train": 3, "val": 1, "test": 1}),
        ({"train": [1, 2]}, {"train": 2}),
    ],
)
def test_values_of_a_column_are_the_splits_that_a_spec_says(
    shares: dict[str, object], counts: dict[str, int], tmp_path: Path
) -> None:
    folds(tmp_path)
    dataset = read(tmp_path, split_column="fold", splits=shares)
    assert {name: len(split.examples) for name, split in dataset.splits.items()} == counts
    left = 5 - sum(counts.values())
    assert ("no split has the rows of" in " ".join(dataset.notes)) is bool(left)


@pytest.mark.parametrize(
    ("options", "path", "says"),
    [
        (
            {},
            "data.csv.split_column",
            "say which value is which split, such as `splits: {train: [1, 2, 3, 4], val: [0]}`",
        ),
        ({"image_column": []}, "data.csv.image_column", "name the column"),
        ({"delimiter": ", "}, "data.csv.delimiter", "', ' is not one character"),
        ({"splits": {"vall": 1}}, "data.csv.splits.vall", "did you mean 'val'?"),
        ({"splits": {"val": 7}}, "data.csv.splits.val", "no row is of '7'"),
        ({"splits": {"val": 1, "test": [1, 2]}}, "data.csv.splits.test", "'1' is in val and in test"),
        ({"splits": {"val": 1}, "val": "train.csv"}, "data.csv.val", "val is a table here"),
        ({"splits": {"val": 1}, "split_column": None}, "data.csv.splits", "name that column"),
    ],
)
def test_a_division_that_is_not_clear_is_refused(
    options: dict[str, object], path: str, says: str, tmp_path: Path
) -> None:
    folds(tmp_path)
    place, told = refused(tmp_path, **{"split_column": "fold", **options})
    assert (place, says in told) == (path, True), told


# Labels -------------------------------------------------------------------------------------------


def test_several_columns_of_labels_take_ones_and_zeros_in_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id_code,N,D\na,1,0.0\nb,True,false\nc,1,2\nd,,1\n")
    examples = read(tmp_path, label_column=["N", "D"]).first.examples
    assert [each.label for each in examples] == [(1, 0), (1, 0), None, None]
    assert [each.class_name for each in examples] == ["N", "N", "D is '2'", "N is ''"]


def test_a_test_table_may_lack_labels_and_a_misspelt_column_may_not(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(CSV)
    (tmp_path / "test.csv").write_text("id_code\nc\n")
    dataset = read(tmp_path, test="test.csv")
    assert [split.has_labels for split in dataset.splits.values()] == [True, False]
    assert "the split test has no labels" in " ".join(dataset.notes)
    (tmp_path / "test.csv").write_text("id_code,diagnosis\nc,\n")
    assert "test.csv: every label is blank" in " ".join(read(tmp_path, test="test.csv").notes)
    (tmp_path / "test.csv").write_text("id_code,diagnosys\nc,1\n")
    with pytest.raises(SubjectError, match="did you mean 'diagnosys'"):
        read(tmp_path, test="test.csv")


# Files --------------------------------------------------------------------------------------------


def test_of_several_extensions_the_first_that_gives_a_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("id_code,diagnosis\na,0\nb,1\nc.jpg,1\n")
    (tmp_path / "b.jpg").touch()
    files = [each.file for each in read(tmp_path, extension=[".png", ".jpg"]).first.examples]
    assert files == ["a.png", "b.jpg", "c.jpg"]


def test_a_folder_or_a_link_to_nothing_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nothing")
    folders = Folders(tmp_path)
    names = (
        "file",
        "link",
        "./file",
        str(tmp_path / "file"),
        "folder",
        "broken",
        "file/file",
        "gone/file",
        "",
        "a\0b/c",
    )
    assert [name for name in names if folders.has(name)] == ["file", "link", "./file", str(tmp_path / "file")]


def test_what_is_there_and_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "train.csv").write_text("id_code,diagnosis\nfolder,0\nlink,1\npipe,0\nabsent,1\n")
    observed = missing_files(splits(read(tmp_path)))
    assert observed.details["files"] == [
        "folder: it is a folder",
        "link: it is a link to nowhere, and no file is there",
        "pipe: it is a pipe, a socket or a device, not a regular file",
        "absent",
    ]


def test_details_of_half_a_million_files_are_bounded(tmp_path: Path) -> None:
    rows = "".join(f"x{number},0\n" for number in range(1500))
    (tmp_path / "train.csv").write_text(f"id_code,diagnosis\n{rows}")
    observed = missing_files(splits(read(tmp_path)))
    assert observed.value == 1500
    assert len(observed.details["files"]) == 1000
    assert observed.details["files beyond the first 1,000"] == 500
