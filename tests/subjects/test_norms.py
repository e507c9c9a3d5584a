"""Norms of gradients of any data type."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from retspec.subjects.training.norms import norms_of
from retspec.subjects.training.single_norms import norms_in_single


def test_each_data_type_has_its_norm_and_half_precision_does_not_overflow() -> None:
    dtypes = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
    parameters = [nn.Parameter(torch.zeros(9, dtype=dtype)) for dtype in dtypes]
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 32768)  # in all of them exactly; its square is not in float16
    bare = nn.Parameter(torch.zeros(2))
    assert norms_of([bare, *parameters]) == [None, *[3 * 32768.0] * len(dtypes)]


def test_a_sparse_gradient_counts_each_row_once() -> None:
    embedding = nn.Embedding(4, 2, sparse=True)
    embedding(torch.tensor([1, 1])).sum().backward()
    assert norms_of([*embedding.parameters()]) == pytest.approx([8**0.5])


@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_norm_of_a_cpu_adds_up_its_gradients_in_single_precision_under_autocast(*, checkpointed: bool) -> None:
    torch.manual_seed(0)
    norm, inputs = nn.LayerNorm(24), torch.randn(4096, 24).bfloat16()
    wanted = (torch.randn(4096, 24) + 0.3).bfloat16()
    with norms_in_single():
        assert norm.bfloat16()(inputs).dtype == torch.bfloat16  # nothing is cast but by autocast
        norm.float()
        with torch.autocast("cpu", torch.bfloat16):
            outputs = checkpoint(norm, inputs, use_reentrant=False) if checkpointed else norm(inputs)
            assert nn.GroupNorm(2, 24)(inputs).dtype == torch.float32
        outputs.backward(wanted.to(outputs.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        assert norm(inputs).dtype == torch.bfloat16
    assert norm.bias.grad is not None
    torch.testing.assert_close(norm.bias.grad, wanted.float().sum(0), rtol=1e-3, atol=1e-3)
