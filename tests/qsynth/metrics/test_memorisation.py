"""Copies are told from real rows."""

import numpy as np
import pytest

from qsynth.metrics.memorisation import memorisation


def rows(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3))


def test_real_rows_are_as_near_to_either_sample() -> None:
    found = [memorisation(rows(3 * seed, 100), rows(3 * seed + 1, 60), rows(3 * seed + 2, 60)) for seed in range(20)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_copies_are_nearer_to_what_they_are_of() -> None:
    train, held_out = rows(0, 60), rows(1, 60)
    assert memorisation(train[:40], train, held_out) == 1.0
    assert memorisation(train + 1e-3, train, held_out) == 1.0
    assert memorisation(held_out, train, held_out) == 0.0
    assert 0.5 < memorisation(train + 0.5 * rows(2, 60), train, held_out) < 1.0


def test_a_larger_sample_is_no_nearer_for_its_size() -> None:
    found = [memorisation(rows(3 * seed, 100), rows(3 * seed + 1, 400), rows(3 * seed + 2, 40)) for seed in range(20)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_ties_count_half() -> None:
    same = np.zeros((5, 2))
    assert memorisation(same, same, same) == 0.5
