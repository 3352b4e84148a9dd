"""How many circuits a device executes for a GAN iteration; hardware is billed by them."""

from typing import Any, NamedTuple

import pennylane as qp
import torch
from torch import Tensor

from qsynth.errors import QsynthError


class Iteration(NamedTuple):
    """What a GAN iteration asks of the circuit: outputs for ``fakes`` and ``batch`` rows, a gradient for the latter.

    Attributes:
        method: of the gradient, PennyLane's name of it.
        shots: a circuit's, None where circuits are exact.
        n_directions: random directions of ``method`` spsa.
    """

    fakes: int
    batch: int
    method: str
    shots: int | None
    n_directions: int = 1


class Work(NamedTuple):
    """Circuits that one GAN iteration executes, evaluations apart.

    Attributes:
        outputs: of the critic's fakes and of the generator's batch.
        gradient: of the generator's batch, by ``method``.
        shots: of all these circuits together, None where they are exact.
    """

    outputs: int
    gradient: int
    method: str
    shots: int | None


def work_of(tape: Any, asked: Iteration) -> Work:
    """By a circuit for each set of observables that can be measured together, and, for a gradient by parameter-shift,
    two circuits for each gate that turns by an input or a weight."""
    sets, _ = qp.transforms.split_non_commuting(tape)
    turning = sum(any(getattr(angle, "requires_grad", False) for angle in op.data) for op in tape.operations)
    of_a_gradient = {"backprop": 1, "adjoint": 1, "device": 1, "spsa": 2 * asked.n_directions * len(sets)}
    outputs = (asked.fakes + asked.batch) * len(sets)
    gradient = asked.batch * of_a_gradient.get(asked.method, 2 * turning * len(sets))
    shots = None if asked.shots is None else asked.shots * (outputs + gradient)
    return Work(outputs, gradient, asked.method, shots)


def best_method(device: str, n_qubits: int, shots: int | None) -> str:
    """How PennyLane differentiates circuits on a device where it may choose.

    Raises:
        QsynthError: the device can't be made here.
    """

    def circuit(angle: Tensor) -> Any:
        qp.RX(angle, wires=0)
        return qp.expval(qp.Z(0))

    try:
        made = qp.device(device, wires=n_qubits)
    except Exception as error:  # a plugin may raise anything when its hardware or library is absent
        raise QsynthError(f"engine {device!r} can't be used here: {' '.join(str(error).split())}") from None
    node = qp.set_shots(qp.QNode(circuit, made, interface="torch"), shots=shots)
    return str(qp.workflow.get_best_diff_method(node)(torch.zeros((), requires_grad=True)))
