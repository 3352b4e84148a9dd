"""What won, trained again: along the same schedule, from networks that nobody has selected."""

from cluster.comparison.rivals.random_search import RANDOM_SEARCH
from cluster.comparison.rivals.retrained import TRIAL, retrained
from cluster.comparison.rivals.rival import SEEDS_PER_PROBLEM
from qsynth.space.search_space import Float, Int, SearchSpace
from tests.cluster.comparison.rivals.known_scores import Game, a_setting, play

SPACE: SearchSpace = {"lr_generator": Float(low=0.0, high=1.0), "n_critic": Int(low=1, high=5)}
START = {"lr_generator": 0.9, "n_critic": 5.0}


def again(schedule: dict[str, list[float]]) -> Game:
    rival = retrained(RANDOM_SEARCH, schedule, 4)
    return play(rival, a_setting(SPACE, 4, 1, start=START), lambda step: step.values["lr_generator"])


def test_the_schedule_is_followed_from_the_first_decision_on() -> None:
    game = again({"lr_generator": [0.1, 0.3, 0.2, 0.4], "n_critic": [1, 2, 2, 3]})
    [only] = game.stretches
    assert [each["lr_generator"] for each in only.values] == [0.1, 0.3, 0.2, 0.4]
    assert [each["n_critic"] for each in only.values] == [1, 2, 2, 3]
    assert only.outcome.scores[1:] == (0.1, 0.3, 0.2, 0.4)
    assert game.meter.left == 0


def test_a_trial_that_was_over_early_goes_on_with_its_last_values() -> None:
    [only] = again({"lr_generator": [0.1, 0.3], "n_critic": [1, 2]}).stretches
    assert [each["lr_generator"] for each in only.values] == [0.1, 0.3, 0.3, 0.3]


def test_its_networks_are_nobody_elses() -> None:
    [only] = again({"lr_generator": [0.1], "n_critic": [1]}).stretches
    assert only.source is None
    assert only.trial == TRIAL == SEEDS_PER_PROBLEM // 2
    most = play(RANDOM_SEARCH, a_setting(SPACE, 1, 1024), lambda step: 0.5)
    assert max(each.trial for each in most.stretches) < TRIAL


def test_another_schedule_is_another_rival() -> None:
    rivals = [retrained(RANDOM_SEARCH, {"lr_generator": [rate]}, 2) for rate in (0.1, 0.1, 0.2)]
    assert rivals[0].identity == rivals[1].identity != rivals[2].identity
    assert rivals[0].name == "random search, retrained"
