"""K trials in lockstep: one batched program whatever their hyperparameters, stages or instances."""

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
from qsynth.execution.place import in_place
from qsynth.gan.programs import Programs
from qsynth.gan.weights import Weights
from qsynth.metrics.score import Scorecard
from qsynth.population.fitting import check_shape, joint_rows
from qsynth.population.generation import evaluation_labels, generate
from qsynth.population.measures import Measures
from qsynth.population.recovery import Recovery, recover
from qsynth.population.snapshot import Snapshot
from qsynth.population.teaching import build_lesson
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import Controls, is_on
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
        lesson = build_lesson(config, n_features, n_classes)
        self._update = config.build_update(self.generator, n_features, n_classes, lesson)
        self.compiler = Compiler(f"{config.model_dump_json()} {self.engine.fingerprint}")
        build: Build = self.compiler if self.compiled else eager
        if self.place.type == "cuda" and simulates:
            build = captured
        self._programs = Programs(self._update, build)
        self._measures = Measures(config, self.engine, n_features, n_classes, n_lanes, build)
        self.instances: list[Instance | None] = [None] * n_lanes
        self.values = {name: np.full(n_lanes, config.default(name)) for name in config.used}
        self.diverged = np.zeros(n_lanes, dtype=bool)
        self.iterations = np.zeros(n_lanes, dtype=np.int64)
        self._seeds, self._steps = torch.zeros(2, n_lanes, dtype=torch.int64)
        self._weights = Weights.zeros(
            n_lanes,
            self.generator.layout.size,
            self._update.critic_size,
            self._update.optimizer,
            averages="weight_average" in self.values,
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
    def labels(self) -> Tensor:
        """Labels of the rows that are measured, lanes x n_rows x n_classes."""
        return self._onehot.cpu()

    @property
    def metric_names(self) -> list[str]:
        """The metrics that make up the score, in order."""
        return self._measures.names

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
        n_updates = int(self.values["n_critic"].max()) if "n_critic" in self.values else 0
        self._weights, self._steps, of_critic, of_generator = self._programs.iterate(
            n_iterations, n_updates, self._weights, self._controls, self._rows, self._n_rows, self._seeds, self._steps
        )
        self.iterations += n_iterations
        self._book(self.iteration_cost() * n_iterations)
        self._mark_diverged()
        return TrainingStatistics.of(of_critic / n_iterations, of_generator / n_iterations)

    @in_place
    @torch.no_grad()
    def evaluate(self, part: str = "validation", seeds: Sequence[int] | None = None) -> Scorecard:
        """Scorecard of every lane against its instance's ``part`` ("validation", or "test" for final reports), with
        noise of ``seeds``, one a lane, or else of the trials' own, which selects."""
        noise = self._seeds if seeds is None else torch.as_tensor(seeds, device=self.place)
        rows = generate(self.generator, self._weights.sampled, noise, self._onehot, self._controls)
        self._book(self.evaluation_cost())
        return self.measure(rows, part)

    @in_place
    @torch.no_grad()
    def measure(self, rows: Tensor, part: str = "test") -> Scorecard:
        """Scorecard of given rows (lanes x n_rows x n_features, scaled space) with the lanes' :attr:`labels`."""
        return self._measures.measure(self._assigned(), part, rows.to(self.place), self._onehot)

    @in_place
    @torch.no_grad()
    def measure_reserve(self, instance: Instance, part: str = "test") -> Scorecard:
        """Scorecard of an instance's second real sample, of shape 1: each of its rows once, with its own label."""
        return self._measures.measure_reserve(instance, part)

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
        parts = {"generator": w.generator, "critic": w.critic, "average": w.average}
        for owner, state in (("generator_adam", w.generator_adam), ("critic_adam", w.critic_adam)):
            parts |= {f"{owner}.{name}": part for name, part in state._asdict().items()}
        return {name: part for name, part in parts.items() if is_on(part)}

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
        networks = [part for part in (self._weights.generator, self._weights.critic) if is_on(part)]
        largest = torch.stack([part.abs().amax(dim=1) for part in networks]).amax(dim=0)
        self.diverged |= ~(largest.cpu().numpy() < EXPLODED)
