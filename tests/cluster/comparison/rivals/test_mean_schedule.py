"""The mean schedule: what an agent did elsewhere, in the mean, and nothing of what it did here."""

import numpy as np
import pytest

from cluster.comparison.rivals.mean_schedule import MeanSchedule, mean_schedule
from cluster.comparison.rivals.rival import Course
from qsynth.space.search_space import SearchSpace
from tests.cluster.comparison.rivals.known_scores import MIXED, X, a_setting, near, play

COURSES = {
    0: Course([[0.0, 0.1]] * 3, {"x": [0.1, 0.2, 0.3]}),
    4: Course([[0.0, 0.3]], {"x": [0.8]}),  # it ended early
    9: Course([[0.0, 0.5]] * 3, {"x": [0.4, 0.6, 0.9]}),
}


def values(problem: int, start: float = 0.5, space: SearchSpace = X) -> list[float]:
    """In force during each decision of the first run."""
    rival = mean_schedule(space, COURSES, "me")
    game = play(rival, a_setting(space, 3, 1, start={"x": start}, problem=problem), lambda step: 0.5)
    return [round(each["x"], 6) for each in game.stretches[0].values]


@pytest.mark.parametrize(
    ("problem", "expected"), [(0, [0.6, 0.7, 0.85]), (4, [0.25, 0.4, 0.6]), (9, [0.45, 0.5, 0.55])]
)
def test_it_is_the_mean_of_the_other_problems_courses(problem: int, expected: list[float]) -> None:
    assert values(problem) == expected


def test_it_does_the_same_wherever_it_starts_and_whatever_it_sees() -> None:
    rival = mean_schedule(X, COURSES, "me")
    settings = [a_setting(X, 3, 2, start={"x": start}, problem=4) for start in (0.0, 1.0)]
    games = [play(rival, settings[0], lambda step: 0.1), play(rival, settings[1], lambda step: 0.9)]
    courses = {tuple(each["x"] for each in stretch.values) for game in games for stretch in game.stretches}
    assert len(courses) == 1


def test_means_are_taken_on_each_dimensions_own_scale_and_are_values_of_it() -> None:
    low = {"rate": 1e-4, "share": 0.0, "steps": 1.0, "width": 4.0}
    high = {"rate": 1e-2, "share": 0.9, "steps": 5.0, "width": 16.0}
    courses = [Course([[0.0, 0.0]], {name: [value] for name, value in each.items()}) for each in (low, high)]
    agent = MeanSchedule(MIXED, courses, 1)
    found = {name: float(value[0]) for name, value in agent.decide(np.zeros((2, 2)), {}, 0.0).items()}
    assert found == {"rate": pytest.approx(1e-3), "share": pytest.approx(0.45), "steps": 3.0, "width": 8.0}


def test_a_schedule_that_all_share_is_followed_to_its_end() -> None:
    target = {"x": 0.7}
    courses = {n: Course([[0.0, 0.0]] * 2, {"x": [0.2, 0.7]}) for n in range(3)}
    closeness = near(target, X)
    game = play(
        mean_schedule(X, courses, "me"), a_setting(X, 2, 1, start={"x": 0.0}), lambda step: closeness(step.values)
    )
    assert game.stretches[0].end == pytest.approx(1.0)
    assert game.best == pytest.approx(1.0)


def test_agents_are_told_apart() -> None:
    assert mean_schedule(X, COURSES, "me").identity != mean_schedule(X, COURSES, "you").identity
    fewer = {number: COURSES[number] for number in (0, 4)}
    assert mean_schedule(X, COURSES, "me").identity != mean_schedule(X, fewer, "me").identity
