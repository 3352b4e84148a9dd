"""A quantum GAN's trial as Ray Tune's Trainable: any of its searchers and schedulers can tune it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import ray
import torch
from ray import tune

from cluster.ray_tune.plan import TunePlan
from cluster.ray_tune.trial_folder import TrialFolder, TrialState
from cluster.study.study import Study, load_study
from qsynth.circuits.spend import Spend
from qsynth.data.tabular import CsvData
from qsynth.errors import QsynthError, StudyError
from rl_envs.decision_result import DecisionResult
from rl_envs.watchdog import Watchdog


class GanTrainable(tune.Trainable):  # type: ignore[misc]  # Ray has no types
    """One trial, or one for each of a few seeds, in the lanes of one population. A step is a decision.

    :func:`trainable` makes the class for a study. A ``config`` has values of the hyperparameters that the study tunes
    (defaults for those left out) and may have ``seed``. They may change between any two steps: by ``reset_config`` and
    a checkpoint, as Tune's schedulers do it, or by :meth:`change` at once.

    A result has, as means over the lanes: ``score`` (validation), ``score_best``, ``utility/NAME``, ``raw/NAME``,
    ``training/NAME`` (losses, gradients, spread), ``ailment/NAME`` (share of lanes) and ``seen/NAME`` (what an agent
    observes). It has all ``hyperparameters/NAME`` in force, and as ``schedule`` those that are tuned, with the value of
    each decision since the networks began; ``decision``, ``iterations`` (of the GAN) and ``progress``
    (share of the budget used); ``circuits`` and ``shots`` since the last result, and their ``_total`` since the
    networks began; ``score_deviation`` between lanes; ``failed`` (share of lanes) and ``reason``. Lanes that diverge
    score 0, and the others go on.
    """

    plan: ClassVar[TunePlan]
    _start: TrialFolder | None
    _changes: dict[str, float]
    _failed: list[str]
    _schedule: dict[str, list[float]]

    @classmethod
    def default_resource_request(cls, config: Mapping[str, Any]) -> Any:
        """A CPU, memory by estimate, and a share of a GPU or a quantum device where the study has one."""
        return tune.PlacementGroupFactory([dict(cls.plan.demand)])

    def setup(self, config: dict[str, Any]) -> None:
        """Build the population.

        Raises:
            QsynthError: a config that names what the study does not tune, or an engine that can't be made here.
        """
        torch.set_num_threads(1)
        if ray.is_initialized() and ray.get_runtime_context().get_actor_id():  # Tune retries it then
            Watchdog.allow()
        self._tuner = self.plan.tuner()
        self._prepare(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Become another trial, or the same with other hyperparameters, on the population that is there.

        Raises:
            QsynthError: a config that names what the study does not tune.
        """
        self._prepare(new_config)
        return True

    def change(self, values: Mapping[str, float]) -> None:
        """Set hyperparameters from the next step on.

        Raises:
            QsynthError: one that the study does not tune.
        """
        self._changes |= self.plan.values(values)

    def step(self) -> dict[str, Any]:
        """Train up to the next decision.

        Raises:
            QsynthError: a device, a library or memory failed, or time ran out: Tune may try again from a checkpoint.
        """
        before = self._spent
        self._begin()
        changes = {name: np.full(self.plan.n_lanes, value) for name, value in self._changes.items()}
        step, self._changes = self._tuner.step(changes), {}
        broken = next((reason for reason in step.reason if reason.startswith(("error", "timeout"))), None)
        if broken:
            raise QsynthError(f"a trial of {self.plan.study.name} broke ({broken})")
        for lane in np.flatnonzero(step.failed):
            self._failed[lane] = self._failed[lane] or step.reason[lane]
        for name in self.plan.study.trial.search_space:
            self._schedule.setdefault(name, []).append(float(self._tuner.values[name][0]))
        return self._result(step, self._spent - before)

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write the trial as snapshots and JSON.

        Raises:
            QsynthError: it can't be written.
        """
        self._begin()
        spent = self._spent
        state = TrialState(
            decisions=int(self._tuner.decisions[0]),
            best=tuple(self._tuner.best.tolist()),
            shots=tuple(self._tuner.shots.tolist()),
            failed=tuple(self._failed),
            circuits_total=spent.circuits,
            shots_total=spent.shots,
            schedule={name: tuple(values) for name, values in self._schedule.items()},
        )
        snapshots = tuple(self._tuner.population.snapshot(lane) for lane in range(self.plan.n_lanes))
        TrialFolder(state, snapshots).write(Path(checkpoint_dir))

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Go on from a trial's files; hyperparameters are the config's where it names them.

        Raises:
            QsynthError: no such files, or of other lanes.
        """
        found = TrialFolder.read(Path(checkpoint))
        if len(found.snapshots) != self.plan.n_lanes:
            raise StudyError(f"a checkpoint must have {self.plan.n_lanes} lanes; got {len(found.snapshots)}")
        self._start, self._begun, self._before = found, False, self._tuner.population.spent

    def __repr__(self) -> str:
        return f"{type(self).__name__}:{self.trial_id}"

    @property
    def _spent(self) -> Spend:
        """Circuits and shots since the networks began."""
        start = None if self._start is None else self._start.state
        earlier = Spend() if start is None else Spend(start.circuits_total, start.shots_total)
        return earlier + (self._tuner.population.spent - self._before)

    def _prepare(self, config: Mapping[str, Any]) -> None:
        """Note what trial this is to be; a checkpoint may follow before it begins."""
        self._values, self._seeds = self.plan.values(config), self.plan.seeds(config)
        self._start = None
        self._begun, self._before = False, self._tuner.population.spent
        self._changes = {}
        self._failed = [""] * self.plan.n_lanes
        self._schedule = {}

    def _begin(self) -> None:
        """Start the trial, or go on from where it was, if that is still to be done."""
        if self._begun:
            return
        lanes, start = range(self.plan.n_lanes), self._start
        values = {name: np.full(self.plan.n_lanes, value) for name, value in self._values.items()}
        snapshots = None if start is None else start.snapshots
        self._tuner.begin(lanes, self.plan.of_lanes(), self._seeds, snapshots, values)
        if start is not None:
            self._tuner.decisions[:], self._tuner.shots[:] = start.state.decisions, start.state.shots
            self._tuner.best[:], self._failed = start.state.best, list(start.state.failed)
            self._schedule = {name: list(values) for name, values in start.state.schedule.items()}
        self._begun = True

    def _result(self, step: DecisionResult, spent: Spend) -> dict[str, Any]:
        tuner, episode, total = self._tuner, self._tuner.episode, self._spent
        alive = np.array([not failed for failed in self._failed])
        score = np.where(alive, step.score, 0.0)
        decisions, iterations = int(tuner.decisions[0]), int(tuner.population.iterations[0])
        progress = float(max(decisions / episode.n_decisions, tuner.shots.max() / (episode.shot_budget or np.inf)))
        return {
            "score": float(score.mean()),
            "score_best": float(tuner.best.mean()),
            "score_deviation": float(score.std()),
            "utility": _means(step.utilities),
            "raw": _means(step.raw),
            "training": _means(step.training),
            "ailment": _means(step.ailments),
            "seen": dict(zip(tuner.features, step.observation.mean(axis=0).tolist(), strict=True)),
            "hyperparameters": {name: float(values[0]) for name, values in sorted(tuner.values.items())},
            "schedule": {name: list(values) for name, values in sorted(self._schedule.items())},
            "decision": decisions,
            "iterations": iterations,
            "progress": min(1.0, progress),
            "circuits": spent.circuits,
            "shots": spent.shots,
            "circuits_total": total.circuits,
            "shots_total": total.shots,
            "failed": float(1.0 - alive.mean()),
            "reason": ", ".join(sorted({*self._failed, *np.array(step.reason)[alive]} - {""})),
            "done": bool(not alive.any() or step.finished[alive].all()),
        }


def _means(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Over lanes; a lane where there is no number does not count."""
    return {name: float(np.nanmean(each)) if np.isfinite(each).any() else float("nan") for name, each in values.items()}


def trainable(
    study: Study | str,
    *,
    instances: Sequence[int] = (0,),
    lanes_per_trial: int = 1,
    compiled: bool | None = None,
) -> type[GanTrainable]:
    """A study's trials for ``ray.tune.Tuner``, named like the study.

    >>> tuner = tune.Tuner(trainable("iris"), param_space=param_space(load_study("iris")))   # doctest: +SKIP

    Args:
        study: or a preset's name, or a study's file.
        instances: numbers of the training instances to learn; the lanes take turns.
        lanes_per_trial: repeats of each trial with seeds that follow one another, at far less than the price of as many
            trials; the means are reported.
        compiled: whether each worker compiles its updates, which takes a minute unless it is kept from earlier; left
            out: as the study says, else not.

    Raises:
        QsynthError: no such study, or its data can't be used.
    """
    found = load_study(study) if isinstance(study, str) else study
    if isinstance(found.data, CsvData):
        found = found.replaced(data=found.data.below(Path.cwd()))
    compiles = found.compiled if compiled is None else compiled
    plan = TunePlan.of(found, instances, lanes_per_trial, compiled=bool(compiles))
    # Classes that no module has are sent to workers whole, and their plan with them.
    return type(re.sub(r"\W", "_", found.name), (GanTrainable,), {"plan": plan, "__doc__": GanTrainable.__doc__})
