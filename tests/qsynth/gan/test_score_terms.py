"""Parts of the score that a generator may minimise."""

import pytest
import torch
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.gan.score_terms import missing_diversity, with_score_terms
from qsynth.space.controls import OFF, Controls


def rows(n: int, seed: int, scale: float = 1.0) -> Rows:
    """Rows of two classes, the last of which do not count."""
    random = torch.Generator().manual_seed(seed)
    x = scale * torch.randn(n, 3, generator=random, dtype=torch.float64)
    onehot = torch.eye(2, dtype=torch.float64)[torch.randint(2, (n,), generator=random)]
    weights = (torch.arange(n) < n - 2).double() / (n - 2)
    return Rows(x, onehot, weights)


def weighed(fidelity: float | None, diversity: float | None) -> Controls:
    of = (OFF if weight is None else torch.tensor(weight) for weight in (fidelity, diversity))
    return Controls(*[OFF] * 9)._replace(**dict(zip(("fidelity_weight", "diversity_weight"), of, strict=True)))


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

    def found(fidelity: float | None, diversity: float | None) -> Tensor:
        return with_score_terms(loss, made, real, weighed(fidelity, diversity), lambda: distance)

    assert found(None, None) is loss
    assert torch.equal(found(2.0, None), loss + 2 * distance)
    torch.testing.assert_close(found(2.0, 3.0), loss + 2 * distance + 3 * missing, rtol=1e-12, atol=0)
