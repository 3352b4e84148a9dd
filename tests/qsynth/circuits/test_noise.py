"""Errors behind gates and before the measurement."""

import math

import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.engine import EngineConfig, build, choose
from qsynth.circuits.noise import NoiseConfig
from qsynth.circuits.options import DeviceOptions
from qsynth.errors import QsynthError

ANGLES = torch.tensor([[0.3, 1.9], [-0.8, 0.4]], dtype=torch.float64)


def engine(measured: str = "z", shots: int | None = None, **noise: float) -> PennyLaneEngine:
    options = DeviceOptions(shots=shots, noise=NoiseConfig(**noise))
    return PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 2, 1, "default.mixed", options, measured)


def test_errors_of_an_embedding_shrink_its_expectations() -> None:
    """RX(t) then depolarisation p then a flip q: <Z> = (1 - 4p/3)(1 - 2q) cos t."""
    off, weights = torch.zeros(1, dtype=torch.float64), torch.zeros(1, 4, dtype=torch.float64)
    found = engine(one_qubit=0.06, two_qubit=0.5, readout=0.1).expectations(ANGLES, weights, off)
    torch.testing.assert_close(found, 0.92 * 0.8 * torch.cos(ANGLES), rtol=0, atol=1e-10)


@pytest.mark.parametrize("readout", ["z", "zx"])
def test_each_kind_of_error_moves_a_circuit_towards_0_and_none_changes_nothing(readout: str) -> None:
    random = torch.Generator().manual_seed(3)
    weights = torch.randn(1, 4, generator=random, dtype=torch.float64)
    on = torch.ones(1, dtype=torch.float64)
    clean = build(EngineConfig(name="statevector"), "ry_rx_cnot", 2, 1, readout)
    ideal = clean.expectations(ANGLES.float(), weights.float(), on.float()).double()
    torch.testing.assert_close(engine(readout).expectations(ANGLES, weights, on), ideal, rtol=0, atol=1e-5)
    for kind in ("one_qubit", "two_qubit", "readout"):
        sizes = [engine(readout, **{kind: p}).expectations(ANGLES, weights, on).abs().sum() for p in (0, 0.05, 0.2)]
        assert sizes[0] > 1.05 * sizes[1] > 1.05 * sizes[2]
    flipped = engine(readout, readout=0.1).expectations(ANGLES, weights, on)
    torch.testing.assert_close(engine(readout, readout=0.5).expectations(ANGLES, weights, on), 0 * flipped)


def test_gradients_are_those_of_the_noisy_circuit() -> None:
    weights, on = torch.tensor([[0.2, -0.4, 1.1, 0.7]], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    made = engine(one_qubit=0.02, two_qubit=0.05, readout=0.03)
    gradient = torch.func.grad(lambda w: made.expectations(ANGLES, w, on).sum())(weights)
    for index in range(4):
        shift = torch.zeros_like(weights)
        shift[0, index] = math.pi / 2
        values = [made.expectations(ANGLES, weights + sign * shift, on).sum() for sign in (1, -1)]
        assert gradient[0, index] == pytest.approx(float(values[0] - values[1]) / 2, abs=1e-7)


def test_shots_scatter_around_the_noisy_circuit() -> None:
    weights, on = torch.tensor([[0.2, -0.4, 1.1, 0.7]], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    noise = {"one_qubit": 0.02, "two_qubit": 0.05, "readout": 0.1}
    exact, sampled = (engine(shots=shots, **noise).expectations(ANGLES, weights, on) for shots in (None, 4000))
    assert ((exact - sampled).abs() < 5 * ((1 - exact**2) / 4000).sqrt()).all()
    assert not torch.equal(exact, sampled)


def test_noise_chooses_its_device() -> None:
    config = EngineConfig(noise=NoiseConfig(one_qubit=0.01))
    assert choose(config, 3).name == "default.mixed"
    assert build(config, "ry_rx_cnot", 2, 1).name == "default.mixed"
    with pytest.raises(QsynthError, match=r"engine\.noise needs engine default\.mixed.* got 'lightning"):
        choose(config.replaced(name="lightning.qubit"), 3)
    with pytest.raises(QsynthError, match="n_qubits must fit in memory"):
        choose(config, 20)
