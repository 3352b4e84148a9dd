"""PPO that learns on a problem: it finds out what pays there, and disturbs nobody else's random numbers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cluster.comparison.rivals.ppo import CONFIG, PPO, ROUND, ppo_rival
from cluster.comparison.rivals.rival import Rival
from qsynth.population.snapshot import Keep
from qsynth.space.search_space import Float, Int, SearchSpace
from rl_envs.policy import PolicyFile, PolicyNetwork
from tests.cluster.comparison.rivals.known_scores import FEATURES, Game, a_setting, play

SPACE: SearchSpace = {"beta1": Float(low=0.0, high=0.9), "n_critic": Int(low=1, high=5)}
N_DECISIONS = 4


def played(
    runs: int,
    score: Callable[[dict[str, float]], float],
    keep: Keep = "best",
    rival: Rival = PPO,
    beta1: float = 0.45,
) -> Game:
    """Trials whose score is a function of their present values."""
    setting = a_setting(SPACE, N_DECISIONS, runs, 5, {"beta1": beta1, "n_critic": 3.0}, keep)
    return play(rival, setting, lambda step: score(step.values), begin=0.3)


@pytest.mark.parametrize(("keep", "sign"), [("best", -1), ("last", 1)])
def test_it_learns_what_pays(keep: Keep, sign: int) -> None:
    game = played(23, lambda values: 0.5 + sign * (values["beta1"] - 0.45), keep)
    assert [len(batch) for batch in game.batches] == [*[ROUND] * 7, 1, 1]
    gained = [sign * (each.values[-1]["beta1"] - 0.45) for each in game.stretches]
    assert np.mean(gained[-5:]) > max(0.2, np.mean(gained[:6]) + 0.05)
    assert gained[-1] > 0.2  # of the likeliest actions


def test_one_run_is_greedy_and_a_new_policy_stays() -> None:
    [only] = played(1, lambda values: 0.5).stretches
    assert only.values[-1]["n_critic"] == 3
    assert only.values[-1]["beta1"] == pytest.approx(0.45, abs=0.02)


def test_other_random_numbers_are_as_if_it_were_not_there() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    played(2 * ROUND, lambda values: values["beta1"])
    assert torch.equal(torch.rand(4), wanted)


def test_from_an_agent_its_first_run_is_the_agents() -> None:
    torch.manual_seed(0)
    network = PolicyNetwork(len(FEATURES), SPACE, CONFIG.policy)
    with torch.no_grad():
        network.network[-1].bias.fill_(0.5)  # type: ignore[union-attr]
    file = PolicyFile(features=tuple(FEATURES), search_space=SPACE, policy=CONFIG.policy, max_step=0.1)
    rival = ppo_rival("tuned further", (network, file), "", prepared=10)
    assert rival.shared
    [only] = played(1, lambda values: 0.5, rival=rival, beta1=0.1).stretches
    assert only.values[-1]["beta1"] == pytest.approx(0.1 + N_DECISIONS * 0.5 * 0.1 * 0.9, rel=0.05)
