"""The settings of a trial: circuit, networks, losses, hyperparameters, QNN, score."""

import functools
from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.circuit import Circuit
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.engine import STATEVECTOR, EngineConfig, build, choose
from qsynth.circuits.readout import PauliStrings, PauliWords, find_readout
from qsynth.circuits.sampling import shots_taken
from qsynth.circuits.spend import Spend
from qsynth.circuits.statevector import MAX_QUBITS, StatevectorEngine
from qsynth.errors import QsynthError, StudyError, did_you_mean
from qsynth.gan.critic import Critic
from qsynth.gan.generator import Generator
from qsynth.gan.kinds import CriticConfig, GeneratorConfig, LossName
from qsynth.gan.losses import LOSSES, Penalty
from qsynth.gan.mlp_critic import MLPCriticConfig
from qsynth.gan.quantum import QuantumGeneratorConfig
from qsynth.gan.update import DistanceUpdate, GanUpdate
from qsynth.metrics.score import ScoreConfig
from qsynth.qnn.fit import QNNConfig
from qsynth.qnn.lesson import Lesson
from qsynth.space.hyperparameters import NAMES, SCORE_WEIGHTS, SHOTS, SPARED, Tunables

ALWAYS = {*("lr_generator", "beta1", "batch_size", "weight_average"), *SCORE_WEIGHTS}
OF_CRITICS = {
    *("lr_critic", "n_critic", "instance_noise"),
    *("fidelity_weight", "adversarial_weight", "critic_start"),
}


class TrialConfig(Tunables):
    """One GAN training run, whatever data it learns.

    Attributes:
        encoder: how inputs enter the circuit; left out: as the ansatz's own encoder has it.
        patterns: ansaetze whose layers, with as many weights, hyperparameter ``pattern`` may put in place of the
            ansatz's: 1 the first of these, 2 the second. On the statevector engine.
        loss: ``wasserstein`` [Gunduz 2025], ``standard`` (minimax, as the second source paper has it),
            ``non_saturating``, ``hinge`` or ``relativistic``; see :mod:`qsynth.gan.losses`. ``energy`` and ``mmd`` are
            distances to the real rows without a critic; see :mod:`qsynth.gan.distances`.
        penalty: which side of the critic's slope the gradient penalty, which goes with any loss of a critic, is for;
            ``zero_centered`` is that of both real and fake rows (R1 and R2).
    """

    n_qubits: int = Field(ge=1, le=100)
    ansatz: str = "ry_rx_cnot"
    encoder: str | None = None
    patterns: tuple[str, ...] = Field((), max_length=8)
    readout: str | PauliWords = "z"
    engine: EngineConfig = EngineConfig()
    generator: GeneratorConfig = QuantumGeneratorConfig()
    critic: CriticConfig = MLPCriticConfig()
    loss: LossName = "wasserstein"
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
        self._check_patterns()
        self._check_loss()
        try:
            read = self.generator.readout(self.readout)
        except QsynthError as error:
            raise ValueError(str(error)) from None
        readout, noise = find_readout(read, self.n_qubits), self.engine.noise
        if noise is not None and noise.readout and isinstance(readout, PauliStrings):
            for word in readout.words(self.n_qubits):
                if "Y" in word:
                    raise ValueError(f"engine.noise.readout must be 0 where Y is read; got {word!r} in the readout")
        choose(self.engine, self.n_qubits)
        self._check_shots()
        for name in self.search_space:
            if name not in self.tunable:
                kinds = f"generator {self.generator.kind} and loss {self.loss}"
                if self.has_critic:
                    kinds = f"generator {self.generator.kind}, critic {self.critic.kind}, loss {self.loss}"
                    kinds += f" and penalty {self.penalty}"
                raise ValueError(f"search_space.{name} must be left out: it does nothing with {kinds}")
        return self

    def limits(self, name: str) -> tuple[float, float]:
        """Smallest and largest value of a hyperparameter here."""
        if name == SHOTS and self.engine.shots is not None:
            return 1.0, float(self.engine.shots)
        return (0.0, float(len(self.patterns))) if name == "pattern" else super().limits(name)

    def default(self, name: str) -> float:
        """What a hyperparameter starts at; shots that are left out are all of the engine's, 0 where it is exact."""
        if name == SHOTS and self.defaults.shots is None:
            return float(self.engine.shots or 0)
        return super().default(name)

    def _check_shots(self) -> None:
        """Refuse shots that nothing takes.

        Raises:
            ValueError: such shots.
        """
        named = {"search_space": SHOTS in self.search_space, "defaults": self.defaults.shots is not None}
        where = next((name for name, names_them in named.items() if names_them), None)
        if where is None or SHOTS not in self.generator.uses:  # what follows refuses those in the search space
            return
        most = self.engine.shots
        if most is None:
            raise ValueError(f"{where}.shots needs engine.shots, the most that may be taken")
        if not self._draws_shots:
            raise ValueError(f"{where}.shots must be left out on a device, whose shots are engine.shots")
        if self.default(SHOTS) > most:
            raise ValueError(f"defaults.shots must be at most engine.shots = {most}; got {self.defaults.shots:g}")

    def _check_loss(self) -> None:
        """Refuse networks that the loss has no use for.

        Raises:
            ValueError: such networks.
        """
        if not self.has_critic:
            for name in ("critic", "penalty"):
                if getattr(self, name) != TrialConfig.model_fields[name].default:
                    raise ValueError(f"{name} must be left out with loss {self.loss}, which needs no critic")
        elif LOSSES[self.loss].needs_real and self.generator.lists_rows:
            raise ValueError(f"loss must not be {self.loss} with generator {self.generator.kind}: it pairs drawn rows")

    def _check_patterns(self) -> None:
        """Refuse patterns that can't take the place of the ansatz's layers.

        Raises:
            ValueError: such patterns, or a ``pattern`` beyond them.
        """
        if self.defaults.pattern > len(self.patterns):
            raise ValueError(f"defaults.pattern must be within 0..{len(self.patterns)}; got {self.defaults.pattern}")
        if not self.patterns:
            return
        for name in self.patterns:
            if name not in ANSAETZE:
                raise ValueError(f"patterns must name registered ansaetze; got {name!r}.{did_you_mean(name, ANSAETZE)}")
            found, wanted = (ANSAETZE[each].n_layer_weights(self.n_qubits) for each in (name, self.ansatz))
            if found != wanted:
                raise ValueError(f"patterns must have the ansatz's {wanted} weights a layer; {name!r} has {found}")
        try:
            ANSAETZE[self.ansatz].with_patterns([ANSAETZE[name] for name in self.patterns])
        except QsynthError as error:
            raise ValueError(str(error)) from None
        if "pattern" not in self.generator.uses:
            raise ValueError(f"patterns must be left out with generator {self.generator.kind}")
        if choose(self.engine, self.n_qubits).name != STATEVECTOR:
            raise ValueError("patterns need the statevector engine")

    @property
    def tunable(self) -> frozenset[str]:
        """The hyperparameters that mean something to the trial's kinds."""
        found = frozenset(ALWAYS | self.generator.uses)
        if self.has_critic:
            of_losses = {"gp_weight": self.penalty != "none", "label_smoothing": LOSSES[self.loss].has_labels}
            found |= OF_CRITICS | self.critic.uses | {name for name, has in of_losses.items() if has}
        idle = ({SHOTS} if not self._draws_shots else set()) | ({"pattern"} if not self.patterns else set())
        return found - idle

    @property
    def has_critic(self) -> bool:
        """Whether the generator learns from a critic."""
        return self.loss in LOSSES

    @property
    def n_critic(self) -> int:
        """Critic updates of an iteration at most; 0 without a critic."""
        return self.capacity.n_critic if self.has_critic else 0

    @property
    def _draws_shots(self) -> bool:
        """Whether the statevector engine draws shots, or a generator without a circuit has noise as of shots."""
        if self.engine.shots is None:
            return False
        return not self.generator.circuit_rows(1, 1) or choose(self.engine, self.n_qubits).name == STATEVECTOR

    @property
    def used(self) -> tuple[str, ...]:
        """The hyperparameters that networks and updates are built with; others can't be changed."""

        def idle(name: str) -> bool:
            if name not in SPARED or name in self.search_space:
                return False
            nothing = SPARED[name]
            return self.default(name) == (self.limits(name)[1] if nothing is None else nothing)

        return tuple(name for name in NAMES if name in self.tunable and not idle(name))

    def circuit(self) -> StatevectorEngine | PennyLaneEngine:
        """The generator's circuit on its engine, with all layers of the capacity.

        A generator without a circuit is measured by what this one would have.

        Raises:
            QsynthError: the engine can't be made here.
        """
        readout = self.generator.readout(self.readout)
        n_layers = self.capacity.n_layers * (1 + len(self.patterns))
        return build(self.engine, self.ansatz, self.n_qubits, n_layers, readout, self.encoder, self.patterns)

    def exact_circuit(self, circuit: StatevectorEngine | PennyLaneEngine) -> StatevectorEngine | PennyLaneEngine:
        """The same circuit as ``circuit`` without noise, shots or price, where the statevector engine can hold it."""
        if (isinstance(circuit, StatevectorEngine) and circuit.shots is None) or self.n_qubits > MAX_QUBITS:
            return circuit
        return self.on({"name": STATEVECTOR}).circuit()

    def on(self, engine: Mapping[str, Any], **changes: Any) -> Self:
        """The same trial on another engine, whose circuits take all of its shots, with other fields changed."""
        space = {name: dimension for name, dimension in self.search_space.items() if name != SHOTS}
        defaults = {**self.defaults.model_dump(), **changes.pop("defaults", {}), SHOTS: None}
        return self.replaced(**{"engine": engine, "search_space": space, **changes, "defaults": defaults})

    @property
    def most_features(self) -> float:
        """How many features the generator makes at most."""
        n_outputs = find_readout(self.generator.readout(self.readout), self.n_qubits).n_outputs(self.n_qubits)
        return self.generator.most_features(self.n_qubits, n_outputs)

    def check_outputs(self, n_features: int) -> None:
        """Refuse data with more features than the generator makes, or that the critic can't see.

        Raises:
            QsynthError: such data.
        """
        if n_features > self.most_features:
            readout = self.generator.readout(self.readout)
            raise StudyError(
                f"n_qubits must suffice for the data's {n_features} features; got {self.n_qubits}, of which readout "
                f"{readout!r} makes {self.most_features} with generator {self.generator.kind}"
            )
        self.critic.check(n_features)

    def build_generator(self, circuit: Circuit, n_features: int, n_classes: int) -> Generator:
        """The generator, on a circuit that :meth:`circuit` made.

        Raises:
            QsynthError: more qubits than it takes.
        """
        return self.generator.build(circuit, n_features, n_classes, self.capacity)

    def build_critic(self, n_features: int, n_classes: int) -> Critic | None:
        """The critic, if there is one."""
        if not self.has_critic:
            return None
        return self.critic.build(n_features, n_classes, self.capacity, LOSSES[self.loss].minds_offset)

    def build_update(
        self, generator: Generator, n_features: int, n_classes: int, lesson: Lesson | None = None
    ) -> DistanceUpdate:
        """How the networks learn; where ``utility_weight`` may act, from a ``lesson`` too."""
        critic, capacity = self.build_critic(n_features, n_classes), self.capacity
        if critic is None:
            return DistanceUpdate(generator, capacity.batch_size, self.loss, lesson)
        return GanUpdate(generator, critic, capacity.batch_size, capacity.n_critic, self.penalty, self.loss, lesson)

    def cost(
        self,
        engine: StatevectorEngine | PennyLaneEngine,
        n_rows: int,
        n_classes: int,
        values: Mapping[str, float],
        gradient: bool = False,
    ) -> Spend:
        """What a generator's ``n_rows`` rows take on ``engine``, or in addition what its loss and gradient take, with
        these hyperparameters; shots that they lack are all of the engine's."""
        rows, passes = self.generator.circuit_rows(n_rows, n_classes), self.generator.n_passes
        total = engine.cost(rows)
        if gradient:
            total = engine.cost(rows * passes, gradient=True) + engine.cost(rows * (passes - 1))
        if SHOTS not in values or engine.shots is None:
            return total
        return Spend(total.circuits, total.shots // engine.shots * shots_taken(engine.shots, values[SHOTS]))

    def iteration_cost(
        self, engine: StatevectorEngine | PennyLaneEngine, values: Mapping[str, float], n_classes: int
    ) -> Spend:
        """What one GAN iteration of one trial with these hyperparameters takes on ``engine``."""
        cost, size = functools.partial(self.cost, engine, n_classes=n_classes, values=values), self.capacity.batch_size
        return cost(self.n_critic * size) + cost(size) + cost(int(values["batch_size"]), gradient=True)

    def qnn_qubits(self, n_features: int, n_classes: int) -> int:
        """Qubits of the QNN: the generator's, or more where features or classes need them."""
        return max(self.n_qubits, n_features, n_classes)
