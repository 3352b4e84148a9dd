"""Distances between generated and real rows of a class."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor

from qsynth.gan.distances import DISTANCES, RATIONAL_POWERS, class_distance
from qsynth.gan.generator import Rows
from qsynth.gan.strata import Strata

SHARES = np.array([0.7, 0.3])
COUNTS = [14, 6]


def real_rows(seed: int, counts: list[int], shift: float = 0.0) -> Strata:
    """Normal rows of two classes, and one that does not count."""
    labels = torch.cat([torch.full((n,), i) for i, n in enumerate(counts)])
    x = torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = torch.cat([x + 3 * labels[:, None] + shift, torch.eye(2, dtype=torch.float64)[labels]], dim=1)
    return Strata.of(torch.cat([rows, 50 + rows[:1]]), torch.tensor(len(labels)), 2)


def made_rows(seed: int, shift: float = 0.0) -> Rows:
    """Drawn rows of the same law; the last does not count."""
    real = real_rows(seed, [6, 4], shift)
    labels = real.members.T[:-1]
    weights = (labels / labels.sum(dim=0)) @ torch.tensor(SHARES)
    return Rows(
        torch.cat([real.columns.T[:-1], 9 + real.columns.T[:1]]),
        torch.cat([labels, labels[:1]]),
        torch.cat([weights, weights[:1] * 0]),
    )


def dissimilar(name: str, a: NDArray, b: NDArray, unit: float) -> NDArray:
    if name == "energy":
        return cdist(a, b)
    squares = cdist(a, b, "sqeuclidean")
    return -np.sum([(1 + squares / (2 * power * unit)) ** -power for power in RATIONAL_POWERS], axis=0)


def unit_of(real: Strata) -> float:
    """Mean squared distance of real rows of a class to themselves and each other."""
    n = int(real.counts.sum())
    parts = [real.columns.T[real.members[c] > 0].numpy() for c in range(2)]
    return float(sum(len(part) / n * cdist(part, part, "sqeuclidean").mean() for part in parts))


def other(part: NDArray, name: str, unit: float) -> float:
    """Mean over pairs of different rows."""
    found = dissimilar(name, part, part, unit)
    return float(found[~np.eye(len(part), dtype=bool)].mean())


@pytest.mark.parametrize("name", DISTANCES)
def test_it_is_the_mean_over_pairs_within_classes_weighted_by_shares(name: str) -> None:
    made, real = made_rows(0), real_rows(1, COUNTS)
    unit, expected = unit_of(real), 0.0
    for c in range(2):
        x = made.x[(made.onehot[:, c] > 0) & (made.weights > 0)].numpy()
        y = real.columns.T[real.members[c] > 0].numpy()
        expected += SHARES[c] * (2 * dissimilar(name, x, y, unit).mean() - other(x, name, unit))
    assert float(class_distance(DISTANCES[name], made, True, real)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", DISTANCES)
def test_rows_listed_in_full_are_paired_with_themselves_too(name: str) -> None:
    real, random = real_rows(1, COUNTS), np.random.default_rng(0)
    grid, p = random.normal(size=(5, 2)), random.dirichlet(np.ones(5), 2)
    x = torch.as_tensor(np.concatenate([grid, grid]))
    labels = torch.eye(2, dtype=torch.float64).repeat_interleave(5, dim=0)
    made = Rows(x, labels, torch.as_tensor((SHARES[:, None] * p).ravel()))
    unit, expected = unit_of(real), 0.0
    for c in range(2):
        y = real.columns.T[real.members[c] > 0].numpy()
        across = p[c] @ dissimilar(name, grid, y, unit).mean(axis=1)
        expected += SHARES[c] * (2 * across - p[c] @ dissimilar(name, grid, grid, unit) @ p[c])
    assert float(class_distance(DISTANCES[name], made, False, real)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", DISTANCES)
def test_equal_laws_are_at_distance_0_on_average_and_others_are_not(name: str) -> None:
    """With the part of real rows alone in the same unbiased form; counting self-pairs gives ten standard errors."""
    found: dict[float, list[float]] = {0.0: [], 0.7: []}
    for seed in range(400):
        real = real_rows(1000 + seed, [8, 4])
        # The unit must not depend on the rows that are drawn, or their kernel would.
        fixed = real_rows(7, [40, 20])
        for shift, values in found.items():
            made = made_rows(seed, shift)

            def with_unit(squares: Tensor, _unit: Tensor, unit: float = unit_of(fixed)) -> Tensor:
                return DISTANCES[name](squares, torch.tensor(unit, dtype=torch.float64))

            alone = sum(
                SHARES[c] * other(real.columns.T[real.members[c] > 0].numpy(), name, unit_of(fixed)) for c in range(2)
            )
            values.append(float(class_distance(with_unit, made, True, real)) - alone)
    error = np.std(found[0.0]) / 20
    assert abs(np.mean(found[0.0])) < 3 * error
    assert np.mean(found[0.7]) > 10 * error


@pytest.mark.parametrize("name", DISTANCES)
def test_gradients_are_finite_at_distance_0(name: str) -> None:
    made, real = made_rows(0), real_rows(1, COUNTS)

    def of(x: Tensor) -> Tensor:
        return class_distance(DISTANCES[name], made._replace(x=x), True, real)

    for x in (torch.zeros_like(made.x), real.columns.T[: len(made.x)]):
        assert torch.isfinite(torch.func.grad(of)(x)).all()
    constant = real._replace(columns=torch.zeros_like(real.columns))
    found = torch.func.grad(lambda x: class_distance(DISTANCES[name], made._replace(x=x), True, constant))(made.x)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("name", DISTANCES)
def test_following_its_gradient_brings_rows_to_the_real_ones(name: str) -> None:
    real, made = real_rows(3, [40, 20], shift=2.0), made_rows(4)
    step = 2.0 if name == "energy" else 5.0
    x = 0.1 * made.x
    for _ in range(600):
        x = x - step * torch.func.grad(lambda rows: class_distance(DISTANCES[name], made._replace(x=rows), True, real))(
            x
        )
    for c in range(2):
        mine, theirs = x[(made.onehot[:, c] > 0) & (made.weights > 0)], real.columns.T[real.members[c] > 0]
        torch.testing.assert_close(mine.mean(dim=0), theirs.mean(dim=0), atol=0.3, rtol=0)
        assert (mine.std(dim=0) > 0.5 * theirs.std(dim=0)).all()
