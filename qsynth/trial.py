"""The settings of a trial: circuit, losses, hyperparameters, QNN, score."""

from typing import Self

from pydantic import Field, model_validator

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.engine import EngineConfig, choose
from qsynth.errors import did_you_mean
from qsynth.gan.losses import Penalty
from qsynth.hyperparameters import Tunables
from qsynth.qnn.fit import QNNConfig
from qsynth.score import ScoreConfig


class TrialConfig(Tunables):
    """One GAN training run, whatever data it learns."""

    n_qubits: int = Field(ge=1, le=100)
    ansatz: str = "ry_rx_cnot"
    engine: EngineConfig = EngineConfig()
    penalty: Penalty = "one_sided"
    qnn: QNNConfig = QNNConfig()
    score: ScoreConfig = ScoreConfig()

    @model_validator(mode="after")
    def _known_and_possible(self) -> Self:
        for path, name in (("ansatz", self.ansatz), ("qnn.ansatz", self.qnn.ansatz)):
            if name not in ANSAETZE:
                raise ValueError(f"{path} must be a registered ansatz; got {name!r}.{did_you_mean(name, ANSAETZE)}")
        choose(self.engine, self.n_qubits)
        return self
