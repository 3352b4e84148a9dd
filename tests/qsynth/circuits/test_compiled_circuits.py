"""Every ansatz as machine code, with unitaries of all wires and with matrices on groups of wires."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.func import grad, vmap

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.execution.compilation import CACHE, Compiler

LANES, BATCH, LAYERS = 2, 6, 2


@pytest.mark.slow
@pytest.mark.parametrize("n_qubits", [3, 9])
@pytest.mark.parametrize("ansatz", list(ANSAETZE))
def test_compiled_values_and_gradients_are_the_eager_ones(
    ansatz: str, n_qubits: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE, str(tmp_path))
    engine = StatevectorEngine(ANSAETZE[ansatz], n_qubits, LAYERS)

    def both(inputs: Tensor, weights: Tensor, mask: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        def total(inputs: Tensor, weights: Tensor) -> Tensor:
            values = engine.expectations(inputs, weights, mask)
            return (values * torch.arange(1.0, engine.n_outputs + 1)).sum()

        gradients = grad(total, argnums=(0, 1))(inputs, weights)
        return engine.expectations(inputs, weights, mask), gradients

    random = torch.Generator().manual_seed(n_qubits)
    inputs = torch.randn(LANES, BATCH, engine.n_inputs, generator=random)
    weights = torch.randn(LANES, LAYERS, engine.n_layer_weights, generator=random)
    mask = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    values, gradients = vmap(both)(inputs, weights, mask)
    compiled_values, compiled_gradients = Compiler(f"{ansatz} {n_qubits}")("both", vmap(both))(inputs, weights, mask)
    torch.testing.assert_close(compiled_values, values, rtol=0, atol=1e-5)
    torch.testing.assert_close(compiled_gradients, gradients, rtol=1e-4, atol=1e-4)
