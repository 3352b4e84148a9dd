"""PennyLane in a torch loop: default.qubit with backpropagation and broadcasting, lightning.qubit with the adjoint."""

import functools

import pennylane as qp
from torch import Tensor

from qsynth.circuits.ansatz import ANSAETZE
from tests.benchmarks.peers.problem import ANSATZ, LAYERS
from tests.benchmarks.peers.torch_loop import TorchLoop


def pennylane(device: str, differentiation: str, n_qubits: int, n_lanes: int) -> TorchLoop:
    """The loop around a QNode; lanes would follow one another."""
    assert n_lanes == 1
    layer = ANSAETZE[ANSATZ].layer

    @qp.qnode(qp.device(device, wires=n_qubits), interface="torch", diff_method=differentiation)
    def circuit(angles: Tensor, weights: Tensor) -> object:
        qp.AngleEmbedding(angles, wires=range(n_qubits))
        for index in range(LAYERS):
            layer(index, angles, weights[index], n_qubits)
        return qp.expval(qp.Z(0))

    return TorchLoop(circuit, n_qubits)


default_qubit = functools.partial(pennylane, "default.qubit", "backprop")
lightning_qubit = functools.partial(pennylane, "lightning.qubit", "adjoint")
