"""Shots of ground states against exact probabilities, and what symmetry asks of these."""

import numpy as np
import pytest
from scipy.stats import chisquare

from qsynth.config import Config, parse
from qsynth.data.quantum.bitstrings import GroundStateBits
from qsynth.data.quantum.ising import IsingChain, at_fields
from qsynth.data.quantum.measurement import Floats
from qsynth.data.sources import DataConfig
from qsynth.errors import QsynthError
from qsynth.gan.born import grid
from qsynth.population.trial import TrialConfig
from qsynth.synthesizer import QGANSynthesizer


class Study(Config):
    data: DataConfig


def bits(n_qubits: int) -> Floats:
    """Of all strings, the first qubit's first, 2^n x n."""
    return np.array([[int(bit) for bit in f"{string:0{n_qubits}b}"] for string in range(2**n_qubits)], dtype=float)


@pytest.mark.parametrize("n_qubits", [6, 8])
def test_probabilities_give_the_energy_of_free_fermions(n_qubits: int) -> None:
    field = 0.8
    along_z, along_x = (
        GroundStateBits(n_qubits=n_qubits, field=field, basis=basis).probabilities() for basis in ("z", "x")
    )
    spins = 1 - 2 * bits(n_qubits)
    energy = -along_z @ (spins[:, 1:] * spins[:, :-1]).sum(axis=1) - field * along_x @ spins.sum(axis=1)
    pairs = field * np.eye(n_qubits) + np.eye(n_qubits, k=1)
    assert energy == pytest.approx(-np.linalg.svd(pairs, compute_uv=False).sum())


def test_symmetries() -> None:
    along_z, along_x = (GroundStateBits(field=0.5, basis=basis).probabilities() for basis in ("z", "x"))
    np.testing.assert_allclose(along_z, along_z[::-1], atol=1e-12)
    odd = bits(6).sum(axis=1) % 2 == 1
    assert along_x[odd].max() == 0.0
    assert along_x[~odd].min() > 1e-9
    assert along_z.sum() == pytest.approx(along_x.sum()) == pytest.approx(1.0)


def test_probabilities_tell_all_of_the_state() -> None:
    """Roots of those along Z are the amplitudes."""
    data = GroundStateBits(n_qubits=5, field=1.3, basis="z")
    state = IsingChain().ground(5, at_fields(np.array([1.3])))[0]
    np.testing.assert_allclose(np.sqrt(data.probabilities()), np.abs(state), atol=1e-9)
    assert (state > 0).all() or (state < 0).all()


@pytest.mark.parametrize("basis", ["x", "z"])
@pytest.mark.parametrize("n_qubits", [6, 10])
def test_shots_follow_the_probabilities(n_qubits: int, basis: str) -> None:
    data = GroundStateBits.model_validate({"n_qubits": n_qubits, "basis": basis, "n_test": 50_000})
    instance = data.instance(0, held_out=True)
    counts = np.bincount(data.strings(instance.test.x), minlength=2**n_qubits)
    wanted = 50_000 * data.probabilities()
    likely = wanted > 5
    assert chisquare(counts[likely], wanted[likely] * counts[likely].sum() / wanted[likely].sum()).pvalue > 1e-3
    assert abs(counts[~likely].sum() - wanted[~likely].sum()) < 5 * np.sqrt(wanted[~likely].sum() + 1)
    assert instance.key == f"ising-{n_qubits}-{basis}#held-0:1.00"


def test_rows_lie_on_the_grid_of_a_born_machine() -> None:
    data = GroundStateBits(n_qubits=4)
    x = data.instance(0, held_out=False).train.x
    np.testing.assert_allclose(x, grid(4, 4, -0.9, 0.9)[data.strings(x)], atol=1e-6)


def test_a_born_machine_learns_them() -> None:
    sizes = {"n_layers": 2, "batch_size": 32}
    config = TrialConfig(
        n_qubits=4,
        generator={"kind": "born"},
        loss="energy",
        capacity=sizes,
        defaults=sizes,
        score={"balance": 0, "utility": 0, "n_rows": 32},
    )
    synthesizer = QGANSynthesizer(config, n_iterations=2, evaluate_every=2, random_state=0, verbose=False)
    rows = synthesizer.fit(GroundStateBits(n_qubits=4, n_train=32)).sample(20)
    assert list(rows.columns)[:4] == ["bit_0", "bit_1", "bit_2", "bit_3"]
    np.testing.assert_allclose(np.abs(rows.iloc[:, :4] - 0.5), 0.5, atol=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_qubits": 11}, "less than or equal to 10"),
        ({"field": 0}, r"greater than or equal to 0\.05"),
        ({"basis": "y"}, "'x' or 'z'"),
    ],
)
def test_what_it_cannot_read_is_said(values: dict[str, object], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        parse(Study, {"data": {"kind": "bitstrings", **values}}, source="study")
