"""Parts of the score that a generator may minimise."""

import pytest
import torch
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.gan.score_terms import imbalance, missing_diversity, with_score_terms
from qsynth.space.controls import OFF, Controls


def rows(n: int, seed: int, scale: float = 1.0) -> Rows:
    """Rows of two classes, the last of which do not count."""
    random = torch.Generator().manual_seed(seed)
    x = scale * torch.randn(n, 3, generator=random, dtype=torch.float64)
    onehot = torch.eye(2, dtype=torch.float64)[torch.randint(2, (n,), generator=random)]
    weights = (torch.arange(n) < n - 2).double() / (n - 2)
    return Rows(x, onehot, weights)


TERMS = ("fidelity_weight", "diversity_weight", "utility_weight", "balance_weight")


def weighed(*weights: float | None) -> Controls:
    of = (OFF if weight is None else torch.tensor(weight) for weight in weights)
    return Controls(*[OFF] * 9)._replace(**dict(zip(TERMS, of, strict=True)))


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0.0), (0.25, 0.75), (3.0, 0.0), (0.0, 1.0)])
def test_what_is_missing_of_the_diversity(scale: float, expected: float) -> None:
    real = rows(8, 2)
    made = real._replace(x=scale * real.x)
    assert float(missing_diversity(made, real)) == pytest.approx(expected, abs=1e-5)


def test_equal_rows_have_a_finite_gradient() -> None:
    real = rows(6, 3)

    def of(x: Tensor) -> Tensor:
        return missing_diversity(real._replace(x=x), real)

    assert torch.isfinite(torch.func.grad(of)(torch.zeros_like(real.x))).all()
    assert torch.isfinite(torch.func.grad(of)(real.x)).all()


def test_weights_weigh_and_off_is_off() -> None:
    made, real, loss = rows(6, 4, scale=0.5), rows(6, 5), torch.tensor(1.0, dtype=torch.float64)
    missing, distance = missing_diversity(made, real), torch.tensor(0.7, dtype=torch.float64)
    lesson, uneven = torch.tensor(0.9, dtype=torch.float64), imbalance(made, real)

    def found(*weights: float | None) -> Tensor:
        return with_score_terms(loss, made, real, weighed(*weights), lambda: distance, lambda: lesson)

    assert found(None, None, None, None) is loss
    assert torch.equal(found(2.0, None, None, None), loss + 2 * distance)
    assert torch.equal(found(None, None, 5.0, None), loss + 5 * lesson)
    expected = loss + 2 * distance + 3 * missing + 5 * lesson + 7 * uneven
    torch.testing.assert_close(found(2.0, 3.0, 5.0, 7.0), expected, rtol=1e-12, atol=0)


def test_shares_of_the_same_rows_are_the_same_and_those_of_others_all_wrong() -> None:
    real = rows(10, 6, scale=0.3)
    assert float(imbalance(real, real)) == pytest.approx(0.0, abs=1e-4)
    low, high = (real._replace(x=torch.full_like(real.x, at)) for at in (-0.9, 0.9))
    assert float(imbalance(low, high)) == pytest.approx(1.0, abs=1e-3)


def test_shares_mind_the_class() -> None:
    """The same values, dealt to the other class."""
    x = torch.tensor([[-0.8], [0.8]], dtype=torch.float64)
    onehot, weights = torch.eye(2, dtype=torch.float64), torch.full((2,), 0.5, dtype=torch.float64)
    assert float(imbalance(Rows(x, onehot, weights), Rows(x, onehot.flip(0), weights))) > 0.9


def test_a_class_that_is_too_rare_is_seen() -> None:
    real = rows(200, 7, scale=0.3)
    shares = real.weights @ real.onehot
    rare = real.weights * (real.onehot @ torch.tensor([0.1, 1.9], dtype=torch.float64))
    made = real._replace(weights=rare / rare.sum())
    moved = float((shares - made.weights @ made.onehot).abs().sum() / 2)
    assert float(imbalance(made, real)) == pytest.approx(moved, abs=0.02)
