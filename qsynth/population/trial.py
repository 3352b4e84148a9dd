"""A trial: its settings, and how circuit, networks and updates are made of them."""

import functools
from collections.abc import Mapping
from typing import Any, Self

from qsynth.circuits.circuit import Circuit
from qsynth.circuits.device import PennyLaneEngine
from qsynth.circuits.engine import STATEVECTOR, build
from qsynth.circuits.readout import find_readout
from qsynth.circuits.sampling import shots_taken
from qsynth.circuits.spend import Spend
from qsynth.circuits.statevector import MAX_QUBITS, StatevectorEngine
from qsynth.errors import StudyError
from qsynth.gan.critic import Critic
from qsynth.gan.generator import Generator
from qsynth.gan.losses import LOSSES
from qsynth.gan.update import DistanceUpdate, GanUpdate
from qsynth.networks.optimizer import OPTIMIZERS
from qsynth.population.trial_settings import TrialSettings
from qsynth.qnn.lesson import Lesson
from qsynth.space.hyperparameters import SHOTS


class TrialConfig(TrialSettings):
    """One GAN training run, whatever data it learns: its settings, and how its parts are made of them."""

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

    def under(self, optimizer: str) -> Self:
        """The same trial under another optimiser; what means nothing then is not tuned."""
        alone = self.replaced(optimizer=optimizer, search_space={})
        space = {name: dimension for name, dimension in self.search_space.items() if name in alone.tunable}
        return alone.replaced(search_space=space)

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
        optimizer = OPTIMIZERS[self.optimizer]
        if critic is None:
            return DistanceUpdate(generator, capacity.batch_size, self.loss, lesson, optimizer)
        return GanUpdate(
            generator, critic, capacity.batch_size, capacity.n_critic, self.penalty, self.loss, lesson, optimizer
        )

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
