"""What a generator or a QNN needs of an engine."""

from typing import Protocol

from torch import Tensor


class Circuit(Protocol):
    """What a generator or a QNN needs of an engine."""

    n_qubits: int
    n_layers: int
    n_inputs: int
    n_layer_weights: int
    n_outputs: int
    fingerprint: str

    def expectations(self, inputs: Tensor, weights: Tensor, layer_mask: Tensor) -> Tensor:
        """Batch x outputs, of ``inputs`` (batch x inputs), ``weights`` (layers x ...), ``layer_mask`` (layers).

        The statevector engine also takes the share of its shots that is wanted, where that may change.
        """
        ...
