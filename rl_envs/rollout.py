"""Playing episodes with any agent, as many at a time as the population has lanes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qsynth.data.dataset import Instance
from qsynth.metrics.score import Scorecard
from qsynth.population.best import KeepBest
from qsynth.population.snapshot import Keep, Snapshot
from rl_envs.agents import Agent
from rl_envs.tuner import Tuner

SPENT = ("budget", "shots")  # reasons why a trial ends that has not failed


@dataclass(frozen=True)
class Assignment:
    """One trial to play.

    Attributes:
        problem: the number that chooses the noise of its test score.
    """

    instance: Instance
    seed: int
    problem: int = 0


@dataclass(frozen=True, kw_only=True)
class Episode:
    """What happened in one trial.

    Attributes:
        scores: validation score at each decision, n_decisions + 1 (from the untrained start).
        schedule: name -> value in force before each decision's iterations, n_decisions.
        raw: metric name -> raw value at each decision, n_decisions + 1.
        utilities: metric name -> utility in [0, 1] at each decision, n_decisions + 1.
        training: name of a training statistic (losses, gradients, ...) -> mean over each decision's iterations,
            n_decisions; not a number where no training took place.
        ailments: name of an ailment (:mod:`qsynth.population.health`) -> the decision, counted from 1, that first
            showed it.
        recoveries: decision, counted from 1 -> how the trial was treated before its iterations.
        test_score: score of what is kept against the test rows; None unless asked for.
        test_raw: raw metric values of the same.
        reason: why it ended.
        snapshot: the trained GAN that is kept; None unless asked for.
        began, ended: of the wave that it was played in, in seconds since 1970.
    """

    instance: str
    seed: int
    scores: np.ndarray
    schedule: dict[str, np.ndarray]
    raw: dict[str, np.ndarray]
    utilities: dict[str, np.ndarray]
    training: dict[str, np.ndarray]
    ailments: dict[str, int]
    recoveries: dict[int, str]
    test_score: float | None
    test_raw: dict[str, float]
    reason: str
    snapshot: Snapshot | None
    began: float
    ended: float


def play(
    tuner: Tuner,
    agent_for: Callable[[slice], Agent],
    assignments: Sequence[Assignment],
    *,
    test: bool = False,
    snapshots: bool = False,
    keep: Keep = "last",
) -> list[Episode]:
    """Play every assignment to its end.

    Args:
        agent_for: the agent for a slice of ``assignments``; asked once a wave of at most ``n_lanes`` trials.
        test: whether to measure what is kept against the test rows, with noise that has selected nothing.
        snapshots: whether to keep the trained GANs.
        keep: of each trial its end, or its decision with the best validation score. The best is for those who want a
            generator; agents are rewarded and compared by where their trials end.
    """
    episodes: list[Episode] = []
    n_lanes = tuner.population.n_lanes
    for start in range(0, len(assignments), n_lanes):
        wave = slice(start, min(start + n_lanes, len(assignments)))
        chosen = list(assignments[wave])
        # A last, partial wave is filled up with repetitions, which are dropped.
        filled = [chosen[index % len(chosen)] for index in range(n_lanes)]
        kept = KeepBest(tuner.population) if keep == "best" else None
        episodes += _play_wave(tuner, agent_for(wave), filled, test, snapshots, kept)[: len(chosen)]
    return episodes


def _play_wave(
    tuner: Tuner, agent: Agent, wave: list[Assignment], test: bool, snapshots: bool, kept: KeepBest | None
) -> list[Episode]:
    began, since = time.time(), time.monotonic()  # clocks may be set meanwhile
    n_lanes, n_decisions = len(wave), tuner.episode.n_decisions
    observation = tuner.begin(range(n_lanes), [a.instance for a in wave], [a.seed for a in wave])
    names = sorted(tuner.search_space) or sorted(tuner.values)
    scores, alive = [tuner.score], np.ones(n_lanes, dtype=bool)
    raw, utilities = [tuner.raw], [tuner.utilities]
    schedule: list[dict[str, np.ndarray]] = []
    training: list[dict[str, np.ndarray]] = []
    ailments: list[dict[str, int]] = [{} for _ in wave]
    recoveries: list[dict[int, str]] = [{} for _ in wave]
    reasons = [""] * n_lanes
    changes = agent.begin(n_lanes)
    for decision in range(n_decisions):
        if decision:
            changes = agent.decide(observation, tuner.values, decision / n_decisions)
        elif not changes:
            changes = agent.decide(observation, tuner.values, 0.0)
        step = tuner.step(changes)
        schedule.append({name: tuner.values[name].copy() for name in names})
        for lane in np.flatnonzero(alive):
            for name, lanes in step.ailments.items():
                if lanes[lane]:
                    ailments[lane].setdefault(name, decision + 1)
            if step.recovered[lane]:
                recoveries[lane][decision + 1] = step.recovered[lane]
        alive &= ~step.failed
        scores.append(np.where(alive, step.score, 0.0))
        if kept is not None:
            kept.look(scores[-1], alive)
        raw.append(step.raw)
        utilities.append(step.utilities)
        training.append(step.training)
        reasons = [old if old not in ("", "budget") else new for old, new in zip(reasons, step.reason, strict=True)]
        observation = step.observation
        if not alive.any():
            missing = n_decisions - decision - 1
            scores += [np.zeros(n_lanes)] * missing
            raw += [step.raw] * missing
            utilities += [step.utilities] * missing
            training += [{name: np.full(n_lanes, np.nan) for name in step.training}] * missing
            schedule += [schedule[-1]] * missing
            break
    if kept is not None:
        alive = kept.bring_back([each.instance for each in wave])
    card, broken = tuner.measure_test([each.problem for each in wave]) if test else (None, "")
    return [
        Episode(
            instance=wave[lane].instance.key,
            seed=wave[lane].seed,
            scores=np.array([score[lane] for score in scores]),
            schedule=_of_lane(schedule, lane),
            raw=_of_lane(raw, lane),
            utilities=_of_lane(utilities, lane),
            training=_of_lane(training, lane),
            ailments=ailments[lane],
            recoveries=recoveries[lane],
            test_score=_test_score(card, lane, bool(alive[lane])) if test else None,
            test_raw={} if card is None else {name: float(value[lane]) for name, value in card.raw.items()},
            reason=broken or reasons[lane],
            snapshot=tuner.population.snapshot(lane) if snapshots else None,
            began=began,
            ended=began + time.monotonic() - since,
        )
        for lane in range(n_lanes)
    ]


def _of_lane(moments: list[dict[str, np.ndarray]], lane: int) -> dict[str, np.ndarray]:
    """One lane's course: name -> value at each moment."""
    return {name: np.array([values[name][lane] for values in moments]) for name in moments[0]}


def _test_score(card: Scorecard | None, lane: int, alive: bool) -> float:
    """What failed, or could not be measured, scores 0."""
    return float(card.score[lane]) if card is not None and alive else 0.0
