"""Points measured on devices: what they show, what is booked, and when a budget ends."""

import numpy as np
import pytest

from qsynth.circuits.engine import EngineConfig
from qsynth.data.quantum.measurement import expectations
from qsynth.data.quantum.operators import total
from qsynth.errors import QsynthError
from qsynth.experiment.active_learning.active import ActiveConfig, learn
from qsynth.experiment.active_learning.queried_circuits import CHAINS, CircuitsConfig, Laboratory, QueriedCircuits
from qsynth.qnn.fit import QNNConfig

SHOTS = 400


def laboratory(
    chain: str, device: str = "lightning.qubit", shots: int = SHOTS, budget: int | None = None
) -> Laboratory:
    engine = EngineConfig(name=device, shots=shots)
    return Laboratory(CircuitsConfig(chain=chain, engine=engine, n_points=40, n_test=20, budget=budget))


@pytest.mark.parametrize("chain", list(CHAINS))
def test_a_chains_words_are_the_terms_of_its_data_set(chain: str) -> None:
    config = laboratory(chain).config
    found = np.stack([total(words) for words in CHAINS[chain].words(config.n_qubits)])
    np.testing.assert_array_equal(found, config.problem.terms(config.n_qubits))


@pytest.mark.parametrize(("chain", "n_settings"), [("ising", 2), ("cluster_ising", 4)])
def test_circuits_and_shots_are_counted_exactly(chain: str, n_settings: int) -> None:
    pool = QueriedCircuits.of(laboratory(chain))(0)
    assert (pool.spent.circuits, pool.spent.shots) == (0, 0)
    assert pool.query(np.array([3, 7, 9])) is not None
    assert (pool.spent.circuits, pool.spent.shots) == (3 * n_settings, 3 * n_settings * SHOTS)


@pytest.mark.parametrize("chain", list(CHAINS))
def test_a_row_is_what_the_ground_state_shows(chain: str) -> None:
    """Within shot noise and what the sweep's finite time and steps cost, 0.02 on average."""
    lab = laboratory(chain, shots=4000)
    config, points = lab.config, lab.points(0, 0, 10)
    exact = expectations(config.problem.ground(4, points.coefficients), config.problem.readouts(4))
    letters = [
        "".join(sorted(readout.basis[site] for site in sites)).lower()
        for readout in config.problem.readouts(4)
        for sites in readout.sites
    ]
    wanted = np.stack([exact[:, np.array(letters) == each].mean(axis=1) for each in lab.letters], axis=1)
    found = lab.measured(lab.engine(), points.coefficients)
    assert np.abs(found - wanted).mean() < 0.05
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.95


def test_two_devices_agree_within_the_error_of_their_shots() -> None:
    one, other = (laboratory("ising", device) for device in ("lightning.qubit", "default.mixed"))
    coefficients = one.points(0, 0, 8).coefficients
    rows = [each.measured(each.engine(), coefficients) for each in (one, other)]
    assert np.abs(rows[0] - rows[1]).max() < 4.5 * np.sqrt(2 / SHOTS)
    assert not np.array_equal(rows[0], rows[1])


def test_a_point_shows_the_same_whatever_is_measured_beside_it() -> None:
    pools = [QueriedCircuits.of(laboratory("ising"))(0) for _ in range(2)]
    together, alone = pools[0].query(np.array([5, 6])), pools[1].query(np.array([6]))
    assert together is not None
    assert alone is not None
    np.testing.assert_array_equal(together.x[1], alone.x[0])


def test_what_was_not_measured_is_guessed_from_its_neighbours() -> None:
    pool = QueriedCircuits.of(laboratory("ising", shots=4000))(0)
    order = pool.points.coefficients[:, 1].argsort()
    known, hidden = order[::2], order[1:-1:2]
    rows = pool.query(known)
    assert rows is not None
    spent = pool.spent
    guessed = pool.guesses(known, rows, hidden)
    assert pool.spent == spent
    measured = pool.query(hidden)
    assert measured is not None
    assert np.abs(guessed - measured.x).mean() < 0.06


def test_learning_ends_when_the_budget_does() -> None:
    """Four points to begin with, and two rounds of three; a third would be too much."""
    shots = 10
    lab = laboratory("ising", shots=shots, budget=(4 + 3 + 3 + 2) * 2 * shots)
    qnn = QNNConfig(n_starts=2, n_steps=3, n_layers=1)
    config = ActiveConfig(strategies=("uncertainty",), n_queries=3, n_rounds=5, n_more_rounds=0, qnn=qnn)
    result = learn("ising", QueriedCircuits.of(lab), [0, 1], config)
    assert result.n_known == [4, 7, 10]
    assert result.circuits == [8, 14, 20]
    assert result.shots == [80, 140, 200]
    assert np.array(result.curves["uncertainty"]).shape == (2, 3)


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (EngineConfig(name="lightning.qubit"), "shots"),
        (EngineConfig(name="statevector", shots=20), "must be a PennyLane device"),
        (EngineConfig(name="lightning.quibit", shots=20), r"lightning\.qubit"),
    ],
)
def test_what_measures_must_be_a_device_with_shots(engine: EngineConfig, says: str) -> None:
    with pytest.raises((QsynthError, ValueError), match=says):
        CircuitsConfig(chain="ising", engine=engine)
