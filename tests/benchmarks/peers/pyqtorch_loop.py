"""pyqtorch in a torch loop, with automatic differentiation."""

from typing import Any

from torch import Tensor

from tests.benchmarks.peers.problem import LAYERS, required
from tests.benchmarks.peers.torch_loop import TorchLoop


def pyqtorch(n_qubits: int, n_lanes: int) -> TorchLoop:
    """The loop around ``pyqtorch.expectation``; lanes would follow one another.

    Raises:
        Skip: pyqtorch is not installed.
    """
    assert n_lanes == 1
    pyq: Any = required("pyqtorch")
    gates = [pyq.RX(wire, f"x{wire}") for wire in range(n_qubits)]
    names = []
    for layer in range(LAYERS):
        for wire in range(n_qubits):
            turns = f"y{layer}.{wire}", f"r{layer}.{wire}"
            gates += [pyq.RY(wire, turns[0]), pyq.RX(wire, turns[1])]
            names += turns
        if n_qubits > 1:
            gates += [pyq.CNOT(wire, (wire + 1) % n_qubits) for wire in range(n_qubits)]
    whole = pyq.QuantumCircuit(n_qubits, gates)
    observable = pyq.Observable([pyq.Z(0)])

    def circuit(angles: Tensor, weights: Tensor) -> Tensor:
        inputs = {f"x{wire}": column for wire, column in enumerate(angles.double().unbind(1))}
        values = inputs | dict(zip(names, weights.double().flatten().unbind(), strict=True))
        found: Tensor = pyq.expectation(whole, values=values, observable=observable, diff_mode=pyq.DiffMode.AD)
        return found.reshape(-1)

    return TorchLoop(circuit, n_qubits)
