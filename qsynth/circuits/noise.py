"""Errors of real processors, as channels that a mixed-state device executes behind the gates."""

from typing import Any

import pennylane as qp
from pydantic import Field

from qsynth.circuits.program import GATES
from qsynth.config import Config

DEVICE = "default.mixed"


class NoiseConfig(Config):
    """Error probabilities.

    Attributes:
        one_qubit: of depolarising errors behind every gate on one qubit (``qp.DepolarizingChannel``).
        two_qubit: of the same on each qubit behind every larger gate.
        readout: that a qubit is read wrongly.
    """

    one_qubit: float = Field(0.0, ge=0, le=0.75)
    two_qubit: float = Field(0.0, ge=0, le=0.75)
    readout: float = Field(0.0, ge=0, le=0.5)

    def on_gates(self, node: Any) -> Any:
        """A QNode with errors behind its gates, after decomposition to those of the statevector engine."""

        def depolarise(op: Any, **_: Any) -> None:
            for wire in op.wires:
                qp.DepolarizingChannel(self.one_qubit if len(op.wires) == 1 else self.two_qubit, wires=wire)

        model = qp.NoiseModel({qp.BooleanFn(lambda op: op.name in GATES): depolarise})
        return qp.noise.add_noise(qp.transforms.decompose(node, gate_set={*GATES, "GlobalPhase", "PauliError"}), model)

    def on_readout(self, n_qubits: int) -> None:
        """Errors before the measurement; Y flips what is read in the bases Z and X."""
        for wire in range(n_qubits):
            qp.PauliError("Y", self.readout, wires=wire)
