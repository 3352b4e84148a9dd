"""Errors of real processors, as channels that a mixed-state device executes behind the gates."""

from typing import Any

import pennylane as qp
from pydantic import Field

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

    def disturbed(self, tape: Any, n_qubits: int) -> Any:
        """A circuit with errors behind its gates and before its measurements."""

        def depolarise(op: Any, **_: Any) -> None:
            for wire in op.wires:
                qp.DepolarizingChannel(self.one_qubit if len(op.wires) == 1 else self.two_qubit, wires=wire)

        model = qp.NoiseModel({qp.BooleanFn(lambda op: op.name != "GlobalPhase"): depolarise})
        [noisy], _ = qp.noise.add_noise(tape, model)
        # Y flips what is read in the bases Z and X.
        flips = [qp.PauliError("Y", self.readout, wires=wire) for wire in range(n_qubits)]
        return noisy.copy(operations=[*noisy.operations, *flips])
