"""Reading a quantum function into rotations and fixed gates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE, Ansatz
from qsynth.circuits.program import trace
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.errors import QsynthError


def own(layer: Callable[[int, Any, int], None], n_weights: int) -> Ansatz:
    return Ansatz("own", ANSAETZE["ry_rx_cnot"].embed, layer, lambda _: n_weights)


def every_gate(index: int, w: Any, n_qubits: int) -> None:
    """Affine angles, fixed gates with complex entries, gates that decompose, a gate between two segments."""
    qp.Hadamard(0)
    qp.RZ(2 * w[0] + 0.3, wires=1)
    qp.PauliY(1)
    qp.RX(w[1] - 0.5 * w[2], wires=0)
    qp.RY(0.7, wires=0)
    qp.S(0)
    qp.CZ([0, 1])
    qp.T(1)
    qp.SWAP([0, 1])
    qp.PhaseShift(w[0] * (index + 1), wires=1)
    qp.CRX(w[1], wires=[1, 0])
    qp.IsingXX(w[2], wires=[0, 1])
    qp.adjoint(qp.RY)(w[2], wires=0)
    qp.PauliX(0)
    qp.PauliZ(1)


def test_a_template_of_ones_own_runs_on_the_statevector_engine() -> None:
    random = torch.Generator().manual_seed(0)
    angles = torch.rand(3, 2, generator=random, dtype=torch.float64)
    weights = torch.randn(2, 3, generator=random, dtype=torch.float64, requires_grad=True)

    @qp.qnode(qp.device("default.qubit", wires=2), interface="torch")
    def circuit(row: Tensor, w: Tensor) -> Any:
        qp.RX(row[0], wires=0)
        qp.RX(row[1], wires=1)
        for index in range(2):
            every_gate(index, w[index], 2)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]

    engine = StatevectorEngine(own(every_gate, 3), 2, 2, torch.float64)
    found = engine.expectations(angles, weights, torch.ones(2, dtype=torch.float64))
    wanted = torch.stack([torch.stack(list(circuit(row, weights))) for row in angles])
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
    factor = torch.randn(3, 2, generator=random, dtype=torch.float64)
    gradients = [torch.autograd.grad((factor * values).sum(), weights)[0] for values in (found, wanted)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


def test_angles_are_read_as_an_affine_map() -> None:
    program = trace(lambda w: (qp.RX(2 * w[0] + 0.3, wires=0), qp.RY(w[1] - w[0], wires=0)), 2, 1)
    np.testing.assert_allclose(program.jacobian, [[2, 0], [-1, 1]], atol=1e-12)
    np.testing.assert_allclose(program.offset, [0.3, 0], atol=1e-12)


def test_a_layer_without_parameters_and_one_without_gates() -> None:
    """Fixed gates alone, constant angles alone, and nothing at all."""
    angles, weights = torch.tensor([[0.4, 1.1]], dtype=torch.float64), torch.zeros(1, 0, dtype=torch.float64)
    on = torch.ones(1, dtype=torch.float64)
    z = torch.cos(angles)

    def run(layer: Callable[[int, Any, int], None]) -> Tensor:
        return StatevectorEngine(own(layer, 0), 2, 1, torch.float64).expectations(angles, weights, on)

    torch.testing.assert_close(run(lambda *_: qp.SWAP([0, 1])), z.flip(1))
    torch.testing.assert_close(run(lambda *_: qp.RX(0.5, wires=1)), torch.cos(angles + torch.tensor([[0.0, 0.5]])))
    torch.testing.assert_close(run(lambda *_: None), z)


@pytest.mark.parametrize("angle", [lambda w: w[0] ** 2, lambda w: torch.sin(w[0]), lambda w: w[0] * w[1]])
def test_angles_that_are_not_affine_are_refused(angle: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(QsynthError, match="affine") as caught:
        trace(lambda w: qp.RX(angle(w), wires=0), 2, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("operation", [lambda: qp.AmplitudeDamping(0.1, wires=0), lambda: qp.measure(0)])
def test_operations_that_are_no_gates_are_refused(operation: Callable[[], Any]) -> None:
    with pytest.raises(QsynthError, match=r"must decompose to RX, RY, RZ.*; got") as caught:
        trace(lambda _: operation(), 1, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wire", [2, -1, "a"])
def test_wires_outside_are_refused(wire: Any) -> None:
    with pytest.raises(QsynthError, match=r"must use wires 0\.\.1; got"):
        trace(lambda w: qp.RX(w[0], wires=wire), 1, 2)


def test_an_embedding_that_entangles_is_refused() -> None:
    def entangling(angles: Any, n_qubits: int) -> None:
        qp.AngleEmbedding(angles, wires=range(n_qubits))
        qp.CNOT([0, 1])

    ansatz = Ansatz("mine", entangling, ANSAETZE["ry_rx_cnot"].layer, ANSAETZE["ry_rx_cnot"].n_layer_weights)
    with pytest.raises(QsynthError, match="embedding of ansatz 'mine' must not entangle"):
        StatevectorEngine(ansatz, 2, 1)
