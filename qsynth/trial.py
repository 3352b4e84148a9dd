"""The settings of a trial: circuit, losses, hyperparameters, QNN, score."""

from typing import Self

from pydantic import Field, model_validator

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.engine import STATEVECTOR, EngineConfig, build, choose
from qsynth.circuits.readout import PauliStrings, Words, find_readout
from qsynth.circuits.statevector import MAX_QUBITS, StatevectorEngine
from qsynth.errors import QsynthError, did_you_mean
from qsynth.gan.losses import Penalty
from qsynth.hyperparameters import Tunables
from qsynth.qnn.fit import QNNConfig
from qsynth.score import ScoreConfig


class TrialConfig(Tunables):
    """One GAN training run, whatever data it learns.

    Attributes:
        encoder: how inputs enter the circuit; left out: as the ansatz's own encoder has it.
    """

    n_qubits: int = Field(ge=1, le=100)
    ansatz: str = "ry_rx_cnot"
    encoder: str | None = None
    readout: str | Words = "z"
    engine: EngineConfig = EngineConfig()
    penalty: Penalty = "one_sided"
    qnn: QNNConfig = QNNConfig()
    score: ScoreConfig = ScoreConfig()

    @model_validator(mode="after")
    def _known_and_possible(self) -> Self:
        for path, name, encoder in (
            ("", self.ansatz, self.encoder),
            ("qnn.", self.qnn.ansatz, self.qnn.encoder),
        ):
            if name not in ANSAETZE:
                known = did_you_mean(name, ANSAETZE)
                raise ValueError(f"{path}ansatz must be a registered ansatz; got {name!r}.{known}")
            try:
                ANSAETZE[name].encoded(encoder)
            except QsynthError as error:
                raise ValueError(f"{path}{error}") from None
        readout, noise = find_readout(self.readout, self.n_qubits), self.engine.noise
        if noise is not None and noise.readout and isinstance(readout, PauliStrings):
            for word in readout.words(self.n_qubits):
                if "Y" in word:
                    raise ValueError(f"engine.noise.readout must be 0 where Y is read; got {word!r} in the readout")
        choose(self.engine, self.n_qubits)
        return self

    def circuit(self) -> StatevectorEngine | PennyLaneEngine:
        """The generator's circuit on its engine, with all layers of the capacity.

        Raises:
            QsynthError: the engine can't be made here.
        """
        return build(self.engine, self.ansatz, self.n_qubits, self.capacity.n_layers, self.readout, self.encoder)

    def exact_circuit(self, circuit: StatevectorEngine | PennyLaneEngine) -> StatevectorEngine | PennyLaneEngine:
        """The same circuit as ``circuit`` without noise, shots or price, where the statevector engine can hold it."""
        if (isinstance(circuit, StatevectorEngine) and circuit.shots is None) or self.n_qubits > MAX_QUBITS:
            return circuit
        return self.replaced(engine={"name": STATEVECTOR}).circuit()

    def check_outputs(self, n_features: int) -> None:
        """Refuse data with more features than the generator's circuit has outputs.

        Raises:
            QsynthError: more features.
        """
        n_outputs = find_readout(self.readout, self.n_qubits).n_outputs(self.n_qubits)
        if n_features > n_outputs:
            raise QsynthError(
                f"n_qubits must suffice for the data's {n_features} features; got {self.n_qubits}, of which readout "
                f"{self.readout!r} makes {n_outputs}"
            )

    def qnn_qubits(self, n_features: int, n_classes: int) -> int:
        """Qubits of the QNN: the generator's, or more where features or classes need them."""
        return max(self.n_qubits, n_features, n_classes)
