"""What pushed an agent: shares that add up, features that are told, and a picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cluster.results.explanation import SHOWN, Explanation, plot_explanation
from qsynth.space.search_space import Choice, Float, Int
from rl_envs.agents import TrainedAgent
from rl_envs.encoding import Encoding
from rl_envs.policy import PolicyConfig, PolicyNetwork
from rl_envs.rollout import Assignment, play
from rl_envs.spaces import DOWN, UP
from tests.rl_envs.tiny import N_DECISIONS, SPACE, instances, tuner


def wild(n_features: int) -> PolicyNetwork:
    torch.manual_seed(0)
    network = PolicyNetwork(n_features, SPACE, PolicyConfig(hidden=(8,)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.5)
    return network


def test_shares_add_up_to_what_all_features_change() -> None:
    made = tuner(2)
    observation = made.step({}).observation
    network = wild(len(made.features))
    agent = TrainedAgent(network, Encoding(made.features, SPACE, made.features, SPACE, 0.2))
    found = agent.contributions(observation, made.values)
    assert set(found) == set(SPACE)
    with torch.no_grad():
        seen, nothing = (
            network.drive(torch.as_tensor(observation)),
            network.drive(torch.zeros_like(torch.as_tensor(observation))),
        )
    for name, shares in found.items():
        assert set(shares) == set(made.features)
        total = np.sum(list(shares.values()), axis=0)
        tolerance = 0.2 if isinstance(SPACE[name], Choice) else 0.02  # the largest of several logits has kinks
        np.testing.assert_allclose(total, (seen[name] - nothing[name]).numpy(), atol=tolerance)


def test_what_drives_an_action_is_what_the_policy_says() -> None:
    network = wild(5)
    observation = torch.randn(7, 5)
    parts = dict(
        zip(network.search_space, network(observation).split(list(network.input_lengths.values()), -1), strict=True)
    )
    drive = network.drive(observation)
    for name, entry in SPACE.items():
        if isinstance(entry, Float):
            expected = parts[name][:, 0]
        elif isinstance(entry, Int):
            expected = parts[name][:, UP] - parts[name][:, DOWN]
        else:
            expected = parts[name][:, 1:].max(dim=-1).values - parts[name][:, 0]
        torch.testing.assert_close(drive[name], expected)


def test_a_picture_of_a_trial(tmp_path: Path) -> None:
    made, [instance] = tuner(1), instances(1)
    agent = TrainedAgent(wild(len(made.features)), Encoding(made.features, SPACE, made.features, SPACE, 0.2))
    explanation = Explanation(agent)

    class Watched:
        name, begin = "agent", staticmethod(agent.begin)

        @staticmethod
        def decide(observation: np.ndarray, values: dict[str, np.ndarray], progress: float) -> dict[str, np.ndarray]:
            explanation.look(observation, values)
            return agent.decide(observation, values, progress)

    [episode] = play(made, lambda _: Watched(), [Assignment(instance, 3)])
    assert all(len(pushes) == N_DECISIONS for shares in explanation.pushes.values() for pushes in shares.values())
    strongest = explanation.strongest("lr_generator")
    assert len(strongest) == SHOWN
    size = {name: np.abs(pushes).sum() for name, pushes in explanation.pushes["lr_generator"].items()}
    assert min(size[name] for name in strongest) >= max(size[name] for name in size if name not in strongest)
    plot_explanation(explanation, episode, SPACE, tmp_path / "why.png")
    with Image.open(tmp_path / "why.png") as image:
        assert image.width > 1000
        assert len(np.unique(np.asarray(image.convert("L")))) > 20


@pytest.mark.parametrize("n_lanes", [1, 3])
def test_lanes_are_explained_apart(n_lanes: int) -> None:
    made = tuner(n_lanes)
    observation = made.step({}).observation
    agent = TrainedAgent(wild(len(made.features)), Encoding(made.features, SPACE, made.features, SPACE, 0.2))
    together = agent.contributions(observation, made.values)
    values = {name: value[:1] for name, value in made.values.items()}
    alone = agent.contributions(observation[:1], values)
    for name, shares in alone.items():
        for feature, share in shares.items():
            np.testing.assert_allclose(together[name][feature][:1], share, atol=1e-5)
