"""What a study may say of a PennyLane device."""

from typing import Literal

from pydantic import Field

from qsynth.circuits.mitigation import ZeroNoiseConfig
from qsynth.circuits.noise import NoiseConfig
from qsynth.config import Config

Differentiation = Literal["best", "backprop", "adjoint", "parameter-shift", "spsa"]


class SpsaConfig(Config):
    """Simultaneous perturbation (Spall 1992): gradients from two circuits a direction, however many parameters.

    Attributes:
        step: of the finite differences, in radians; PennyLane's 1e-5 drowns in the noise of finite shots.
        directions: random ones to average over.
    """

    step: float = Field(0.1, gt=0, le=1)
    directions: int = Field(4, ge=1, le=1000)


class DeviceOptions(Config):
    """Settings of a PennyLane device.

    Attributes:
        shots: left out: exact expectation values, which hardware has not.
        backend: the vendor's machine, e.g. ``FakeManilaV2``; see :mod:`qsynth.circuits.vendors`.
        account: name of the IBM account that qiskit-ibm-runtime has saved.
        zero_noise: error mitigation, at a cost of one circuit a scale.
    """

    differentiation: Differentiation = "best"
    shots: int | None = Field(None, ge=1, le=10_000_000)
    backend: str | None = None
    account: str | None = None
    noise: NoiseConfig | None = None
    spsa: SpsaConfig = SpsaConfig()
    zero_noise: ZeroNoiseConfig | None = None
