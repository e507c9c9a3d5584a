"""The plots of a report as PNG: one file for each, the same for the same results."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from retspec.cli import main
from retspec.errors import UsageError
from retspec.records import Measured, plain
from retspec.report.formats.results import json as results_json
from retspec.report.page.png import Plot, chosen, plots_of
from tests.report.formats.sample import sample
from tests.report.page.test_figures import MADE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from retspec.records import Report

    Reporting = Callable[..., tuple[int, str]]

ALL = replace(sample(), measurements=tuple(Measured(key=name, facts=plain(held)) for name, (held, _) in MADE.items()))
NAMES = ["training.loss", "training.gradient-flow", "training.gradients", "training.step-time"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.json"
    path.write_text(results_json(sample()))
    return path


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Reporting:
    """Runs `retspec report`, and returns its exit code and what it printed."""

    def run(*arguments: object) -> tuple[int, str]:
        code = main(["report", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_every_plot_of_the_page_is_a_picture_with_something_on_it() -> None:
    plots = [*plots_of(ALL)]
    assert len(plots) == sum(len(captions) for _, captions in MADE.values())
    for plot in plots:
        image = Image.open(io.BytesIO(plot.image)).convert("L")
        assert image.size[0] == 1332, plot.name
        low = image.crop((0, 150, *image.size))
        assert low.getextrema()[0] < 150, plot.name
        edges = {image.getpixel((x, y)) for x in (0, image.size[0] - 1) for y in range(image.size[1])}
        assert edges == {255}, f"{plot.name} is cut off"


def test_the_same_results_give_the_same_pictures() -> None:
    assert [*plots_of(sample())] == [*plots_of(sample())]


def test_a_point_that_stands_alone_is_drawn() -> None:
    """The last step of the sample has a norm in one layer only."""
    (flow,) = [plot for plot in plots_of(sample()) if plot.name == NAMES[1]]
    colours = {color for _, color in Image.open(io.BytesIO(flow.image)).convert("RGB").getcolors(1 << 20) or ()}
    assert {(0x24, 0x62, 0xB8), (0xB3, 0x54, 0x1E)} <= colours


def test_a_folder_gets_a_file_for_each_plot(report: Reporting, results: Path, tmp_path: Path) -> None:
    assert report(results, "--format", "png", "-o", tmp_path / "plots") == (0, f"4 plots in {tmp_path / 'plots'}\n")
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(f"{name}.png" for name in NAMES)


def test_a_file_gets_the_plot_of_its_name(report: Reporting, results: Path, tmp_path: Path) -> None:
    assert report(results, "--format", "png", "-o", tmp_path / "gradient-flow.png") == (0, "")
    assert (tmp_path / "gradient-flow.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    code, says = report(results, "--format", "png", "-o", tmp_path / "gradint.png")
    assert code == 2
    assert "which of the plots is gradint.png? Name one, or a folder" in says
    assert NAMES[1] in says


def test_the_only_plot_may_have_any_name() -> None:
    only = Plot("training.loss", b"")
    assert chosen([only], "slide") is only
    with pytest.raises(UsageError, match="there are none"):
        chosen([], "slide")


@pytest.mark.parametrize("runs", [1, 2])
def test_png_needs_a_place_and_one_run(report: Reporting, results: Path, tmp_path: Path, runs: int) -> None:
    place = [] if runs == 1 else ["-o", tmp_path / "plots"]
    code, says = report(*[results] * runs, "--format", "png", *place)
    assert (code, "writes the plots of one run" in says) == (2, True)


def test_results_without_facts_have_no_plot(report: Reporting, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(results_json(replace(sample(), measurements=())))
    assert report(path, "--format", "png", "-o", tmp_path / "plots") == (
        0,
        "these results hold no facts that have a plot\n",
    )


def test_without_matplotlib_the_message_names_the_extra(
    report: Reporting, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    code, says = report(results, "--format", "png", "-o", tmp_path / "plots")
    assert (code, "PNG needs matplotlib: install retspec[plots]" in says) == (2, True)


def test_names_from_strangers_stay_in_the_folder() -> None:
    held = replace(sample().measurements[0], key="training(path=../../x/..\\y, a=$x$)")
    names = [plot.name for plot in plots_of(_with(held, replace(held, key="training(path=../../x/..\\y  a=$x$)")))]
    assert len({*names}) == len(names) == 8
    assert not any(character in "".join(names) for character in "/\\$ ")


def _with(*measurements: Measured) -> Report:
    return replace(sample(), measurements=measurements)
