"""What a generator or a QNN needs of an engine."""

from typing import Protocol

from torch import Tensor


class Circuit(Protocol):
    """What a generator or a QNN needs of an engine.

    Attributes:
        shots: that an output is estimated from, at most; None where outputs are exact.
    """

    n_qubits: int
    n_layers: int
    n_inputs: int
    n_layer_weights: int
    n_outputs: int
    shots: int | None
    fingerprint: str

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """Batch x outputs, of ``inputs`` (batch x inputs), ``weights`` (layers x ...), ``layer_mask`` (layers).

        The statevector engine also takes how many of its shots are wanted, where that may change.
        """
        ...
