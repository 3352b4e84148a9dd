"""Sequential halving finds the best schedule of a landscape that is known."""

import numpy as np
import pytest

from qsynth.data.gaussian import GaussianFamily
from qsynth.space.search_space import Float
from rl_envs.agents import Schedule
from rl_envs.rollout import Assignment
from rl_envs.schedule_search import Candidate, Family, rungs, search_schedule

SPACE = {"lr_generator": Float(low=1e-4, high=1e-1, log=True)}


def landscape(family: Family) -> tuple[object, int, list[int]]:
    noise = np.random.default_rng(0)
    costs: list[int] = []

    def play(agent_for: object, assignments: list[Assignment]) -> list[float]:
        costs.append(len(assignments))
        agent: Schedule = agent_for(slice(0, len(assignments)))  # type: ignore[operator]
        start = agent.begin(len(assignments))["lr_generator"]
        late = agent.decide(np.zeros((len(assignments), 1)), {}, 1.0).get("lr_generator", start)
        score = 1 - 0.3 * np.abs(np.log10(start / 1e-2)) - 0.2 * np.abs(np.log10(late / 1e-3)) * (family != "constants")
        return [float(s + 0.02 * noise.normal()) for s in score]

    instances = [GaussianFamily(n_train=16).instance(index, held_out=False) for index in range(3)]
    found, trials = search_schedule(SPACE, {"lr_generator": 1e-4}, instances, 1024, family, 0, play)  # type: ignore[arg-type]
    return found, trials, costs


def test_constants_are_found_within_the_budget() -> None:
    found, trials, costs = landscape("constants")
    assert abs(np.log10(found.start["lr_generator"] / 1e-2)) < 0.2  # type: ignore[attr-defined]
    assert found.decay == 1.0  # type: ignore[attr-defined]
    assert costs == [64 * 6, 16 * 22, 4 * 86]
    assert trials == sum(costs)


def test_the_best_of_the_last_rung_is_returned() -> None:
    """Four candidates in one rung."""
    met: set[float] = set()

    def play(agent_for: object, assignments: list[Assignment]) -> list[float]:
        starts = agent_for(slice(0, len(assignments))).begin(len(assignments))["lr_generator"]  # type: ignore[operator]
        met.update(starts.tolist())
        return [float(score) for score in -np.abs(np.log10(starts / 1e-2))]

    instances = [GaussianFamily(n_train=16).instance(0, held_out=False)]
    found, _ = search_schedule(SPACE, {"lr_generator": 1e-4}, instances, 64, "constants", 3, play)
    assert len(met) == 4
    best = min(met, key=lambda start: abs(np.log10(start / 1e-2)))
    assert found.start["lr_generator"] == best
    assert found.score == pytest.approx(-abs(np.log10(best / 1e-2)))


@pytest.mark.parametrize("n_trials", [1, 16, 64, 65, 192, 256, 257, 512, 1000, 4096])
def test_a_search_spends_what_it_is_given_in_rungs_of_equal_cost(n_trials: int) -> None:
    steps = rungs(n_trials)
    costs = [n_alive * repeats for n_alive, repeats in steps]
    assert n_trials <= sum(costs) <= n_trials + sum(n_alive for n_alive, _ in steps)
    assert [n_alive for n_alive, _ in steps] == sorted((n_alive for n_alive, _ in steps), reverse=True)
    assert 1 < steps[-1][0] <= 4


def test_a_decay_is_found() -> None:
    found, _, _ = landscape("exponential")
    assert 0.03 < found.decay < 0.3  # type: ignore[attr-defined]


def test_two_time_scales_keep_the_rest_at_its_defaults() -> None:
    space = {**SPACE, "lr_critic": Float(low=1e-4, high=1e-1, log=True), "beta1": Float(low=0, high=0.9)}
    ratios: set[float] = set()

    def play(agent_for: object, assignments: list[Assignment]) -> list[float]:
        values = agent_for(slice(0, len(assignments))).begin(len(assignments))  # type: ignore[operator]
        assert set(values["beta1"]) == {0.5}
        ratios.update(np.round(values["lr_critic"] / values["lr_generator"], 6).tolist())
        return [float(score) for score in -np.abs(values["lr_critic"] - 0.03)]

    instances = [GaussianFamily(n_train=16).instance(0, held_out=False)]
    defaults = {"lr_generator": 1e-3, "lr_critic": 1e-3, "beta1": 0.5}
    found, _ = search_schedule(space, defaults, instances, 256, "ttur", 0, play)
    assert len(ratios) > 10
    assert found.start["beta1"] == 0.5
    assert abs(found.start["lr_critic"] - 0.03) < 0.02


def test_a_cosine_begins_at_the_start_and_ends_at_its_share() -> None:
    schedule = Candidate({"lr_generator": 0.1}, 0.2, 0.5, "cosine").schedule("cosine")
    seen = np.zeros((1, 1))
    values = [schedule.decide(seen, {}, share)["lr_generator"][0] for share in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(values, [0.1, 0.06, 0.02])
