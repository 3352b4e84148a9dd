"""K trials in lockstep: one batched program whatever their hyperparameters, stages or instances."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.func import vmap

from qsynth.circuits.spend import Spend
from qsynth.circuits.statevector import StatevectorEngine
from qsynth.data.dataset import Instance
from qsynth.errors import DataError, NotFittedError, StudyError
from qsynth.execution.compilation import Build, Compiler, eager
from qsynth.execution.cuda_graphs import captured
from qsynth.execution.place import brought, in_place
from qsynth.gan.programs import Programs
from qsynth.gan.update import GanUpdate, Weights
from qsynth.metrics.score import Scorecard, Scorer
from qsynth.networks.adam import AdamState
from qsynth.population.calibration import Calibration
from qsynth.population.fitting import check_shape, joint_rows
from qsynth.population.generation import evaluation_labels, generate, untrained
from qsynth.population.measures import build_metrics
from qsynth.population.recovery import Recovery, recover
from qsynth.population.snapshot import Snapshot
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import OFF, Controls, is_on
from qsynth.space.hyperparameters import NAMES, OLD_SHARE, checked, controls

EXPLODED = 1e4


class Population:
    """``n_lanes`` trials of one configuration on instances of one shape.

    Its tensors live on the default device of its making (``with torch.device("cuda"): ...``); what it returns is in the
    machine's memory.

    Args:
        n_features: d of the instances' scaled space.
        n_classes: how many classes they have.
        compiled: whether to compile the updates (tens of seconds once, several times faster after).

    Raises:
        QsynthError: more features than the generator makes, or that the critic can't see.
    """

    def __init__(
        self, config: TrialConfig, n_features: int, n_classes: int, n_lanes: int, compiled: bool = False
    ) -> None:
        config.check_outputs(n_features)
        self.config, self.n_lanes = config, n_lanes
        self.n_features, self.n_classes = n_features, n_classes
        capacity = config.capacity
        self.engine = config.circuit()
        self.place = torch.get_default_device()
        simulates = isinstance(self.engine, StatevectorEngine)
        self.compiled = compiled and simulates and self.place.type == "cpu"
        self.generator = config.build_generator(self.engine, n_features, n_classes)
        critic, sizes = config.build_critic(n_features, n_classes), (capacity.batch_size, capacity.n_critic)
        self._update = GanUpdate(self.generator, critic, *sizes, config.penalty, config.loss)
        self.compiler = Compiler(f"{config.model_dump_json()} {self.engine.fingerprint}")
        build: Build = self.compiler if self.compiled else eager
        if self.place.type == "cuda" and simulates:
            build = captured
        self._programs = Programs(self._update, build)
        self._scorer = Scorer(build_metrics(config, n_features, n_classes, build), config.score.weights)
        # Calibration is rare and of any number of trials, so it is not compiled.
        calibrated = Scorer(build_metrics(config, n_features, n_classes), config.score.weights)
        # What an untrained generator is worth is the same on every engine, and need not be paid for.
        exact = config.build_generator(config.exact_circuit(self.engine), n_features, n_classes)
        labels = functools.partial(evaluation_labels, n_rows=config.score.n_rows)
        begun = functools.partial(untrained, exact, config)
        self._calibration = Calibration(calibrated, labels, begun, max(1, n_lanes // config.score.n_untrained))

        self.instances: list[Instance | None] = [None] * n_lanes
        self.values = {name: np.full(n_lanes, config.default(name)) for name in config.used}
        self.diverged = np.zeros(n_lanes, dtype=bool)
        self.iterations = np.zeros(n_lanes, dtype=np.int64)
        self._seeds, self._steps = torch.zeros(2, n_lanes, dtype=torch.int64)
        n_generator, n_critic = self.generator.layout.size, critic.layout.size
        self._weights = Weights(
            torch.zeros(n_lanes, n_generator),
            torch.zeros(n_lanes, n_critic),
            AdamState.zeros(n_lanes, n_generator),
            AdamState.zeros(n_lanes, n_critic),
            torch.zeros(n_lanes, n_generator) if "weight_average" in self.values else OFF,
        )
        self._controls: Controls = controls(self.values, capacity)
        self._rows = torch.zeros(0)
        self._n_rows = torch.zeros(n_lanes, dtype=torch.int64)
        self._onehot = torch.zeros(n_lanes, config.score.n_rows, n_classes)

    @property
    def spent(self) -> Spend:
        """Circuits and shots of this population so far; those of generators that calibrate its metrics apart."""
        return self.engine.ledger.spent

    def evaluation_cost(self) -> Spend:
        """What the rows of one evaluation are expected to cost, all lanes together."""
        return sum((self.lane_evaluation_cost(lane) for lane in range(self.n_lanes)), Spend())

    def lane_evaluation_cost(self, lane: int) -> Spend:
        """What the rows of one evaluation of one lane are expected to cost."""
        return self.config.cost(self.engine, self.config.score.n_rows, self.n_classes, self._lane_values(lane))

    def iteration_cost(self) -> Spend:
        """What one GAN iteration is expected to cost, all lanes together."""
        return sum((self.lane_cost(lane) for lane in range(self.n_lanes)), Spend())

    def lane_cost(self, lane: int) -> Spend:
        """What one GAN iteration of one lane is expected to cost."""
        return self.config.iteration_cost(self.engine, self._lane_values(lane), self.n_classes)

    @property
    def metric_names(self) -> list[str]:
        """The metrics that make up the score, in order."""
        return [metric.name for metric in self._scorer.metrics]

    @in_place
    def reset(self, lanes: Sequence[int], instances: Sequence[Instance], seeds: Sequence[int]) -> None:
        """Start new trials in ``lanes``: fresh networks from ``seeds``, default hyperparameters.

        Raises:
            QsynthError: an instance of another shape than the population's, or with other row counts than the rest.
        """
        for instance in instances:
            check_shape(instance, self.n_features, self.n_classes)
        others = [neighbour for lane, neighbour in enumerate(self.instances) if neighbour and lane not in lanes]
        sizes = {(len(instance.train), len(instance.validation)) for instance in [*instances, *others]}
        if len(sizes) > 1:
            raise DataError(
                f"instances of a population must have the same (train, validation) rows; got {sorted(sizes)}"
            )
        index = torch.as_tensor(list(lanes))
        new = torch.as_tensor(list(seeds), dtype=torch.int64)
        generator, critic = vmap(self._update.initial)(new)
        self._weights.set_generator(index, generator)
        self._weights.set_critic(index, critic)
        self._seeds[index], self._steps[index] = new, 0
        self.diverged[list(lanes)], self.iterations[list(lanes)] = False, 0
        for lane, instance in zip(lanes, instances, strict=True):
            rows = joint_rows(instance)
            if self._rows.shape[1:] != rows.shape:
                self._rows = torch.zeros(self.n_lanes, *rows.shape)
            self.instances[lane] = instance
            self._rows[lane], self._n_rows[lane] = rows, len(rows)
            self._onehot[lane] = evaluation_labels(instance, self.config.score.n_rows)
        for name, values in self.values.items():
            values[list(lanes)] = self.config.default(name)
        self._controls = controls(self.values, self.config.capacity)

    @in_place
    def apply(self, changes: Mapping[str, np.ndarray]) -> None:
        """Set hyperparameters: name -> lanes.

        Raises:
            QsynthError: an unknown name, one that the trials were not built with, a value out of its limits, beyond the
                capacity or not finite; nothing is set.
        """
        self.values |= checked(changes, self.n_lanes, self.config, self.values)
        self._controls = controls(self.values, self.config.capacity)

    @in_place
    def recover(self, lanes: Sequence[int], how: Recovery) -> None:
        """Treat trials that went wrong (see :mod:`qsynth.population.recovery`); the others do not change by a bit."""
        index = torch.as_tensor(list(lanes), dtype=torch.int64)
        self._seeds[index] = recover(self._weights, self._update, index, how, self._seeds, self._steps)
        if how == "reinitialise":
            self.diverged[list(lanes)] = False

    def warm_up(self, instance: Instance) -> None:
        """Compile everything now rather than in the first trial, if this population compiles.

        Processes that do so at the same time share the work: each compiles what no other has begun, then waits.
        """
        if not self.compiled:
            return
        self.reset(range(self.n_lanes), [instance] * self.n_lanes, [0] * self.n_lanes)
        for self.compiler.patient in (False, True):
            self.advance(1)
            self.evaluate()

    @in_place
    @torch.no_grad()
    def advance(self, n_iterations: int) -> TrainingStatistics:
        """Train every lane for ``n_iterations`` GAN iterations (n_critic critic updates and one generator update each).

        A lane whose numbers are no longer finite, or have exploded, is marked in ``diverged``; it harms no other.
        """
        n_updates = int(self.values["n_critic"].max())
        indices = [torch.tensor(float(index)) for index in range(n_updates)]
        critic_totals = torch.zeros(self.n_lanes, 4)
        generator_totals = torch.zeros(self.n_lanes, 4)
        for _ in range(n_iterations):
            w = self._weights
            batches = self._programs.critic_batches(
                w.generator, self._controls, self._rows, self._n_rows, self._seeds, self._steps
            )
            critic, state = w.critic, w.critic_adam
            for index, batch in zip(indices, batches, strict=False):
                critic, state, critic_totals = self._programs.critic_step(
                    critic, state, batch, self._controls, index, critic_totals
                )
            w = w._replace(critic=critic, critic_adam=state)
            generator, generator_state, average, self._steps, generator_totals = self._programs.generator_step(
                w, self._controls, self._rows, self._n_rows, self._seeds, self._steps, generator_totals
            )
            self._weights = w._replace(generator=generator, generator_adam=generator_state, average=average)
        self.iterations += n_iterations
        self._book(self.iteration_cost() * n_iterations)
        self._mark_diverged()
        return TrainingStatistics.of(critic_totals / n_iterations, generator_totals / n_iterations)

    @in_place
    @torch.no_grad()
    def evaluate(self, part: str = "validation", seeds: Sequence[int] | None = None) -> Scorecard:
        """Scorecard of every lane against its instance's ``part`` ("validation", or "test" for final reports), with
        noise of ``seeds``, one a lane, or else of the trials' own, which selects."""
        yardstick = self._calibration.yardstick(self._assigned(), part)
        noise = self._seeds if seeds is None else torch.as_tensor(seeds, device=self.place)
        rows = generate(self.generator, self._weights.sampled, noise, self._onehot, self._controls)
        self._book(self.evaluation_cost())
        return brought(self._scorer.measure(yardstick, rows, self._onehot))  # type: ignore[no-any-return]

    @in_place
    @torch.no_grad()
    def sample(self, lane: int, onehot: Tensor, seed: int) -> Tensor:
        """Synthetic rows (rows x n_features, scaled space) of one lane for labels ``onehot`` (rows x n_classes)."""
        one = slice(lane, lane + 1)
        lane_controls = Controls(*(value[one] for value in self._controls))
        seeds, labels = torch.tensor([seed]), torch.as_tensor(onehot, device=self.place)[None]
        return generate(self.generator, self._weights.sampled[one], seeds, labels, lane_controls)[0].cpu()

    def snapshot(self, lane: int) -> Snapshot:
        """One trial as data."""
        instance = self._assigned()[lane]
        return Snapshot(
            tensors={name: value[lane].cpu().clone() for name, value in self._learned().items()},
            hyperparameters=self._lane_values(lane),
            instance=instance.key,
            seed=int(self._seeds[lane]),
            iteration=int(self.iterations[lane]),
        )

    @in_place
    def restore(self, lane: int, snapshot: Snapshot, instance: Instance) -> None:
        """Continue a trial from a snapshot; it goes on bit for bit as the original.

        Raises:
            QsynthError: the snapshot is of other shapes, or of another instance.
        """
        if snapshot.instance != instance.key:
            raise StudyError(f"a snapshot of {snapshot.instance!r} must be restored on it; got {instance.key!r}")
        idle = {name: self.config.default(name) for name in NAMES if name not in self.values} | {OLD_SHARE: 1.0}
        given = {name: value for name, value in snapshot.hyperparameters.items() if idle.get(name) != value}
        parts, changes = self._learned(), checked(given, 1, self.config, self.values)
        found = {**snapshot.tensors, "average": snapshot.generator} if "generator" in snapshot.tensors else {}
        for name, target in parts.items():
            if name not in found or found[name].shape != target[lane].shape:
                raise StudyError(f"a snapshot must hold {name} of shape {tuple(target[lane].shape)}")
        self.reset([lane], [instance], [snapshot.seed])
        for name, target in parts.items():
            target[lane] = found[name]
        self._steps[lane] = self.iterations[lane] = snapshot.iteration
        for name, values in changes.items():
            self.values[name][lane] = values[0]
        self._controls = controls(self.values, self.config.capacity)

    def _learned(self) -> dict[str, Tensor]:
        """What a trial has learned so far, by the names in a snapshot; leading lane axis."""
        w = self._weights
        parts = {"generator": w.generator, "critic": w.critic} | ({"average": w.average} if is_on(w.average) else {})
        for owner, state in (("generator_adam", w.generator_adam), ("critic_adam", w.critic_adam)):
            parts |= {f"{owner}.{name}": part for name, part in state._asdict().items()}
        return parts

    def _lane_values(self, lane: int) -> dict[str, float]:
        return {name: float(values[lane]) for name, values in self.values.items()}

    def _assigned(self) -> list[Instance]:
        assigned = [instance for instance in self.instances if instance is not None]
        if len(assigned) < self.n_lanes:
            raise NotFittedError("every lane must be reset before the population is used")
        return assigned

    def _book(self, spend: Spend) -> None:
        """Devices book for themselves; what is computed here, possibly by compiled code, is not counted elsewhere."""
        if isinstance(self.engine, StatevectorEngine):
            self.engine.ledger.book(spend)

    def _mark_diverged(self) -> None:
        largest = torch.maximum(*(part.abs().amax(dim=1) for part in (self._weights.generator, self._weights.critic)))
        self.diverged |= ~(largest.cpu().numpy() < EXPLODED)
