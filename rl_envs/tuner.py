"""A population whose trials are tuned decision by decision: what both environments and every agent act on."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields

import numpy as np
from pydantic import Field

from qsynth.config import Config
from qsynth.data.dataset import Instance
from qsynth.errors import QsynthError
from qsynth.metrics.score import Scorecard
from qsynth.population.population import Population
from qsynth.population.snapshot import Snapshot
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.space.search_space import SearchSpace
from rl_envs.decision_result import DecisionResult
from rl_envs.exam import N_FRESH, examine
from rl_envs.lane_health import LaneHealth
from rl_envs.observation import LaneStates, feature_names, observe
from rl_envs.problem import Problems
from rl_envs.reward import Effect, RewardConfig, ShortfallGain
from rl_envs.spaces import RECOVER, ActionEntry, Recover
from rl_envs.watchdog import Watchdog

CHUNK = 5


class EpisodeConfig(Config):
    """How a trial's budget is divided into decisions.

    Attributes:
        step_timeout_s: for one decision's iterations. A worker whose device does not return for twice as long, or for a
            minute more, ends (:class:`rl_envs.watchdog.Watchdog`).
        shot_budget: shots that a trial may take on a device, evaluations included; what it does not cover is not begun.
        recovery: whether agents may also re-initialise a trial, shrink its angles, or restart its critic
            (:mod:`qsynth.population.recovery`).
        random_start: share of an agent's training episodes that start from random hyperparameters, not the defaults.
    """

    n_decisions: int = Field(20, ge=1, le=10_000)
    iterations_per_decision: int = Field(25, ge=1, le=100_000)
    max_step: float = Field(0.15, gt=0, le=1)
    reward: RewardConfig = ShortfallGain()
    step_timeout_s: float = Field(120.0, gt=0)
    shot_budget: int | None = Field(None, ge=1, le=10**15)
    recovery: bool = False
    random_start: float = Field(0.0, ge=0, le=1)

    def actions(self, search_space: SearchSpace) -> dict[str, ActionEntry]:
        """What agents may do in a study with this search space."""
        return {**search_space, **({RECOVER: Recover()} if self.recovery else {})}


class Tuner:
    """Runs episodes on a population. What goes wrong while it does ends episodes, with a reason; it raises nothing.

    Reasons: "" (nothing happened), "budget" (used up), "shots" (used up), "diverged", "timeout", "error: ...".

    Args:
        n_measurements: evaluations at each decision that a budget of shots must cover; two where the caller measures
            the test rows as well, with noise of their own.
    """

    def __init__(self, population: Population, episode: EpisodeConfig, n_measurements: int = 1) -> None:
        self.population, self.episode, self._n_measurements = population, episode, n_measurements
        self.search_space = population.config.search_space
        self.actions = episode.actions(self.search_space)
        self.metrics = population.metric_names
        self.features = feature_names(self.search_space, self.metrics)
        lanes = population.n_lanes
        self.decisions = np.zeros(lanes, dtype=int)
        self.shots = np.zeros(lanes)
        self._score, self.best = np.zeros(lanes), np.zeros(lanes)
        self._utilities = {name: np.zeros(lanes) for name in self.metrics}
        self._raw = {name: np.zeros(lanes) for name in self.metrics}
        self._health = LaneHealth(population)
        self._problems = Problems(population, episode.n_decisions * episode.iterations_per_decision)
        self._broken = ""

    def begin(
        self,
        lanes: Sequence[int],
        instances: Sequence[Instance],
        seeds: Sequence[int],
        starts: Sequence[Snapshot] | None = None,
        values: Mapping[str, np.ndarray] | None = None,
    ) -> np.ndarray:
        """Start episodes in ``lanes``; observations of all lanes (lanes x features).

        What breaks here ends all episodes at the next step, with a reason.

        Args:
            starts: trials to go on from; left out: new ones.
            values: hyperparameters to start with (name -> as many as ``lanes``); what is left out has its default.

        Raises:
            QsynthError: instances or snapshots that do not fit the population.
        """
        chosen = list(lanes)
        self._broken = ""
        self.shots[chosen] = 0
        try:
            self.population.reset(lanes, instances, seeds)
            for lane, instance, start in zip(lanes, instances, starts or [], strict=starts is not None):
                self.population.restore(lane, start, instance)
            if values:
                present = {name: self.values[name].copy() for name in values}
                for name, start_values in values.items():
                    present[name][chosen] = start_values
                self.population.apply(present)
            with self._paying(chosen):
                self._measure()
        except QsynthError:
            raise
        except Exception as error:
            self._broken = _described(error)
            self._score[chosen] = 0.0
        self.decisions[chosen] = 0
        self._health.begin(chosen, instances)
        self._problems.begin(chosen, instances)
        self.best[chosen] = self._score[chosen]
        nothing = {name: np.zeros(self.population.n_lanes) for name in self.metrics}
        return self._observe(None, nothing, self._health.look(None))

    @property
    def values(self) -> dict[str, np.ndarray]:
        """Present hyperparameters, name -> lanes."""
        return self.population.values

    @property
    def score(self) -> np.ndarray:
        """Present validation score of each lane."""
        return self._score.copy()

    @property
    def raw(self) -> dict[str, np.ndarray]:
        """Present raw metric values, name -> lanes."""
        return {name: value.copy() for name, value in self._raw.items()}

    @property
    def utilities(self) -> dict[str, np.ndarray]:
        """Present utilities of the metrics, name -> lanes."""
        return {name: value.copy() for name, value in self._utilities.items()}

    def step(self, changes: dict[str, np.ndarray]) -> DecisionResult:
        """Set hyperparameters (name -> lanes) and train every lane up to its next decision.

        Where episodes have recovery, ``recover`` (lanes) says which lanes are treated before: 0 for none, or the number
        of a way in :data:`qsynth.population.recovery.RECOVERIES`, counted from 1.
        """
        before, best, old = self.score, self.best.copy(), self.utilities
        training: TrainingStatistics | None = None
        broken, self._broken = self._broken, ""
        recovered = [""] * len(before)
        try:
            if not broken:
                values = dict(changes)
                if self.episode.recovery:
                    recovered = self._health.treat(values.pop(RECOVER, np.zeros(len(before))))
                self.population.apply(values)
                with self._paying(range(self.population.n_lanes)):
                    training = self._advance()
                    if training is not None:
                        self._measure()
        except TimeoutError:
            broken = "timeout"
        except Exception as error:  # promise of this class: a device, a library or memory may fail, the worker may not
            broken = _described(error)
        self.decisions += 1
        diverged = self.population.diverged
        failed = diverged | bool(broken)
        self._score = np.where(failed, 0.0, self._score)
        self.best = np.maximum(self.best, self._score)
        unpaid = np.full(self.population.n_lanes, self._iterations_left() < 1)
        finished = (self.decisions >= self.episode.n_decisions) | unpaid
        zeros = np.zeros_like(before)
        ailments = self._health.look(training)
        outcome = Effect(
            before=before,
            after=self._score.copy(),
            best=best,
            failed=failed,
            raw=self._raw,
            loss_generator=zeros if training is None else training.loss_generator,
            loss_critic=zeros if training is None else training.loss_critic,
        )
        return DecisionResult(
            observation=self._observe(
                training, {name: self._utilities[name] - old[name] for name in self.metrics}, ailments
            ),
            reward=self.episode.reward(outcome),
            failed=failed,
            finished=finished & ~failed,
            score=outcome.after,
            raw=self.raw,
            utilities=self.utilities,
            training=_by_name(training, self.population.n_lanes),
            ailments=ailments,
            recovered=recovered,
            reason=[
                broken or ("diverged" if bad else "shots" if poor else "budget" if done else "")
                for bad, poor, done in zip(diverged, unpaid, finished, strict=True)
            ],
        )

    def measure_test(self, problems: Sequence[int], n_fresh: int = N_FRESH) -> tuple[Scorecard | None, str]:
        """Scorecard against the test rows, with fresh noise; or None, and why it can't be had.

        Args:
            problems, n_fresh: which and how much noise (:func:`rl_envs.exam.examine`).
        """
        try:
            with self._paying(range(self.population.n_lanes)):
                return examine(self.population, problems, n_fresh), ""
        except Exception as error:
            return None, _described(error)

    def _advance(self) -> TrainingStatistics | None:
        """Train up to the next decision, or for as long as shots last; None if they do not last for an iteration.

        Raises:
            TimeoutError: that takes longer than the time limit.
        """
        deadline = time.monotonic() + self.episode.step_timeout_s
        left = min(self.episode.iterations_per_decision, self._iterations_left())
        parts: list[tuple[int, TrainingStatistics]] = []
        while left > 0:
            size = min(CHUNK, left)
            parts.append((size, self.population.advance(size)))
            left -= size
            if time.monotonic() > deadline:
                raise TimeoutError
        return TrainingStatistics.average(parts) if parts else None

    def _iterations_left(self) -> int:
        """GAN iterations that every lane's shots still pay for, with what is measured after them."""
        per_iteration = self.population.iteration_cost().shots / self.population.n_lanes
        if self.episode.shot_budget is None or not per_iteration:
            return self.episode.iterations_per_decision
        measured = self._n_measurements * self.population.evaluation_cost().shots / self.population.n_lanes
        return max(0, int((self.episode.shot_budget - self.shots.max() - measured) // per_iteration))

    @contextmanager
    def _paying(self, lanes: Sequence[int]) -> Iterator[None]:
        """Charge ``lanes``, in equal parts, with the shots that the block takes; a worker that hangs in it ends."""
        before = self.population.spent
        try:
            with Watchdog.watching(self.episode.step_timeout_s):
                yield
        finally:
            self.shots[list(lanes)] += (self.population.spent - before).shots / len(lanes)

    def _measure(self) -> None:
        card = self.population.evaluate()
        self._score = np.nan_to_num(card.score.numpy().astype(float))
        self._utilities = {name: card.utilities[name].numpy().astype(float) for name in self.metrics}
        # A loss that could not be measured stays NaN: 0 would be the best there is.
        self._raw = {name: value.numpy().astype(float) for name, value in card.raw.items()}

    def _observe(
        self, training: TrainingStatistics | None, changes: dict[str, np.ndarray], ailments: dict[str, np.ndarray]
    ) -> np.ndarray:
        moment = LaneStates(
            training=training,
            real_spread=self._health.real.spread,
            raw=self._raw,
            utilities=self._utilities,
            changes=changes,
            score=self._score,
            best=self.best,
            values=self.population.values,
            progress=np.maximum(
                self.decisions / self.episode.n_decisions, self.shots / (self.episode.shot_budget or np.inf)
            ),
            ailments=ailments,
            diverged=self.population.diverged,
            problem=self._problems.seen,
        )
        return observe(moment, self.search_space, self.metrics)


def _by_name(training: TrainingStatistics | None, n_lanes: int) -> dict[str, np.ndarray]:
    if training is not None:
        return dict(vars(training))
    return {field.name: np.full(n_lanes, np.nan) for field in fields(TrainingStatistics)}


def _described(error: Exception) -> str:
    """The reason that an error makes: one line."""
    return f"error: {type(error).__name__}: {' '.join(str(error).split())}"[:300]
