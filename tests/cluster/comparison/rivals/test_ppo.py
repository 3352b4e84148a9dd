"""PPO that learns on a problem: it finds out what pays there, and disturbs nobody else's random numbers."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from cluster.comparison.rivals.meter import Meter
from cluster.comparison.rivals.ppo import CONFIG, PPO, ROUND, ppo_rival
from cluster.comparison.rivals.rival import Moment, Outcome, Setting, Stretch
from qsynth.circuits.spend import Spend
from qsynth.population.snapshot import Keep
from qsynth.space.search_space import Float, Int, SearchSpace
from rl_envs.policy import PolicyFile, PolicyNetwork

SPACE: SearchSpace = {"beta1": Float(low=0.0, high=0.9), "n_critic": Int(low=1, high=5)}
FEATURES = ["budget.remaining", "score.now"]
N_DECISIONS = 4


def played(stretch: Stretch, score: Callable[[dict[str, float]], float]) -> tuple[Outcome, dict[str, float]]:
    """What comes of a trial whose score is a function of its present values; and these."""
    values, scores = dict(stretch.values), [0.3]
    for decision in range(stretch.decisions):
        observation = np.array([1 - 2 * decision / N_DECISIONS, scores[-1]], dtype=np.float32)
        values |= stretch.steer(Moment(decision, scores[-1], observation, values)) or {}
        scores.append(score(values))
    return Outcome(tuple(scores), failed=False), values


def finals(runs: int, score: Callable[[dict[str, float]], float], keep: Keep = "best") -> list[dict[str, float]]:
    """Values at the end of each trial."""
    meter = Meter(runs * N_DECISIONS, 1)
    start = {"beta1": 0.45, "n_critic": 3.0}
    plan = PPO.plan(Setting(0, SPACE, FEATURES, start, N_DECISIONS, 0.3, runs, 5, meter, keep))
    batch, found = next(plan), []
    while True:
        ends = [played(stretch, score) for stretch in batch]
        for stretch in batch:
            meter.charge(stretch.decisions, Spend(), new=True, failed=False)
        found += [values for _, values in ends]
        try:
            batch = plan.send([outcome for outcome, _ in ends])
        except StopIteration:
            return found


@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize("sign", [1, -1])
def test_it_learns_what_pays(keep: Keep, sign: int) -> None:
    found = finals(60, lambda values: 0.5 + sign * (values["beta1"] - 0.45), keep)
    assert len(found) == 60
    gained = [sign * (values["beta1"] - 0.45) for values in found]
    assert np.mean(gained[-10:]) > max(0.3, np.mean(gained[:6]) + 0.05)
    assert gained[-1] > 0.2  # of the likeliest actions


def test_one_run_is_greedy_and_a_new_policy_stays() -> None:
    [values] = finals(1, lambda values: 0.5)
    assert values["n_critic"] == 3
    assert values["beta1"] == pytest.approx(0.45, abs=0.02)


def test_other_random_numbers_are_as_if_it_were_not_there() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    finals(2 * ROUND, lambda values: values["beta1"])
    assert torch.equal(torch.rand(4), wanted)


def test_from_an_agent_its_first_run_is_the_agents() -> None:
    torch.manual_seed(0)
    network = PolicyNetwork(len(FEATURES), SPACE, CONFIG.policy)
    with torch.no_grad():
        network.network[-1].bias.fill_(0.5)  # type: ignore[union-attr]
    file = PolicyFile(features=tuple(FEATURES), search_space=SPACE, policy=CONFIG.policy, max_step=0.1)
    rival = ppo_rival("tuned further", (network, file), "", prepared=10)
    assert rival.shared
    meter = Meter(N_DECISIONS, 1)
    start = {"beta1": 0.1, "n_critic": 3.0}
    [stretch] = next(rival.plan(Setting(0, SPACE, FEATURES, start, N_DECISIONS, 0.3, 1, 5, meter, "best")))
    _, values = played(stretch, lambda values: 0.5)
    assert values["beta1"] == pytest.approx(0.1 + N_DECISIONS * 0.5 * 0.1 * 0.9, rel=0.05)
