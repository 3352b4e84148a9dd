"""What is left of an agent that is robbed: each way takes away just what it says."""

import numpy as np
import pytest

from cluster.comparison.rivals.ablation import Blind, ConstantAction, Deceived, ablations, mean_drift
from cluster.comparison.rivals.rival import Course, Rival
from qsynth.space.search_space import Float, SearchSpace
from rl_envs.agents import LaneValues
from tests.cluster.comparison.rivals.known_scores import X, a_setting, play

LOG: SearchSpace = {"rate": Float(low=1e-4, high=1.0, log=True), "x": Float(low=0.0, high=1.0)}


class Echo:
    """Takes the score that it sees for its value, plus a tenth of its present value."""

    name = "echo"

    def begin(self, n_lanes: int) -> LaneValues:
        """Nothing."""
        return {}

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """The score, and a little of what was."""
        return {"x": observation[:, 1] + 0.1 * values["x"]}


def courses() -> dict[int, Course]:
    """What an agent saw on three problems; on the second its trial ended early."""
    return {
        0: Course([[0.0, 0.1], [0.5, 0.2]], {"x": [0.5, 0.7]}),
        4: Course([[0.0, 0.3]], {"x": [0.2]}),
        9: Course([[0.0, 0.5], [0.5, 0.6]], {"x": [0.4, 0.4]}),
    }


def robbed() -> dict[str, Rival]:
    starts = {0: {"x": 0.4}, 4: {"x": 0.4}, 9: {"x": 0.4}}
    return {each.name: each for each in ablations(Echo(), "me", X, courses(), starts)}


def values(rival: Rival, problem: int = 0) -> list[float]:
    """In force during each decision of its first run, where the score is always 0.8."""
    game = play(rival, a_setting(X, 2, 1, start={"x": 0.4}, problem=problem), lambda step: 0.8, begin=0.8)
    return [round(each["x"], 6) for each in game.stretches[0].values]


def test_the_blind_see_only_their_own_values() -> None:
    assert values(robbed()[Blind.name]) == [0.04, 0.004]


@pytest.mark.parametrize(("problem", "seen"), [(0, [0.3, 0.3]), (4, [0.5, 0.6]), (9, [0.1, 0.2])])
def test_the_deceived_see_the_next_problems_trial(problem: int, seen: list[float]) -> None:
    first = round(seen[0] + 0.04, 6)
    assert values(robbed()[Deceived.name], problem) == [first, pytest.approx(seen[1] + 0.1 * first)]


def test_a_constant_action_is_the_mean_move() -> None:
    # +0.1, +0.2; -0.2; 0, 0 on the unit scale: +0.02 a decision.
    assert values(robbed()[ConstantAction.name]) == [0.42, 0.44]
    assert "x +0.020" in robbed()[ConstantAction.name].detail


def test_moves_are_measured_on_each_dimensions_own_scale_and_cut_at_its_ends() -> None:
    course = Course([[0.0, 0.0]] * 2, {"rate": [1e-3, 1e-2], "x": [0.5, 0.3]})
    drift = mean_drift(LOG, [course], [{"rate": 1e-4, "x": 0.5}])
    assert drift == {"rate": pytest.approx(0.25), "x": pytest.approx(-0.1)}
    agent = ConstantAction(LOG, drift)
    agent.begin(1)
    present = {"rate": np.array([1e-2]), "x": np.array([0.15])}
    moves = [agent.decide(np.zeros((1, 2)), present, 0.0) for _ in range(3)]
    assert [float(each["rate"][0]) for each in moves] == pytest.approx([1e-1, 1.0, 1.0])
    assert [float(each["x"][0]) for each in moves] == pytest.approx([0.05, 0.0, 0.0])


def test_one_problem_leaves_nobody_to_be_deceived_by() -> None:
    only = {0: courses()[0]}
    names = [each.name for each in ablations(Echo(), "me", X, only, {0: {"x": 0.4}})]
    assert names == [Blind.name, ConstantAction.name]
