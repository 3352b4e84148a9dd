"""The agent's mean schedule: what it does on other problems, whatever this one is like."""

from collections.abc import Mapping, Sequence

import numpy as np

from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.rival import Course, Plan, Rival, Setting
from qsynth.space.search_space import SearchSpace
from rl_envs.agents import LaneValues

NAME = "agent, mean schedule"


class MeanSchedule:
    """At each decision the mean of the values in force then in other trials, on each hyperparameter's own scale.

    Whatever it sees and wherever it starts, it does the same.

    Args:
        courses: of the other trials; one that ended early counts with its last values from then on.
        n_decisions: of a run.
    """

    name = NAME

    def __init__(self, space: SearchSpace, courses: Sequence[Course], n_decisions: int) -> None:
        self._n_decisions = n_decisions
        self._values = {
            name: dimension.from_unit(
                np.mean([dimension.to_unit(_whole(course.values[name], n_decisions)) for course in courses], axis=0)
            )
            for name, dimension in space.items()
        }

    def begin(self, n_lanes: int) -> LaneValues:
        """Those of the first decision."""
        return self._at(0, n_lanes)

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """Those of this decision."""
        return self._at(round(progress * self._n_decisions), len(observation))

    def _at(self, decision: int, n_lanes: int) -> LaneValues:
        return {name: np.full(n_lanes, values[decision]) for name, values in self._values.items()}


def mean_schedule(space: SearchSpace, courses: Mapping[int, Course], identity: str) -> Rival:
    """A run along the mean schedule of the agent's runs on all other problems, for the smallest budget.

    What an agent adds to it is what it owes to looking at the trial.

    Args:
        courses: problem's number -> what the agent saw and did in its first run there; at least two.
        identity: the agent's.
    """

    def plan(setting: Setting) -> Plan:
        others = [course for number, course in courses.items() if number != setting.problem]
        agent = MeanSchedule(space, others, setting.n_decisions)
        return agent_rival(NAME, agent).plan(setting)

    detail = "the mean of its values on the other problems, decision by decision"
    return Rival(name=NAME, plan=plan, detail=detail, only_once=True, identity=f"{identity} {sorted(courses)}")


def _whole(values: Sequence[float], n_decisions: int) -> np.ndarray:
    return np.array([*values, *[values[-1]] * (n_decisions - len(values))])
