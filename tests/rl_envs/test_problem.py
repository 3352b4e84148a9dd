"""What is known of a problem tells apart what schedules must tell apart, and nothing else moves it."""

from collections.abc import Callable

import numpy as np
import pytest

from qsynth.data.dataset import Instance, Split
from qsynth.data.scaling import Scaling
from rl_envs.problem import NAMES, Problems, described
from tests.rl_envs.tiny import instances, tuner

Rows = Callable[[np.random.Generator, int], np.ndarray]


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    return 0.2 * rng.normal(size=(n, 2))


def ring(rng: np.random.Generator, n: int) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi, n)
    return 0.3 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.003 * rng.normal(size=(n, 2))


def tailed(rng: np.random.Generator, n: int) -> np.ndarray:
    return 0.02 * rng.standard_t(3, size=(n, 2))


def lumps(rng: np.random.Generator, n: int) -> np.ndarray:
    return 0.3 * rng.choice([-1.0, 1.0], size=(n, 2)) + 0.02 * rng.normal(size=(n, 2))


def an_instance(rows: Rows, counts: tuple[int, ...] = (60,), apart: float = 0.0, seed: int = 0) -> Instance:
    """Classes of ``counts`` rows each, moved apart along the first axis."""
    rng = np.random.default_rng(seed)
    step = np.array([apart, 0.0])
    x = np.concatenate([rows(rng, n) + label * step for label, n in enumerate(counts)])
    part = Split(x.astype(np.float32), np.repeat(np.arange(len(counts)), counts))
    return Instance(
        key=f"{rows.__name__} {counts} {apart} {seed}",
        train=part,
        reserve=part,
        validation=part,
        test=part,
        class_names=tuple(map(str, range(len(counts)))),
        feature_names=("a", "b"),
        scaling=Scaling.identity(2),
    )


def mean(name: str, rows: Rows, **shape: object) -> float:
    return float(np.mean([described(an_instance(rows, seed=seed, **shape))[name] for seed in range(8)]))  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [20, 100, 400])
def test_thinness_is_that_of_the_rows_not_of_their_number(n: int) -> None:
    assert abs(mean("thinness", normal, counts=(n,))) < 0.4
    assert mean("thinness", lumps, counts=(n,)) < -1.0
    assert mean("thinness", ring, counts=(n,)) < -0.9


def test_thinness_does_not_depend_on_the_unit() -> None:
    found = described(an_instance(lambda rng, n: 3.0 * ring(rng, n)))["thinness"]
    assert found == pytest.approx(described(an_instance(ring))["thinness"], abs=1e-3)


def test_nearest_is_a_distance_on_a_logarithmic_scale() -> None:
    here = described(an_instance(normal))["nearest"]
    assert described(an_instance(lambda rng, n: 10 * normal(rng, n)))["nearest"] == pytest.approx(here + 1, abs=1e-3)


def test_tails_are_0_of_normal_rows() -> None:
    assert abs(mean("tails", normal, counts=(200,))) < 0.1
    assert mean("tails", tailed, counts=(200,)) > 0.4
    assert mean("tails", lumps, counts=(200,)) < -0.5
    # Classes far apart are no tails, and no gap either.
    assert abs(mean("tails", normal, counts=(100, 100), apart=5.0)) < 0.1


def test_sizes_and_classes() -> None:
    plain, known = described(an_instance(normal)), described(an_instance(normal, (150, 50), apart=5.0))
    assert (plain["features"], plain["classes"], plain["rarest"], plain["mixing"]) == (-0.5, -1.0, 1.0, -1.0)
    assert known["rows"] == pytest.approx(np.log10(200) - 2)
    assert (known["classes"], known["rarest"], known["mixing"]) == (-0.5, 0.0, -1.0)
    assert described(an_instance(normal, (50, 50)))["mixing"] == pytest.approx(0.0, abs=0.4)


@pytest.mark.parametrize("counts", [(8,), (1, 7), (1, 1, 1, 1, 1, 1, 1, 1)])
@pytest.mark.parametrize("rows", [normal, lambda rng, n: np.zeros((n, 2))], ids=["normal", "alike"])
def test_next_to_no_rows_are_described_too(rows: Rows, counts: tuple[int, ...]) -> None:
    found = described(an_instance(rows, counts))
    assert set(found) < set(NAMES)
    assert all(np.isfinite(value) for value in found.values())


def test_lanes_show_their_own_instance_and_what_all_trials_have() -> None:
    made = tuner(3)
    problems = Problems(made.population, 1000)
    some = instances(3)
    problems.begin([2, 0], [some[1], some[2]])
    for name, value in described(some[1]).items():
        assert problems.seen[name][2] == value
        assert problems.seen[name][0] == described(some[2])[name]
    assert problems.seen["iterations"].tolist() == [1.0, 0.0, 1.0]
    assert problems.seen["critic"][[0, 2]].tolist() == [1.0, 1.0]
    assert problems.seen["shot_noise"][[0, 2]].tolist() == [-1.0, -1.0]
    assert problems.seen["qubits"][[0, 2]].tolist() == [-0.5, -0.5]


def test_it_stays_as_it_is_throughout_a_trial() -> None:
    made = tuner(2)
    columns = [made.features.index(f"problem.{name}") for name in NAMES]
    seen = [made.step({}).observation[:, columns] for _ in range(3)]
    assert np.ptp(seen, axis=0).max() == 0.0
    made.begin([1], [instances(5)[4]], [9])
    later = made.step({}).observation[:, columns]
    np.testing.assert_array_equal(later[0], seen[0][0])
    assert (later[1] != seen[0][1]).any()
