"""An agent as a rival: it is told what it needs, each trial has one of its own, and what it decides is done."""

import numpy as np
import pytest

from cluster.comparison.rivals.agent_run import agent_rival
from rl_envs.agents import Hold, LaneValues, Schedule
from tests.cluster.comparison.rivals.known_scores import X, a_setting, play


class Climber:
    """Begins at 0.2, and goes on upwards while the score has risen, else back; it remembers the last score."""

    name = "climber"

    def __init__(self) -> None:
        self.told: list[tuple[float, float, float]] = []
        self._last, self._step = -1.0, 0.1

    def begin(self, n_lanes: int) -> LaneValues:
        """A place of its own to start from."""
        return {"x": np.full(n_lanes, 0.2)}

    def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
        """One step."""
        score = float(observation[0, 1])
        self.told.append((score, float(values["x"][0]), progress))
        self._step = self._step if score > self._last else -self._step
        self._last = score
        return {"x": values["x"] + self._step}


def test_an_agent_that_climbs_gets_to_the_top_in_every_run() -> None:
    agent = Climber()
    setting = a_setting(X, 10, 3, start={"x": 0.9})
    game = play(agent_rival("climber", agent), setting, lambda step: 1 - abs(step.values["x"] - 0.6), begin=0.1)
    assert [each.trial for each in game.stretches] == [0, 1, 2]
    assert agent.told == []  # trials have copies of it
    for each in game.stretches:
        course = [round(values["x"], 9) for values in each.values]
        assert course == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.6, 0.5, 0.6, 0.7]
        assert max(each.outcome.scores) == pytest.approx(1.0)


def test_it_is_told_scores_values_and_progress() -> None:
    told: list[tuple[float, float, float]] = []

    class Heard(Climber):
        """Tells what it is told."""

        def decide(self, observation: np.ndarray, values: LaneValues, progress: float) -> LaneValues:
            """Nothing."""
            told.append((round(float(observation[0, 1]), 6), float(values["x"][0]), progress))
            return {}

    setting = a_setting(X, 4, 1, start={"x": 0.9})
    play(agent_rival("heard", Heard()), setting, lambda step: step.before + 0.25, begin=0.0)
    assert told == [(0.25, 0.2, 0.25), (0.5, 0.2, 0.5), (0.75, 0.2, 0.75)]


def test_who_holds_keeps_the_given_values_and_a_schedule_is_followed() -> None:
    setting = a_setting(X, 3, 2, start={"x": 0.4})
    held = play(agent_rival("defaults", Hold()), setting, lambda step: 0.5)
    assert [values for each in held.stretches for values in each.values] == [{"x": 0.4}] * 6
    decay = Schedule({"lr_generator": 0.1}, 0.01)
    game = play(agent_rival("decay", decay), a_setting(X, 2, 1, start={"x": 0.4}), lambda step: 0.5)
    rates = [round(values["lr_generator"], 9) for values in game.stretches[0].values]
    assert rates == [0.1, 0.01]


def test_only_the_first_run_is_watched() -> None:
    game = play(agent_rival("defaults", Hold(), watched=True), a_setting(X, 2, 3, start={"x": 0.4}), lambda step: 0.5)
    assert [each.outcome.course is not None for each in game.stretches] == [True, False, False]
