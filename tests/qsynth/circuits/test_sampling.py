"""Finite shots on the statevector engine: outcomes with the circuit's probabilities, as a pure function."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.options import DeviceOptions
from qsynth.circuits.readout import PauliWords
from qsynth.circuits.sampling import AT_ONCE, shots_taken
from qsynth.circuits.statevector import StatevectorEngine

ANSATZ = ANSAETZE["strongly_entangling"]
ON = torch.ones(2, dtype=torch.float64)
STRINGS = ("XYZ", "ZZI", "IYZ", "YII", "IIX")
READOUTS: list[str | PauliWords] = ["z", "zx", "probabilities", STRINGS]


def engine(readout: str | PauliWords = "z", shots: int | None = None, n_qubits: int = 3) -> StatevectorEngine:
    return StatevectorEngine(ANSATZ, n_qubits, 2, torch.float64, readout, shots)


def problem(batch: int, n_qubits: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Inputs, and weights."""
    random = torch.Generator().manual_seed(seed)
    inputs = torch.randn(batch, n_qubits, generator=random, dtype=torch.float64)
    return inputs, torch.randn(2, 3 * n_qubits, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("readout", READOUTS, ids=str)
@pytest.mark.parametrize("n_qubits", [3, 8])
def test_estimates_scatter_around_the_circuit_as_they_should(readout: str | PauliWords, n_qubits: int) -> None:
    """Each within five standard errors, and all together with the variance of their shots."""
    shots = 1000
    if isinstance(readout, tuple):
        readout = tuple(word + "I" * (n_qubits - 3) for word in readout)
    inputs, weights = problem(100, n_qubits)
    exact = engine(readout, None, n_qubits).expectations(inputs, weights, ON)
    found = engine(readout, shots, n_qubits).expectations(inputs, weights, ON)
    variance = (1 - exact**2) / shots
    likely = variance > 10 * (2 / shots) ** 2  # where at least about ten shots tell either way
    assert likely[:, :3].all() or readout == "probabilities"
    scores = ((found - exact) / variance.sqrt())[likely]
    assert (scores.abs() < 5).all()
    # Outputs of one row are correlated where they share shots, so rows are counted, at one output each.
    column = int(likely.sum(dim=0).argmax())
    squares = (((found - exact) ** 2 / variance)[:, column])[likely[:, column]]
    assert 0.001 < stats.chi2.cdf(float(squares.sum()), len(squares)) < 0.999


@pytest.mark.parametrize("shots", [64, 4 * AT_ONCE])
def test_equal_rows_are_independent_and_multinomial(shots: int) -> None:
    """The shots of a row that are drawn apart are independent too, or their mean would scatter more."""
    inputs, weights = problem(1)
    rows = inputs.expand(3000, -1)
    shares = (engine("probabilities", shots).expectations(rows, weights, ON) + 1) / 2
    probabilities = (engine("probabilities").expectations(inputs, weights, ON)[0] + 1) / 2
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(3000, dtype=torch.float64))
    expected = (torch.diag(probabilities) - torch.outer(probabilities, probabilities)) / shots
    found = torch.cov(shares.T)
    spread = ((expected**2 + torch.outer(expected.diag(), expected.diag())) / 3000).sqrt()
    assert ((found - expected).abs() < 5 * spread + 1e-9).all()
    counts = shots * shares.sum(dim=0)
    assert stats.chisquare(counts, 3000 * shots * probabilities).pvalue > 0.001
    centred = (shares - probabilities)[:, 0]
    lag = (centred[1:] * centred[:-1]).mean() / expected[0, 0]
    assert abs(float(lag)) < 5 / 3000**0.5


def test_few_shots_are_binomial() -> None:
    inputs, weights = problem(1)
    rows, shots = inputs.expand(4000, -1), 3
    plus = (engine("z", shots).expectations(rows, weights, ON)[:, 1] + 1) / 2 * shots
    chance = (engine("z").expectations(inputs, weights, ON)[0, 1].item() + 1) / 2
    found = np.bincount(plus.round().int().numpy(), minlength=shots + 1)
    assert stats.chisquare(found, 4000 * stats.binom.pmf(np.arange(shots + 1), shots, chance)).pvalue > 0.001


@pytest.mark.parametrize("readout", READOUTS, ids=str)
def test_one_shot_says_yes_or_no(readout: str | PauliWords) -> None:
    found = engine(readout, 1).expectations(*problem(50), ON)
    assert set(found.unique().tolist()) == {-1.0, 1.0}
    if readout == "probabilities":
        assert ((found == 1).sum(dim=1) == 1).all()


def test_certain_outcomes_are_certain() -> None:
    """X on the first qubit of three: <Z> is exact whatever the shots."""
    made = StatevectorEngine(ANSAETZE["ry_rx_cnot"], 3, 1, torch.float64, "z", 77)
    inputs = torch.tensor([[np.pi, 0, 0]], dtype=torch.float64)
    found = made.expectations(inputs, torch.zeros(1, 6, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))
    assert found.tolist() == [[-1.0, 1.0, 1.0]]


def test_a_call_repeats_bit_for_bit_and_any_change_draws_anew() -> None:
    made, (inputs, weights) = engine("zx", 100), problem(20)
    found = made.expectations(inputs, weights, ON)
    assert torch.equal(found, engine("zx", 100).expectations(inputs.clone(), weights.clone(), ON))
    exact = engine("zx").expectations(inputs, weights, ON)
    for other in (
        made.expectations(inputs * (1 + 1e-15), weights, ON),
        made.expectations(inputs, weights * (1 + 1e-15), ON),
        made.expectations(inputs.flip(0), weights, ON).flip(0),
    ):
        assert (other != found).double().mean() > 0.5
        correlation = torch.corrcoef(torch.stack([(other - exact).ravel(), (found - exact).ravel()]))[0, 1]
        assert abs(float(correlation)) < 5 / found.numel() ** 0.5


def test_bases_of_one_row_are_independent() -> None:
    made = engine(("IZI", "IXI"), 10)
    inputs = torch.zeros(2000, 3, dtype=torch.float64)
    weights = torch.zeros(2, 9, dtype=torch.float64)
    weights[0, 1] = np.pi / 4
    off = torch.tensor([1, 0], dtype=torch.float64)
    exact = engine(("IZI", "IXI")).expectations(inputs[:1], weights, off)
    found = made.expectations(inputs, weights, off) - exact
    assert abs(float(torch.corrcoef(found.T)[0, 1])) < 5 / 2000**0.5


@pytest.mark.parametrize("readout", READOUTS, ids=str)
def test_the_gradient_is_that_of_the_exact_outputs(readout: str | PauliWords) -> None:
    inputs, weights = problem(4)

    def slopes(made: StatevectorEngine) -> tuple[Tensor, Tensor]:
        return torch.func.jacrev(lambda x, w: made.expectations(x, w, ON), argnums=(0, 1))(inputs, weights)

    for found, wanted in zip(slopes(engine(readout, 7)), slopes(engine(readout)), strict=True):
        assert wanted.abs().max() > 0.1
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("readout", READOUTS, ids=str)
def test_lanes_are_what_they_are_alone(readout: str | PauliWords) -> None:
    made = engine(readout, 50)
    lanes = [problem(6, seed=seed) for seed in range(3)]
    inputs, weights = (torch.stack(parts) for parts in zip(*lanes, strict=True))
    together = torch.func.vmap(made.expectations, in_dims=(0, 0, None))(inputs, weights, ON)
    shared = torch.func.vmap(made.expectations, in_dims=(0, None, None))(inputs, weights[0], ON)
    for lane in range(3):
        torch.testing.assert_close(together[lane], made.expectations(inputs[lane], weights[lane], ON))
        torch.testing.assert_close(shared[lane], made.expectations(inputs[lane], weights[0], ON))


@pytest.mark.parametrize("readout", READOUTS, ids=str)
def test_some_of_the_shots_estimate_as_so_many_would(readout: str | PauliWords) -> None:
    made, (inputs, weights) = engine(readout, 200), problem(1)
    rows = inputs.expand(4000, -1)
    exact = engine(readout).expectations(inputs, weights, ON)
    for wanted, taken in ((0.0, 1), (10.0, 10), (100.4, 100)):
        assert shots_taken(200, wanted) == taken
        found = made.expectations(rows, weights, ON, torch.tensor(wanted))
        torch.testing.assert_close((found + 1) / 2 * taken, ((found + 1) / 2 * taken).round(), rtol=0, atol=1e-9)
        variance = (1 - exact[0] ** 2) / taken
        torch.testing.assert_close(found.var(dim=0), variance, rtol=0.2, atol=1e-9)
        assert ((found.mean(dim=0) - exact[0]).abs() < 5 * (variance / len(rows)).sqrt() + 1e-9).all()


def test_as_many_shots_as_there_are_or_more_are_all_of_them() -> None:
    made, (inputs, weights) = engine("zx", 30), problem(5)
    for wanted in (30.0, 99.0):
        found = made.expectations(inputs, weights, ON, torch.tensor(wanted))
        assert torch.equal(found, made.expectations(inputs, weights, ON))
        assert shots_taken(30, wanted) == 30
    several = torch.tensor([30.0, 3.0])
    lanes = torch.func.vmap(made.expectations, in_dims=(None, None, None, 0))(inputs, weights, ON, several)
    for lane, wanted in zip(lanes, several, strict=True):
        assert torch.equal(lane, made.expectations(inputs, weights, ON, wanted))


@pytest.mark.parametrize("readout", READOUTS, ids=str)
def test_shots_are_spent_as_on_a_device(readout: str | PauliWords) -> None:
    inputs, weights = problem(2)
    theirs = PennyLaneEngine(ANSATZ, 3, 2, "default.qubit", DeviceOptions(shots=10), readout)
    theirs.expectations(inputs, weights, ON)
    assert theirs.ledger.spent.shots == theirs.cost(2).shots == engine(readout, 10).cost(2).shots


def test_shots_and_readout_are_part_of_the_fingerprint() -> None:
    """Machine code is kept under it, and a readout's name may come to stand for other strings."""
    made = [engine("z"), engine("z", 10), engine("z", 11), engine("zx"), engine(("ZII", "IZI"))]
    assert len({each.fingerprint for each in made}) == 5
    assert engine("z").fingerprint == engine(("ZII", "IZI", "IIZ")).fingerprint
    assert engine("z").cost(5).shots == engine("z", 10).cost(5, gradient=True).shots == 0


def test_shots_take_memory() -> None:
    exact, few, many = (engine(shots=shots).state_bytes(10, True) for shots in (None, 10, 10 * AT_ONCE))
    assert exact < few < many
    assert many == engine(shots=100 * AT_ONCE).state_bytes(10, True)
