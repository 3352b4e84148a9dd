"""Reading a quantum function into rotations and permutations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qp
import pytest
import torch
from torch import Tensor

from qsynth.circuits.ansatz import Ansatz
from qsynth.circuits.program import Diagonals, Permutation, Rotations, trace
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.errors import QsynthError


def own(layer: Callable[[int, Any, Any, int], None], n_weights: int) -> Ansatz:
    return Ansatz(name="own", layer=layer, n_layer_weights=lambda _: n_weights)


def every_gate(index: int, _inputs: Any, w: Any, n_qubits: int) -> None:
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
    qp.IsingZZ(w[0] - w[1], wires=[0, 1])
    qp.MultiRZ(0.4, wires=[0])
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
            every_gate(index, row, w[index], 2)
        return [qp.expval(qp.Z(0)), qp.expval(qp.Z(1))]

    engine = StatevectorEngine(own(every_gate, 3), 2, 2, torch.float64)
    found = engine.expectations(angles, weights, torch.ones(2, dtype=torch.float64))
    wanted = torch.stack([torch.stack(list(circuit(row, weights))) for row in angles])
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)
    factor = torch.randn(3, 2, generator=random, dtype=torch.float64)
    gradients = [torch.autograd.grad((factor * values).sum(), weights)[0] for values in (found, wanted)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-10)


def test_angles_are_read_as_an_affine_map() -> None:
    program = trace(lambda x, w: (qp.RX(2 * x[0] + 0.3, wires=0), qp.RY(w[0] - x[0], wires=0)), 1, 1, 1)
    np.testing.assert_allclose(program.jacobian, [[2, 0], [-1, 1]], atol=1e-12)
    np.testing.assert_allclose(program.offset, [0.3, 0], atol=1e-12)
    assert program.pairs.shape == (0, 2)


def test_angles_are_read_as_polynomials_of_second_degree() -> None:
    def function(x: Any, w: Any) -> None:
        qp.RZ(3 * x[0] * x[1] - x[1] ** 2 + w[0] + 0.1, wires=0)
        qp.RX(w[0], wires=0)

    program = trace(function, 2, 1, 1)
    p = np.array([0.3, -1.2, 0.7])
    products = p[program.pairs[:, 0]] * p[program.pairs[:, 1]]
    found = program.offset + program.jacobian @ p + program.quadratic @ products
    np.testing.assert_allclose(found, [3 * 0.3 * -1.2 - 1.2**2 + 0.7 + 0.1, 0.7], atol=1e-9)


def test_gates_on_different_wires_share_steps() -> None:
    def function(_x: Any, w: Any) -> None:
        qp.RX(w[0], wires=0)
        qp.CNOT([1, 2])
        qp.RY(w[1], wires=0)
        qp.CZ([2, 1])
        qp.RZ(w[2], wires=1)

    first, second = trace(function, 0, 3, 3).steps
    assert isinstance(first, Permutation)
    assert isinstance(second, Rotations)
    assert second.angles.tolist() == [[0, 2, -1], [1, -1, -1]]


def test_commuting_phases_are_one_step() -> None:
    def function(x: Any, w: Any) -> None:
        qp.IsingZZ(x[0], wires=[0, 2])
        qp.MultiRZ(2 * w[0], wires=[0, 1, 2])
        qp.RX(w[0], wires=1)
        qp.MultiRZ(w[0], wires=[1])

    first, second, third = trace(function, 1, 1, 3).steps
    assert isinstance(first, Diagonals)
    assert isinstance(second, Rotations)
    assert isinstance(third, Diagonals)
    z = np.array([1, -1])
    expected = [np.kron(np.kron(z, [1, 1]), z), np.kron(np.kron(z, z), z)]
    np.testing.assert_array_equal(first.signs, expected)
    assert (first.angles.tolist(), third.angles.tolist()) == ([0, 1], [3])


@pytest.mark.parametrize("gate", [qp.CNOT, qp.CZ, qp.SWAP, qp.Toffoli, qp.CCZ, qp.CSWAP])
def test_permutations_are_the_gates_matrices(gate: Any) -> None:
    wires = [2, 0, 3][: gate.num_wires]
    [step] = trace(lambda _x, _w: gate(wires=wires), 0, 0, 4).steps
    assert isinstance(step, Permutation)
    found = np.zeros((16, 16))
    found[np.arange(16), step.order] = step.signs
    np.testing.assert_allclose(found, qp.matrix(gate(wires=wires), wire_order=range(4)), atol=1e-12)


def test_a_layer_without_parameters_and_one_without_gates() -> None:
    """Fixed gates alone, constant angles alone, and nothing at all."""
    angles, weights = torch.tensor([[0.4, 1.1]], dtype=torch.float64), torch.zeros(1, 0, dtype=torch.float64)
    on = torch.ones(1, dtype=torch.float64)
    z = torch.cos(angles)

    def run(layer: Callable[[int, Any, Any, int], None]) -> Tensor:
        return StatevectorEngine(own(layer, 0), 2, 1, torch.float64).expectations(angles, weights, on)

    torch.testing.assert_close(run(lambda *_: qp.SWAP([0, 1])), z.flip(1))
    torch.testing.assert_close(run(lambda *_: qp.RX(0.5, wires=1)), torch.cos(angles + torch.tensor([[0.0, 0.5]])))
    torch.testing.assert_close(run(lambda *_: None), z)


@pytest.mark.parametrize("angle", [lambda w: w[0] ** 3, lambda w: torch.sin(w[0]), lambda w: w[0] ** 2 * w[1]])
def test_angles_of_a_higher_degree_are_refused(angle: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(QsynthError, match="at most second degree") as caught:
        trace(lambda _, w: qp.RX(angle(w), wires=0), 0, 2, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("operation", [lambda: qp.AmplitudeDamping(0.1, wires=0), lambda: qp.measure(0)])
def test_operations_that_are_no_gates_are_refused(operation: Callable[[], Any]) -> None:
    with pytest.raises(QsynthError, match=r"must decompose to RX, RY, RZ.*; got") as caught:
        trace(lambda *_: operation(), 0, 1, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wire", [2, -1, "a"])
def test_wires_outside_are_refused(wire: Any) -> None:
    with pytest.raises(QsynthError, match=r"must use wires 0\.\.1; got"):
        trace(lambda _, w: qp.RX(w[0], wires=wire), 0, 1, 2)


def test_circuits_are_told_apart_by_what_they_do() -> None:
    """Machine code is kept under the fingerprint, so an ansatz that is changed must not find that of the old one."""

    def layer(gate: Any, pairs: list[list[int]]) -> Callable[[int, Any, Any, int], None]:
        def made(_index: int, _inputs: Any, w: Any, _n_qubits: int) -> None:
            gate(w[0], wires=0)
            for pair in pairs:
                qp.CNOT(pair)

        return made

    def fingerprint(*changes: Any) -> str:
        return StatevectorEngine(own(layer(*changes), 1), 3, 2).fingerprint

    assert fingerprint(qp.RX, [[0, 1]]) == fingerprint(qp.RX, [[0, 1]])
    others = [(qp.RY, [[0, 1]]), (qp.RX, [[1, 0]]), (qp.RX, [[0, 2]]), (qp.RX, [])]
    assert len({fingerprint(qp.RX, [[0, 1]]), *(fingerprint(*other) for other in others)}) == 5
