"""What is left of an agent when it is robbed of something."""

from collections.abc import Mapping

import numpy as np

from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.mean_schedule import mean_schedule
from cluster.comparison.rivals.rival import Course, Plan, Rival, Setting
from qsynth.space.search_space import SearchSpace
from rl_envs.agents import Agent, LaneValues


class Blind:
    """The agent, seeing zeros but for the present hyperparameters: what it does then, it does not do because of the
    trial.

    Args:
        agent: whom to rob.
    """

    name = "agent, blind"

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def begin(self, n_lanes: int) -> LaneValues:
        """As the agent."""
        return self._agent.begin(n_lanes)

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """As the agent, told nothing."""
        return self._agent.decide(np.zeros_like(observation), values, progress)


class Deceived:
    """The agent, seeing what happened at the same decision of another problem's trial, and its own hyperparameters.

    Args:
        seen: decisions x features; a trial that ended early shows its last row from then on.
        n_decisions: of a run.
    """

    name = "agent, shuffled observations"

    def __init__(self, agent: Agent, seen: np.ndarray, n_decisions: int) -> None:
        self._agent, self._seen, self._n_decisions = agent, seen, n_decisions

    def begin(self, n_lanes: int) -> LaneValues:
        """As the agent."""
        return self._agent.begin(n_lanes)

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """As the agent, told the wrong thing."""
        row = self._seen[min(round(progress * self._n_decisions), len(self._seen) - 1)]
        return self._agent.decide(np.tile(row, (len(observation), 1)), values, progress)


class ConstantAction:
    """The agent's mean move at every decision, whatever happens.

    Args:
        drift: name -> mean move on the unit scale.
    """

    name = "agent, constant action"

    def __init__(self, space: SearchSpace, drift: Mapping[str, float]) -> None:
        self._space, self._drift = space, drift
        self._unit: dict[str, np.ndarray] = {}

    def begin(self, n_lanes: int) -> LaneValues:
        """Nothing."""
        self._unit = {}
        return {}

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """One step further."""
        if not self._unit:
            self._unit = {name: each.to_unit(values[name]) for name, each in self._space.items()}
        self._unit = {name: np.clip(unit + self._drift[name], 0.0, 1.0) for name, unit in self._unit.items()}
        return {name: each.from_unit(self._unit[name]) for name, each in self._space.items()}


def mean_drift(space: SearchSpace, courses: list[Course], start: list[dict[str, float]]) -> dict[str, float]:
    """Mean move of each hyperparameter at a decision, on the unit scale, over all decisions of all trials."""
    drift = {}
    for name, dimension in space.items():
        moves = [
            np.diff(dimension.to_unit(np.array([begun[name], *course.values[name]])))
            for course, begun in zip(courses, start, strict=True)
        ]
        drift[name] = float(np.mean(np.concatenate(moves)))
    return drift


def ablations(
    agent: Agent,
    identity: str,
    space: SearchSpace,
    courses: Mapping[int, Course],
    starts: Mapping[int, dict[str, float]],
) -> list[Rival]:
    """The agent robbed in four ways, for the smallest budget on each problem.

    Args:
        courses: problem's number -> what the agent saw and did in its first run there.
        starts: problem's number -> the values it started from.
    """
    numbers = sorted(courses)
    drift = mean_drift(space, [courses[number] for number in numbers], [starts[number] for number in numbers])
    other = dict(zip(numbers, numbers[1:] + numbers[:1], strict=True))

    def deceived(setting: Setting) -> Plan:
        seen = np.array(courses[other[setting.problem]].observations, dtype=np.float32)
        return agent_rival(Deceived.name, Deceived(agent, seen, setting.n_decisions)).plan(setting)

    blind, constant = Blind(agent), ConstantAction(space, drift)
    about = ", ".join(f"{name} {move:+.3f}" for name, move in sorted(drift.items()))
    made = [
        agent_rival(blind.name, blind, "it sees zeros, and its own hyperparameters", only_once=True, identity=identity),
        agent_rival(constant.name, constant, f"its mean move: {about}", only_once=True, identity=identity),
    ]
    if len(numbers) > 1:
        detail = "it sees another problem's trial at the same decision, and its own hyperparameters"
        made.append(
            Rival(name=Deceived.name, plan=deceived, detail=detail, only_once=True, identity=f"{identity} {numbers}")
        )
        made.append(mean_schedule(space, courses, identity))
    return made
