"""Zero-noise extrapolation."""

import numpy as np
import pytest
import torch

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.mitigation import ZeroNoiseConfig
from qsynth.circuits.noise import NoiseConfig
from qsynth.circuits.options import DeviceOptions
from qsynth.config import parse
from qsynth.errors import QsynthError

INPUTS = torch.tensor([[0.3, 1.9], [-0.8, 0.4]], dtype=torch.float64)
WEIGHTS = torch.tensor([[0.2, -0.4, 1.1, 0.7]], dtype=torch.float64)
NOISE = NoiseConfig(one_qubit=0.01, two_qubit=0.03)
ON, OFF = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)


def engine(zero_noise: ZeroNoiseConfig | None = None, noise: NoiseConfig | None = NOISE) -> PennyLaneEngine:
    options = DeviceOptions(noise=noise, zero_noise=zero_noise)
    return PennyLaneEngine(ANSAETZE["ry_rx_cnot"], 2, 1, "default.mixed", options)


@pytest.mark.parametrize(("fit", "order"), [("linear", 1), ("quadratic", 2)])
def test_weights_extrapolate_polynomials_of_their_order_exactly(fit: str, order: int) -> None:
    config = parse(ZeroNoiseConfig, {"fit": fit, "scales": [1, 3, 5, 9]}, source="test")
    scales = np.array(config.scales)
    values = sum((power + 0.5) * scales**power for power in range(order + 1))
    assert config.weights @ values == pytest.approx(0.5)


def test_an_embedding_is_folded_into_odd_powers_of_its_error() -> None:
    """Folded k times, RX(t) suffers 2k + 1 times: <Z> = f^(2k + 1) cos t, where f = 1 - 4p/3."""
    config = ZeroNoiseConfig(scales=(1, 3), fit="linear")
    found = engine(config).expectations(INPUTS, WEIGHTS, OFF)
    error = 1 - 4 * 0.01 / 3
    wanted = (1.5 * error - 0.5 * error**3) * torch.cos(INPUTS)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("fit", ["linear", "quadratic"])
def test_values_and_gradients_come_closer_to_those_without_noise(fit: str) -> None:
    config = parse(ZeroNoiseConfig, {"fit": fit}, source="test")
    engines = engine(noise=None), engine(), engine(config)
    values = [made.expectations(INPUTS, WEIGHTS, ON) for made in engines]
    slopes = [
        torch.func.grad(lambda w, made=made: made.expectations(INPUTS, w, ON).sum())(WEIGHTS)  # type: ignore[misc]
        for made in engines
    ]
    for ideal, noisy, mitigated in (values, slopes):
        assert (mitigated - ideal).abs().max() < 0.5 * (noisy - ideal).abs().max()
    assert engines[2].cost(2).circuits == 6


def test_without_noise_nothing_changes() -> None:
    plain, folded = engine(noise=None), engine(ZeroNoiseConfig(), noise=None)
    torch.testing.assert_close(
        folded.expectations(INPUTS, WEIGHTS, ON), plain.expectations(INPUTS, WEIGHTS, ON), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"scales": [1]},
        {"scales": [1, 1]},
        {"scales": [1, 2]},
        {"scales": [-1, 1]},
        {"fit": "quadratic", "scales": [1, 3]},
    ],
)
def test_too_few_or_impossible_scales_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(QsynthError, match=r"zero_noise\.scales must be at least [23] different odd numbers; got \["):
        parse(ZeroNoiseConfig, bad, source="study")
