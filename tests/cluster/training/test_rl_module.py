"""The agent's network inside RLlib: sampling and training agree, and it starts at "stay"."""

import gymnasium
import numpy as np
import pytest
import torch

from qsynth.space.search_space import Choice, Float, Int
from rl_envs.policy import PolicyConfig
from rl_envs.spaces import action_space

SPACE = {
    "gp_weight": Float(low=0.1, high=10, log=True),
    "beta1": Float(low=0, high=0.9),
    "n_critic": Int(low=1, high=5),
    "batch_size": Choice(values=(8, 16, 32)),
}


@pytest.fixture
def module() -> object:
    from cluster.training.rl_module import TuningModule

    return TuningModule(
        observation_space=gymnasium.spaces.Box(-2, 2, (7,), np.float32),
        action_space=action_space(SPACE),
        model_config={
            "search_space": {name: dimension.model_dump() for name, dimension in SPACE.items()},
            "policy": PolicyConfig().model_dump(mode="json"),
        },
        inference_only=False,
    )


def test_log_probabilities_are_those_of_the_documented_distribution(module: object) -> None:
    torch.manual_seed(0)
    observation = torch.randn(16, 7)
    with torch.no_grad():
        for parameter in module.policy.parameters():  # type: ignore[attr-defined]
            parameter.normal_()
    inputs = module.forward_train({"obs": observation})["action_dist_inputs"]  # type: ignore[attr-defined]
    distribution = module.get_train_action_dist_cls().from_logits(inputs)  # type: ignore[attr-defined]
    actions = distribution.sample()
    assert list(actions) == sorted(SPACE)
    expected = torch.zeros(16)
    parts = dict(zip(sorted(SPACE), inputs.split([4, 2, 2, 3], dim=1), strict=True))
    for name in ("beta1", "gp_weight"):
        mean, log_std = parts[name].chunk(2, dim=1)
        expected += torch.distributions.Normal(mean, log_std.exp()).log_prob(actions[name]).sum(dim=1)
    for name in ("batch_size", "n_critic"):
        expected += torch.distributions.Categorical(logits=parts[name]).log_prob(actions[name])
    assert torch.allclose(distribution.logp(actions), expected, rtol=1e-5, atol=1e-4)
    entropies = module.policy.entropies(inputs)  # type: ignore[attr-defined]
    assert float(distribution.entropy().detach().mean()) == pytest.approx(sum(entropies.values()), abs=1e-4)
    sampling = module.forward_exploration({"obs": observation})["action_dist_inputs"]  # type: ignore[attr-defined]
    assert torch.equal(sampling, inputs)


def test_what_is_likeliest_is_what_the_agent_does_without_rllib(module: object) -> None:
    torch.manual_seed(1)
    observation = torch.randn(16, 7)
    with torch.no_grad():
        for parameter in module.policy.parameters():  # type: ignore[attr-defined]
            parameter.normal_()
    inputs = module.forward_inference({"obs": observation})["action_dist_inputs"]  # type: ignore[attr-defined]
    distribution = module.get_inference_action_dist_cls().from_logits(inputs).to_deterministic()  # type: ignore[attr-defined]
    sampled, greedy = distribution.sample(), module.policy.greedy(observation)  # type: ignore[attr-defined]
    assert list(sampled) == list(greedy) == sorted(SPACE)
    assert all(torch.equal(sampled[name], greedy[name]) for name in SPACE)


def test_an_untrained_module_stays(module: object) -> None:
    inputs = module.forward_inference({"obs": torch.randn(64, 7)})["action_dist_inputs"]  # type: ignore[attr-defined]
    distribution = module.get_inference_action_dist_cls().from_logits(inputs).to_deterministic()  # type: ignore[attr-defined]
    actions = distribution.sample()
    assert actions["beta1"].abs().max() < 0.05
    assert actions["gp_weight"].abs().max() < 0.05
    assert (actions["n_critic"] == 1).all()
    assert (actions["batch_size"] == 0).all()


def test_values_have_a_network_of_their_own(module: object) -> None:
    batch = {"obs": torch.randn(5, 7)}
    values = module.compute_values(batch)  # type: ignore[attr-defined]
    assert values.shape == (5,)
    values.sum().backward()
    assert all(parameter.grad is None for parameter in module.policy.parameters())  # type: ignore[attr-defined]
