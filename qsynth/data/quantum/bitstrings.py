"""Bits that a ground state gives when it is read, for generators that make bits."""

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qsynth.data.dataset import Instance, Split, instance_key, instance_stream
from qsynth.data.quantum.ising import IsingChain, at_fields
from qsynth.data.quantum.measurement import Floats, probabilities
from qsynth.data.scaling import Scaling
from qsynth.data.source import DataSource

Shots = Annotated[int, Field(ge=8, le=1_000_000)]


class GroundStateBits(DataSource):
    """Shots of one ground state of the Ising chain, all qubits in one basis, one class; a seed is another sample.

    The state is that of :class:`qsynth.data.quantum.ising.IsingChain`, which is even. So in Z a string is as likely as
    the one with all bits turned over, and in X only strings with an even number of ones occur, half of all. By the
    theorem of Perron and Frobenius all amplitudes have one sign in either basis: probabilities tell all of the state.

    A row is one shot, a column a bit, the first qubit's first; scaled it is -0.9 for 0 and 0.9 for 1, as the grid of a
    Born machine with as many qubits as columns has it.

    Attributes:
        n_qubits: bits of a row.
        field: h of the chain, over its coupling.
        basis: of the shots.
        n_train: shots in ``train``, and in ``reserve``.
        n_validation: shots in ``validation``.
        n_test: shots in ``test``.
    """

    kind: Literal["bitstrings"] = "bitstrings"
    n_qubits: int = Field(6, ge=2, le=10)
    field: float = Field(1.0, ge=0.05, le=10)
    basis: Literal["x", "z"] = "x"
    n_train: Shots = 100
    n_validation: Shots = 1000
    n_test: Shots = 10_000

    @property
    def title(self) -> str:
        return f"ising-{self.n_qubits}-{self.basis}"

    @property
    def width(self) -> int:
        """d of the scaled space."""
        return self.n_qubits

    def probabilities(self) -> Floats:
        """Of all 2^n_qubits strings, exactly; the first bit is the highest."""
        return _probabilities(self.n_qubits, self.field, self.basis)

    def strings(self, x: NDArray[np.float32]) -> NDArray[np.int64]:
        """Scaled rows (n x n_qubits) as indices into :meth:`probabilities`."""
        places = np.arange(self.n_qubits)[::-1]
        return np.asarray(((x > 0).astype(np.int64) << places).sum(axis=1))

    def instance(self, seed: int, held_out: bool) -> Instance:
        """The shots of this seed; the key ends with the field, e.g. ``ising-6-x#held-0:1.00``.

        Raises:
            QsynthError: a negative seed.
        """
        sizes = (self.n_train, self.n_train, self.n_validation, self.n_test)
        scaling, of_strings = Scaling.between(0.0, 1.0, self.n_qubits), self.probabilities()
        places = np.arange(self.n_qubits)[::-1]

        def sample(use: int, size: int) -> Split:
            strings = instance_stream(seed, held_out, use).choice(len(of_strings), size, p=of_strings)
            bits = strings[:, None] >> places & 1
            return Split(scaling.forward(bits.astype(np.float64)), np.zeros(size, dtype=np.int64))

        train, reserve, validation, test = (sample(use, size) for use, size in enumerate(sizes, start=1))
        return Instance(
            key=f"{instance_key(self.title, seed, held_out)}:{self.field:.2f}",
            train=train,
            reserve=reserve,
            validation=validation,
            test=test,
            class_names=("all",),
            feature_names=tuple(f"bit_{qubit}" for qubit in range(self.n_qubits)),
            scaling=scaling,
        )


@lru_cache(maxsize=32)
def _probabilities(n_qubits: int, field: float, basis: str) -> Floats:
    state = IsingChain().ground(n_qubits, at_fields(np.array([field])))
    found: Floats = probabilities(state, basis.upper() * n_qubits)[0]
    found.flags.writeable = False
    return found
