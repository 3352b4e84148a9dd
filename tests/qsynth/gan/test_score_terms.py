"""Parts of the score that a generator may minimise."""

import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from qsynth.gan.generator import Rows
from qsynth.gan.score_terms import energy_distance, missing_diversity, with_score_terms
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


def test_energy_distance_is_that_of_the_rows_in_use_and_their_labels() -> None:
    made, real = rows(9, 0), rows(7, 1)
    a, b = (torch.cat([each.x, each.onehot], dim=1)[:-2].numpy() for each in (made, real))
    expected = 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()
    assert float(energy_distance(made, real)) == pytest.approx(expected, abs=1e-5)
    assert float(energy_distance(made, made)) == 0.0
    swapped = made._replace(onehot=made.onehot.flip(1))
    assert float(energy_distance(made, swapped)) > 0.0


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0.0), (0.25, 0.75), (3.0, 0.0), (0.0, 1.0)])
def test_what_is_missing_of_the_diversity(scale: float, expected: float) -> None:
    real = rows(8, 2)
    made = real._replace(x=scale * real.x)
    assert float(missing_diversity(made, real)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("term", [energy_distance, missing_diversity])
def test_equal_rows_have_a_finite_gradient(term: object) -> None:
    real = rows(6, 3)

    def of(x: Tensor) -> Tensor:
        return term(real._replace(x=x), real)  # type: ignore[operator,no-any-return]

    assert torch.isfinite(torch.func.grad(of)(torch.zeros_like(real.x))).all()
    assert torch.isfinite(torch.func.grad(of)(real.x)).all()


def test_weights_weigh_and_off_is_off() -> None:
    made, real, loss = rows(6, 4, scale=0.5), rows(6, 5), torch.tensor(1.0, dtype=torch.float64)
    energy, missing = energy_distance(made, real), missing_diversity(made, real)
    assert with_score_terms(loss, made, real, weighed(None, None)) is loss
    assert torch.equal(with_score_terms(loss, made, real, weighed(2.0, None)), loss + 2 * energy)
    torch.testing.assert_close(
        with_score_terms(loss, made, real, weighed(2.0, 3.0)), loss + 2 * energy + 3 * missing, rtol=1e-12, atol=0
    )


def test_they_are_better_the_nearer_the_made_rows_are() -> None:
    """Following the gradient of both brings collapsed rows to the real ones' spread and mean."""
    real = rows(34, 6)
    real = real._replace(x=real.x + 2.0)

    def terms(x: Tensor) -> Tensor:
        return with_score_terms(x.sum() * 0, real._replace(x=x), real, weighed(1.0, 1.0))

    made = 0.01 * rows(34, 7).x
    for _ in range(400):
        made = made - 2.0 * torch.func.grad(terms)(made)
    torch.testing.assert_close(made[:-2].mean(dim=0), real.x[:-2].mean(dim=0), atol=0.15, rtol=0)
    assert float(missing_diversity(real._replace(x=made), real)) < 0.1
