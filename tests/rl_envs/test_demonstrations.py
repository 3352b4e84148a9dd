"""Demonstrations: baselines head for their targets, the best trials are kept, and a policy can imitate them."""

import numpy as np
import pytest
import torch

from qsynth.config import parse
from qsynth.space.search_space import Choice, Float, Int
from rl_envs.cloning import clone
from rl_envs.curriculum import CurriculumConfig, CurriculumVectorEnv
from rl_envs.demonstrations import KEPT, Baseline, Demonstrations, demonstrate
from rl_envs.policy import PolicyConfig, PolicyNetwork
from rl_envs.spaces import DOWN, STAY, UP, Entries, moved
from tests.rl_envs.tiny import N_DECISIONS, environment

ENTRIES: Entries = {
    "beta1": Float(low=0, high=0.9),
    "lr_generator": Float(low=1e-4, high=1, log=True),
    "n_critic": Int(low=1, high=5),
    "batch_size": Choice(values=(8, 16)),
}
FEATURES = [f"hyperparameters.{name}" for name in ENTRIES]
N_LANES = 200


def seen(values: dict[str, np.ndarray]) -> np.ndarray:
    return np.stack([2 * entry.to_unit(values[name]) - 1 for name, entry in ENTRIES.items()], axis=1)  # type: ignore[union-attr]


def test_baselines_reach_their_targets_and_stay_there() -> None:
    values = {name: np.full(N_LANES, float(entry.low)) for name, entry in ENTRIES.items()}  # type: ignore[union-attr]
    baseline = Baseline(ENTRIES, FEATURES, 0.3, np.random.default_rng(0))
    baseline.begin(seen(values))
    for _ in range(8):
        values = moved(ENTRIES, values, baseline.act(seen(values), 0.0), 0.3)
    assert (values["batch_size"] == 8).all()  # choices stay
    for name in ("beta1", "lr_generator"):
        stayed = (values[name] == ENTRIES[name].low).mean()  # type: ignore[union-attr]
        assert 0.4 < stayed < 0.6
        last = baseline.act(seen(values), 0.0)[name]
        assert np.abs(last).max() < 1e-6
    assert set(values["n_critic"]) == {1, 2, 3, 4, 5}
    assert (baseline.act(seen(values), 0.0)["n_critic"] == STAY).all()
    # Half of the learning rates fall later, by a factor of up to 100, and nothing else moves.
    later = baseline.act(seen(values), 1.0)
    falls = later["lr_generator"][values["lr_generator"] > 1e-4] < -1e-6
    assert 0.3 < falls.mean() < 0.7
    assert np.abs(later["beta1"]).max() < 1e-6


def test_ints_go_one_step_at_a_time() -> None:
    values = {name: np.full(N_LANES, float(entry.low)) for name, entry in ENTRIES.items()} | {  # type: ignore[union-attr]
        "n_critic": np.full(N_LANES, 3.0)
    }
    baseline = Baseline(ENTRIES, FEATURES, 0.3, np.random.default_rng(0))
    baseline.begin(seen(values))
    first = baseline.act(seen(values), 0.0)["n_critic"]
    assert set(first) == {DOWN, STAY, UP}
    assert (first == STAY).mean() > 0.4


def config() -> CurriculumConfig:
    plain = environment(reward={"kind": "best_gain"}).model_dump(mode="json")
    return parse(CurriculumConfig, {"tasks": {"one": plain, "two": plain}}, source="test")


def test_the_best_trials_of_each_task_are_kept_up_to_their_last_gain(monkeypatch: pytest.MonkeyPatch) -> None:
    n_lanes, n_episodes = 8, 5
    rewards = np.random.default_rng(0).random((n_episodes, N_DECISIONS, n_lanes)) / 100
    rewards[:, -1] = 0  # the last decision never gains anything
    rewards[1, 0, 2], rewards[3, 0, 6] = 1, 2  # the best trials: one of each task
    given, observed = iter(rewards.reshape(-1, n_lanes)), []
    step = CurriculumVectorEnv.step

    def scripted(self: CurriculumVectorEnv, actions: dict[str, np.ndarray]) -> tuple[object, ...]:
        observation, _, terminated, *rest = step(self, actions)
        observed.append(observation)
        return observation, next(given), np.zeros_like(terminated), *rest

    monkeypatch.setattr(CurriculumVectorEnv, "step", scripted)
    found = demonstrate(config(), n_lanes, n_episodes, seed=0)
    n_kept = 2 * round(KEPT * n_lanes / 2 * n_episodes)
    assert len(found) == n_kept * (N_DECISIONS - 1)
    assert found.observations.shape[1] == len(config().features)
    assert {name: len(action) for name, action in found.actions.items()} == dict.fromkeys(found.actions, len(found))
    expected = observed[N_DECISIONS][2]  # of the first best trial, after its first decision
    assert (found.observations == expected).all(axis=1).any()


def test_a_policy_imitates() -> None:
    random, torch_seed = np.random.default_rng(0), 3
    observations = random.uniform(-1, 1, (2000, 4)).astype(np.float32)
    actions = {
        "beta1": 0.5 * observations[:, 1:2],
        "lr_generator": np.full((2000, 1), -0.25, np.float32),
        "n_critic": np.where(observations[:, 0] > 0, UP, DOWN),
        "batch_size": np.zeros(2000, dtype=int),
    }
    torch.manual_seed(torch_seed)
    network = PolicyNetwork(4, ENTRIES, PolicyConfig(conditional=True))
    before = network.log_std.clone()
    clone(network, Demonstrations(observations, actions), seed=0)
    assert torch.equal(network.log_std, before)
    with torch.no_grad():
        done = network.greedy(torch.as_tensor(observations))
    assert float((done["beta1"] - torch.as_tensor(actions["beta1"])).abs().mean()) < 0.05
    assert float((done["lr_generator"] + 0.25).abs().mean()) < 0.05
    assert (done["n_critic"].numpy() == actions["n_critic"]).mean() > 0.95
    assert (done["batch_size"] == 0).all()


def test_too_little_to_imitate_is_refused() -> None:
    few = Demonstrations(np.zeros((3, 4), np.float32), {name: np.zeros(3) for name in ENTRIES})
    with pytest.raises(ValueError, match="at least 10 decisions; got 3"):
        clone(PolicyNetwork(4, ENTRIES, PolicyConfig()), few, seed=0)


def test_several_are_joined_in_order() -> None:
    one, two = (Demonstrations(np.full((n, 1), n, np.float32), {"a": np.full(n, n)}) for n in (2, 3))
    joined = Demonstrations.joined([one, two])
    assert joined.observations[:, 0].tolist() == joined.actions["a"].tolist() == [2, 2, 3, 3, 3]
