"""The settings of a trial: circuit, networks, losses, hyperparameters, QNN, score; and which do not go together."""

from collections.abc import Iterator

from pydantic import Field

from qsynth.circuits.ansatz import ANSAETZE
from qsynth.circuits.engine import STATEVECTOR, EngineConfig, choose
from qsynth.circuits.readout import PauliStrings, PauliWords, find_readout
from qsynth.errors import QsynthError, did_you_mean
from qsynth.gan.kinds import CriticConfig, GeneratorConfig, LossName
from qsynth.gan.losses import LOSSES, Penalty
from qsynth.gan.mlp_critic import MLPCriticConfig
from qsynth.gan.quantum import QuantumGeneratorConfig
from qsynth.metrics.score import ScoreConfig
from qsynth.networks.optimizer import OPTIMIZERS
from qsynth.qnn.fit import QNNConfig
from qsynth.space.hyperparameters import NAMES, SCORE_WEIGHTS, SHOTS, SPARED, Tunables

ALWAYS = {*("lr_generator", "beta1", "batch_size", "weight_average"), *SCORE_WEIGHTS}
RATES = {"lr_generator", "lr_critic"}
OF_CRITICS = {
    *("lr_critic", "n_critic", "instance_noise"),
    *("fidelity_weight", "adversarial_weight", "critic_start"),
}


class TrialSettings(Tunables):
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
        optimizer: ``adam``, or ``prodigy``, which finds both learning rates itself: they mean nothing then.
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
    optimizer: str = "adam"
    qnn: QNNConfig = QNNConfig()
    score: ScoreConfig = ScoreConfig()

    def conflicts(self) -> Iterator[ValueError]:
        """All that does not fit together."""
        yield from super().conflicts()
        try:
            self._check_ansaetze()
            self._check_optimizer()
        except ValueError as error:
            yield error
            return  # what follows looks at the ansatz and the optimiser
        for check in (
            self._check_patterns,
            self._check_loss,
            self._check_readout,
            self._check_engine,
            self._check_shots,
            self._check_tuned,
        ):
            try:
                check()
            except ValueError as error:
                yield error

    def _check_ansaetze(self) -> None:
        """Refuse circuits that are not known.

        Raises:
            ValueError: such a circuit.
        """
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

    def _check_optimizer(self) -> None:
        """Refuse an optimiser that is not known.

        Raises:
            ValueError: such an optimiser.
        """
        if self.optimizer not in OPTIMIZERS:
            known = did_you_mean(self.optimizer, OPTIMIZERS)
            raise ValueError(f"optimizer must be a registered optimizer; got {self.optimizer!r}.{known}")

    def _check_readout(self) -> None:
        """Refuse what can't be read.

        Raises:
            ValueError: such a readout.
        """
        try:
            read = self.generator.readout(self.readout)
        except QsynthError as error:
            raise ValueError(str(error)) from None
        readout, noise = find_readout(read, self.n_qubits), self.engine.noise
        if noise is not None and noise.readout and isinstance(readout, PauliStrings):
            for word in readout.words(self.n_qubits):
                if "Y" in word:
                    raise ValueError(f"engine.noise.readout must be 0 where Y is read; got {word!r} in the readout")

    def _check_engine(self) -> None:
        choose(self.engine, self.n_qubits)

    def _check_tuned(self) -> None:
        """Refuse a search for what does nothing.

        Raises:
            ValueError: such a search space.
        """
        for name in self.search_space:
            if name in NAMES and name not in self.tunable:
                kinds = f"generator {self.generator.kind} and loss {self.loss}"
                if self.has_critic:
                    kinds = f"generator {self.generator.kind}, critic {self.critic.kind}, loss {self.loss}"
                    kinds += f" and penalty {self.penalty}"
                kinds += "" if self.optimizer == "adam" else f", under optimizer {self.optimizer}"
                raise ValueError(f"search_space.{name} must be left out: it does nothing with {kinds}")

    def limits(self, name: str) -> tuple[float, float]:
        """Smallest and largest value of a hyperparameter here."""
        if name == SHOTS and self.engine.shots is not None:
            return 1.0, float(self.engine.shots)
        return (0.0, float(len(self.patterns))) if name == "pattern" else super().limits(name)

    def default(self, name: str) -> float:
        """What a hyperparameter starts at; shots that are left out are all of the engine's, 0 where it is exact, or as
        many of them as the search space has."""
        if name == SHOTS and self.defaults.shots is None:
            most = float(self.engine.shots or 0)
            return min(most, self.search_space[SHOTS].high) if SHOTS in self.search_space else most
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
                if getattr(self, name) != type(self).model_fields[name].default:
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
        idle |= RATES if OPTIMIZERS[self.optimizer].finds_rate else set()
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
