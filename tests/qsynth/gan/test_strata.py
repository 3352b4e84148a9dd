"""Batches that hold every class."""

import pytest
import torch
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.gan.strata import Strata

COUNTS = [13, 5, 2]
N_ROWS, CAPACITY, FEATURES = sum(COUNTS), sum(COUNTS) + 4, 2


def training_rows() -> Tensor:
    """Mixed classes; the last rows do not count, and are far away."""
    labels = torch.cat([torch.full((n,), i) for i, n in enumerate(COUNTS)])
    labels = labels[torch.randperm(N_ROWS, generator=torch.Generator().manual_seed(0))]
    x = torch.randn(N_ROWS, FEATURES, generator=torch.Generator().manual_seed(1)) + labels[:, None]
    rows = torch.cat([x, torch.eye(len(COUNTS))[labels]], dim=1)
    return torch.cat([rows, torch.full((CAPACITY - N_ROWS, rows.shape[1]), 99.0)]).double()


ROWS = training_rows()
STRATA = Strata.of(ROWS, torch.tensor(N_ROWS), FEATURES)


def batch(capacity: int, used: int, seed: int) -> Rows:
    random = torch.Generator().manual_seed(seed)
    u = torch.rand(capacity + 1, generator=random, dtype=torch.float64)
    return STRATA.batch(u[:capacity], u[capacity], (torch.arange(capacity) < used).double() / used)


def test_strata_are_those_of_the_rows_that_count() -> None:
    assert STRATA.counts.tolist() == COUNTS
    torch.testing.assert_close(STRATA.shares, torch.tensor(COUNTS).double() / N_ROWS)
    assert STRATA.members.sum() == N_ROWS


@pytest.mark.parametrize(("capacity", "used"), [(6, 6), (12, 7), (40, 33), (40, 40)])
def test_a_batch_has_two_rows_of_every_class_at_least_and_their_shares_on_average(capacity: int, used: int) -> None:
    total, n = torch.zeros(len(COUNTS)).double(), 200
    for seed in range(n):
        found = batch(capacity, used, seed)
        on = found.weights > 0
        counts = found.onehot[on].sum(dim=0)
        assert (counts >= 2).all()
        assert (counts % 2 == 0).all()
        assert counts.sum() == used - used % 2
        assert not on[used - used % 2 :].any()
        torch.testing.assert_close(found.weights @ found.onehot, STRATA.shares)
        total += counts
    free = used // 2 - len(COUNTS)
    torch.testing.assert_close(total / n, 2 + 2 * free * STRATA.shares, atol=0.25, rtol=0)


@pytest.mark.parametrize("used", [2, 4])
def test_where_classes_outnumber_pairs_the_rare_ones_come_up_in_their_turn(used: int) -> None:
    n = 4000
    found = torch.stack([(each := batch(4, used, seed)).weights @ each.onehot for seed in range(n)])
    assert ((found == 0).any(dim=1)).any()
    torch.testing.assert_close(found.mean(dim=0), STRATA.shares, atol=0.03, rtol=0)


@pytest.mark.parametrize("used", [2, 4, 12])
def test_averages_over_batches_are_those_of_the_training_rows(used: int) -> None:
    n = 3000
    means = [(each := batch(12, used, seed)).weights @ each.x for seed in range(n)]
    torch.testing.assert_close(torch.stack(means).mean(dim=0), ROWS[:N_ROWS, :FEATURES].mean(dim=0), atol=0.06, rtol=0)


def test_rows_are_real_ones_of_their_label_and_all_come_up() -> None:
    seen = set()
    for seed in range(60):
        found = batch(20, 20, seed)
        for x, onehot in zip(found.x, found.onehot, strict=True):
            [place] = (ROWS[:N_ROWS, :FEATURES] == x).all(dim=1).nonzero()[:, 0].tolist()
            assert torch.equal(ROWS[place, FEATURES:], onehot)
            seen.add(place)
    assert seen == set(range(N_ROWS))
