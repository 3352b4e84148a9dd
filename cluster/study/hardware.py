"""The last stage of a study on real or noisy hardware: fine-tune the best generator there, and measure it."""

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from pydantic import Field, model_validator

from qsynth.circuits.engine import STATEVECTOR, EngineConfig, choose
from qsynth.circuits.spend import Spend
from qsynth.config import Config
from qsynth.errors import DeviceError, StudyError
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from qsynth.space.hyperparameters import NAMES, SHOTS, SIZES, SPARED
from rl_envs.tuner import EpisodeConfig


class Price(Config):
    """What a vendor bills, in any currency."""

    per_circuit: float = Field(0.0, ge=0)
    per_shot: float = Field(0.0, ge=0)
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$")

    def of(self, spend: Spend) -> float:
        """The bill."""
        return self.per_circuit * spend.circuits + self.per_shot * spend.shots

    def describe(self, spend: Spend) -> str:
        """Circuits, shots and, where there is a price, the bill."""
        counted = f"{spend.circuits:,} circuits, {spend.shots:,} shots"
        return f"{counted}, {self.of(spend):,.2f} {self.currency}" if self.of(spend) else counted


class HardwareConfig(Config):
    """A device, what may be spent on it, and how.

    Attributes:
        engine: the device, with finite shots.
        shot_budget: shots for everything; an iteration that it does not cover is not begun.
        n_decisions: how often the generator is measured on the device while it trains there.
        batch_size: rows of a GAN iteration on the device, each a circuit; n_critic: critic updates of one.
        n_rows: rows that the generator is measured with, before and after.
        hyperparameters: values to train with there, in place of the trial's last ones.
        timeout_s: for the iterations of one decision, queues included.
    """

    engine: EngineConfig
    shot_budget: int = Field(ge=1, le=10**15)
    n_decisions: int = Field(4, ge=1, le=1000)
    iterations_per_decision: int = Field(2, ge=1, le=10_000)
    batch_size: int = Field(8, ge=2, le=4096)
    n_critic: int = Field(1, ge=1, le=20)
    n_rows: int = Field(64, ge=32, le=100_000)
    hyperparameters: dict[str, float] = Field(default_factory=dict)
    price: Price = Price()
    timeout_s: float = Field(24 * 3600.0, gt=0)

    @model_validator(mode="after")
    def _is_a_device(self) -> Self:
        if self.engine.shots is None:
            raise ValueError("hardware.engine.shots must be given: devices are paid for by shots")
        free = [name for name in NAMES if name not in SIZES and name != SHOTS]
        wrong = [name for name in self.hyperparameters if name not in free]
        if wrong:
            raise ValueError(f"hardware.hyperparameters must be among {', '.join(free)}; got {wrong[0]!r}")
        return self

    def trial(self, trial: TrialConfig) -> TrialConfig:
        """The study's trial as it is executed on the device.

        Raises:
            QsynthError: the device is unknown or too small, a value is out of its limits, or the generator's rows are
                not a circuit's outputs.
        """
        if trial.patterns:
            raise StudyError("hardware needs trial.patterns left out: a device executes one circuit")
        if not trial.generator.circuit_rows(1, 0):
            kind = trial.generator.kind
            raise StudyError(f"hardware needs a generator whose rows are a circuit's outputs; got {kind}")
        sizes = {"batch_size": self.batch_size, "n_critic": self.n_critic}
        return trial.on(
            self.engine.model_dump(),
            capacity={**trial.capacity.model_dump(), **sizes},
            defaults={**self.hyperparameters, **sizes},
            search_space={n: each for n, each in trial.search_space.items() if n in SPARED and n != SHOTS},
            score={**trial.score.model_dump(), "n_rows": self.n_rows},
        )

    def simulated(self, trial: TrialConfig) -> TrialConfig:
        """The same on the exact simulator, to compare with."""
        return self.trial(trial).on({"name": STATEVECTOR})

    def episode(self) -> EpisodeConfig:
        """How the budget is divided."""
        return EpisodeConfig(
            n_decisions=self.n_decisions,
            iterations_per_decision=self.iterations_per_decision,
            step_timeout_s=self.timeout_s,
            shot_budget=self.shot_budget,
        )

    def start(self, snapshot: Snapshot) -> Snapshot:
        """The trained trial, with the sizes and values that it goes on with."""
        sizes = {"batch_size": float(self.batch_size), "n_critic": float(self.n_critic)}
        values = {**snapshot.hyperparameters, **self.hyperparameters, **sizes}
        values.pop(SHOTS, None)  # it takes all of its engine's shots
        return replace(snapshot, hyperparameters=values)

    def estimate(self, trial: TrialConfig) -> tuple[Spend, Spend]:
        """What the whole stage would take, and the least that makes sense: one iteration between two measurements.

        A measurement is of the validation rows, and of the test rows with other noise.

        Raises:
            QsynthError: the device can't be made here.
        """
        there = self.trial(trial)
        cost = functools.partial(there.cost, there.circuit(), n_classes=0, values={})
        measurement = cost(self.n_rows) * 2
        iteration = cost((there.n_critic + 1) * self.batch_size) + cost(self.batch_size, gradient=True)
        whole = measurement * (self.n_decisions + 1) + iteration * (self.n_decisions * self.iterations_per_decision)
        return whole, measurement * 2 + iteration

    def device_name(self, n_qubits: int) -> str:
        """The device and the machine behind it."""
        name = choose(self.engine, n_qubits).name
        return f"{name}/{self.engine.backend}" if self.engine.backend else name

    def check(self, trial: TrialConfig) -> str:
        """The estimate in words.

        Raises:
            QsynthError: the device can't be used, or the budget does not cover one iteration.
        """
        whole, least = self.estimate(trial)
        if least.shots > self.shot_budget:
            raise StudyError(
                f"hardware.shot_budget must be at least {least.shots:,}, for one iteration between two measurements of "
                f"{self.n_rows} rows; got {self.shot_budget:,}"
            )
        words = f"{self.device_name(trial.n_qubits)}: about {self.price.describe(whole)}"
        if whole.shots > self.shot_budget:
            words += f", of which the budget covers {self.shot_budget:,} shots"
        return words


def qpus(resources: Mapping[str, Any]) -> int:
    """How many devices a cluster offers.

    Raises:
        QsynthError: none.
    """
    found = int(resources.get("qpu", 0))
    if not found:
        raise DeviceError("the cluster must offer a qpu; start a node with: ray start --resources '{\"qpu\": 1}'")
    return found
