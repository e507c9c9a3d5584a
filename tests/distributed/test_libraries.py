"""No false alarm on ranks that a library makes, and no verdict where a rank holds only a shard."""

from __future__ import annotations

import pytest

from retspec.records import Verdict
from tests.distributed.planting import SPEC
from tests.here import run_here


@pytest.mark.parametrize(
    ("script", "library"),
    [("trainer", "transformers"), ("accelerated", "accelerate"), ("lightning_ddp", "lightning")],
)
def test_a_healthy_library_meets_every_criterion(script: str, library: str) -> None:
    pytest.importorskip(library)
    results = run_here(SPEC, [f"train.script=scripts/{script}.py"])
    assert {name: each.reason for name, each in results.items() if each.verdict is not Verdict.MET} == {}


@pytest.mark.usefixtures("warm_programs")
@pytest.mark.parametrize("args", ["", "wrapped", "wrapped, named"])
def test_shards_are_not_compared_as_if_they_were_the_model(args: str) -> None:
    results = run_here(SPEC, ["train.script=scripts/sharded.py", f"train.args=[{args}]"])
    unmet = {name: each.reason for name, each in results.items() if each.verdict is not Verdict.MET}
    assert unmet.keys() == {"ddp_gradient_rtol", "ranks_agree"}
    assert [reason for reason in unmet.values() if "FSDP shards the parameters" not in reason] == []
    assert [name for name in unmet if results[name].verdict.is_decided] == []
