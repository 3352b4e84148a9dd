"""Strategies on rows whose best choice is known."""

import numpy as np
import pytest

from qsynth.data.dataset import Split
from qsynth.experiment.active_learning.queries import (
    QUERY_STRATEGIES,
    ByGenerator,
    View,
    density_times_disagreement,
)
from qsynth.qnn.fit import QNNConfig, QNNFit

QNN = QNNFit.of(QNNConfig(n_steps=1), 2, 2, 2)


def view(x: list[list[float]], told: list[list[list[float]]], seed: int = 0) -> View:
    """Two known rows of each of two classes, at -1 and 1."""
    known = Split(
        np.array([[-1, 0], [-1, 0.2], [1, 0], [1, 0.2]], dtype=np.float32), np.array([0, 0, 1, 1], dtype=np.int64)
    )
    return View(known=known, x=np.array(x, dtype=np.float32), told=np.array(told), seed=seed, qnn=QNN)


def constant(n: int) -> list[list[list[float]]]:
    return [[[0.5, 0.5]] * n] * 2


@pytest.mark.parametrize("name", [name for name in QUERY_STRATEGIES if name != "circuit generator"])
def test_chosen_places_differ_and_repeat(name: str) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (30, 2)).tolist()
    told = np.random.default_rng(1).dirichlet([1, 1], (2, 30)).tolist()
    views = [view(x, told, seed) for seed in (0, 1)]
    first, again = (QUERY_STRATEGIES[name].choose(views, 5) for _ in range(2))
    assert [len(set(each.tolist())) for each in first] == [5, 5]
    np.testing.assert_array_equal(first, again)


def test_random_rows_are_others_for_another_seed() -> None:
    x, told = [[0.0, 0.0]] * 50, constant(50)
    one, other = QUERY_STRATEGIES["random"].choose([view(x, told, 0), view(x, told, 1)], 5)
    assert set(one.tolist()) != set(other.tolist())


def scores(name: str, told: list[list[list[float]]]) -> np.ndarray:
    strategy = QUERY_STRATEGIES[name]
    return strategy.scores([view([[0.0, 0.0]] * len(told[0]), told)])[0]  # type: ignore[attr-defined]


def test_uncertainty_is_of_the_mean_over_starts() -> None:
    told = [[[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]], [[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]]]
    np.testing.assert_allclose(scores("uncertainty", told), [0.2, 1.0, 0.8])


def test_disagreement_is_none_where_all_starts_are_as_unsure() -> None:
    told = [[[0.5, 0.5], [1.0, 0.0]], [[0.5, 0.5], [0.0, 1.0]]]
    np.testing.assert_allclose(scores("disagreement", told), [0.0, np.log(2)], atol=1e-9)


def test_the_generator_asks_where_it_has_mass_and_the_qnn_says_another_class() -> None:
    made = np.concatenate([np.full((20, 2), -1.0), np.full((20, 2), 1.0)]).astype(np.float32)
    labels = np.repeat([0, 1], 20)
    # Beside class 0 and told so; beside class 0 and told otherwise; beside class 1 and told so; far from both.
    x = [[-1.0, -0.9], [-0.9, -1.0], [1.0, 0.9], [9.0, 9.0]]
    told = [[[0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]]]
    found = density_times_disagreement(view(x, told), made, labels)
    assert found.argmax() == 1
    assert found[1] == pytest.approx(0.9 * np.exp(-0.5), rel=1e-3)
    assert found[0] == pytest.approx(0.1 * np.exp(-0.5), rel=1e-3)
    assert found[3] < 1e-6


def test_a_synthesizer_learns_the_known_rows_alone() -> None:
    """A tied Gaussian's classes are at -1 and 1: there a QNN that says the opposite is asked about."""
    x = [[-1.0, 0.1], [0.0, 5.0], [1.0, 0.1], [1.0, 0.05]]
    told = [[[0.05, 0.95], [0.5, 0.5], [0.05, 0.95], [0.05, 0.95]]]
    found = ByGenerator("generator", "tied Gaussian").scores([view(x, told)])[0]
    assert found.argmax() == 0


def test_the_circuit_generator_has_finite_scores() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (12, 2)).tolist()
    found = QUERY_STRATEGIES["circuit generator"].scores([view(x, constant(12))])[0]  # type: ignore[attr-defined]
    assert np.isfinite(found).all()
    assert found.max() > 0


def test_both_adds_ranks() -> None:
    x = [[-1.0, 0.1], [1.0, 0.1], [-1.0, 0.15]]
    told = [[[0.45, 0.55], [0.05, 0.95], [0.95, 0.05]], [[0.55, 0.45], [0.3, 0.7], [0.9, 0.1]]]
    both, parts = QUERY_STRATEGIES["both"], [QUERY_STRATEGIES["disagreement"], QUERY_STRATEGIES["generator"]]
    views = [view(x, told)]
    orders = [each.scores(views)[0].argsort().argsort() + 1 for each in parts]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(both.scores(views)[0], orders[0] + orders[1])  # type: ignore[attr-defined]


def test_k_centre_takes_the_farthest_row_and_then_not_its_neighbour() -> None:
    x = [[0.0, 0.1], [0.0, 3.0], [0.0, 2.9], [0.0, -2.0]]
    [chosen] = QUERY_STRATEGIES["k-centre"].choose([view(x, constant(4))], 2)
    assert chosen.tolist() == [1, 3]


def test_high_scores_are_drawn_most_and_low_ones_at_times() -> None:
    """Of 20 rows the first has a weight of one over sum 1 / r^2, 0.63, to be the first drawn."""
    x = [[float(place), 0.0] for place in range(20)]
    told = [[[0.5 + 0.02 * place, 0.5 - 0.02 * place] for place in range(20)]]
    views = [view(x, told, seed) for seed in range(400)]
    drawn = np.array(QUERY_STRATEGIES["uncertainty"].choose(views, 1))[:, 0]
    assert (drawn == 0).mean() == pytest.approx(0.63, abs=0.08)
    assert (drawn > 4).mean() == pytest.approx(0.08, abs=0.05)
