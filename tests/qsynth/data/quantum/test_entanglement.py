"""Classes of entanglement: what random unitaries leave alone, and whether it is estimated without bias."""

import numpy as np
import pytest

from qsynth.data.quantum.entanglement import BASES, PAIRS, EntanglementClasses, representatives, turned

CLASSES = EntanglementClasses()


def lengths(states: np.ndarray, shots: int) -> np.ndarray:
    return CLASSES.measured(states, 3, shots, np.random.default_rng(5)).x


def known(**amplitudes: float) -> np.ndarray:
    state = np.zeros((1, 8), dtype=np.complex128)
    for outcome, amplitude in amplitudes.items():
        state[0, int(outcome[1:], 2)] = amplitude
    return state / np.linalg.norm(state)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (known(_000=1), [1, 1, 1, 1, 1, 1]),
        (known(_000=1, _110=1), [0, 0, 1, 3, 0, 0]),
        (known(_001=1, _010=1, _100=1), [1 / 9, 1 / 9, 1 / 9, 1, 1, 1]),
        (known(_000=1, _111=1), [0, 0, 0, 1, 1, 1]),
    ],
)
def test_known_lengths_survive_random_unitaries(state: np.ndarray, expected: list[float]) -> None:
    states = turned(np.repeat(state, 4, axis=0), np.random.default_rng(2))
    assert np.abs(states[0] - states[1]).max() > 0.1
    np.testing.assert_allclose(lengths(states, 2_000_000), np.tile(expected, (4, 1)), atol=0.02)


def test_few_shots_have_no_bias() -> None:
    states = turned(np.repeat(known(_000=1, _111=1), 20_000, axis=0), np.random.default_rng(3))
    found = lengths(states, 3)
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - [0, 0, 0, 1, 1, 1]) < 4.5 * error).all()


def test_ghz_correlations_before_it_is_turned() -> None:
    state = representatives(np.full(50, 3), np.random.default_rng(0))
    assert np.abs(state[:, [0, 7]]).min() > np.sin(np.pi / 8) - 1e-9
    np.testing.assert_allclose(state[:, 1:7], 0.0)
    weights = np.abs(representatives(np.full(50, 2), np.random.default_rng(0)))
    assert (weights[:, [1, 2, 4]] > 0).all()
    np.testing.assert_allclose((weights[:, [1, 2, 4]] ** 2).sum(axis=1), 1.0)


def test_unitaries_are_uniform() -> None:
    """A turned |0> has no direction: its Bloch vector averages zero, and each part's square a third."""
    states = turned(np.repeat(known(_000=1), 20_000, axis=0), np.random.default_rng(1)).reshape(-1, 2, 4)
    inner = np.einsum("rij,rkj->rik", states, states.conj())
    bloch = np.stack([2 * inner[:, 0, 1].real, 2 * inner[:, 1, 0].imag, (inner[:, 0, 0] - inner[:, 1, 1]).real], axis=1)
    np.testing.assert_allclose(bloch.mean(axis=0), 0.0, atol=0.02)
    np.testing.assert_allclose((bloch**2).mean(axis=0), 1 / 3, atol=0.01)


def test_nine_measurements_show_all_pairs_of_directions() -> None:
    for first, second in PAIRS:
        assert len({basis[first] + basis[second] for basis in BASES}) == len(BASES) == 9


def test_classes_have_equal_shares() -> None:
    drawn = CLASSES.drawn(3, 100, np.random.default_rng(0))
    assert np.bincount(drawn.y).tolist() == [25] * 4
    np.testing.assert_allclose(np.linalg.norm(drawn.states, axis=1), 1.0)
