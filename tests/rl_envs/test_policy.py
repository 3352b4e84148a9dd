"""The policy network: "stay" before training, its mode when greedy, and a file that is checked before it is trusted."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from qsynth.errors import QsynthError
from qsynth.space.search_space import Float
from rl_envs.agents import TrainedAgent
from rl_envs.encoding import Encoding
from rl_envs.policy import (
    FILE,
    MAX_LOG_STD,
    MIN_LOG_STD,
    Bumps,
    PolicyConfig,
    PolicyFile,
    PolicyNetwork,
    load_policy,
    save_policy,
)
from rl_envs.spaces import action_space, stay_index
from tests.rl_envs.tiny import SPACE

FEATURES = [f"feature.{index}" for index in range(7)]
CONFIG = PolicyConfig(hidden=(8, 6))
N_LANES = 50


def network(seed: int = 0, wild: bool = False) -> PolicyNetwork:
    """An untrained network, or one whose every parameter is random."""
    torch.manual_seed(seed)
    made = PolicyNetwork(len(FEATURES), SPACE, CONFIG)
    if wild:
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.normal_()
    return made


def observations(seed: int = 1) -> torch.Tensor:
    return 4 * torch.rand(N_LANES, len(FEATURES), generator=torch.Generator().manual_seed(seed)) - 2


def file(**changes: Any) -> PolicyFile:
    about = {"steps": 3, "note": "é"}
    plain = {"features": FEATURES, "search_space": SPACE, "policy": CONFIG, "max_step": 0.3, "about": about}
    return PolicyFile.model_validate({**plain, **changes})


def test_an_untrained_network_means_stay() -> None:
    made = network()
    actions = made.greedy(observations())
    for name, dimension in SPACE.items():
        if isinstance(dimension, Float):
            assert actions[name].shape == (N_LANES, 1)
            assert actions[name].abs().max() < 0.05
        else:
            assert actions[name].shape == (N_LANES,)
            assert (actions[name] == stay_index(dimension)).all()
    agent, random = TrainedAgent(made, Encoding(FEATURES, SPACE, FEATURES, SPACE, 0.2)), np.random.default_rng(0)
    values = {name: dimension.from_unit(random.random(N_LANES)) for name, dimension in SPACE.items()}
    moved = agent.decide(observations().numpy(), values, 0.5)
    for name, dimension in SPACE.items():
        if isinstance(dimension, Float):
            assert np.abs(dimension.to_unit(moved[name]) - dimension.to_unit(values[name])).max() < 0.01
        else:
            assert moved[name].tobytes() == values[name].tobytes()


def test_bumps_show_where_a_feature_lies() -> None:
    seen = Bumps(4)(torch.tensor([[-1.0, 0.1], [7.0, -0.75]]))
    assert seen.tolist() == [
        [-1, pytest.approx(0.1), 1, 0, 0, 0, 0, 0, 0, pytest.approx(0.8), pytest.approx(0.2), 0],
        [7, -0.75, 0, 0, 0, 0, 1, 0.5, 0.5, 0, 0, 0],
    ]
    assert Bumps(4).width(2) == 12
    assert Bumps(0).width(2) == 2
    assert torch.equal(Bumps(0)(seen), seen)


def test_bumps_tell_neighbouring_values_apart_that_a_smooth_network_does_not() -> None:
    """A tooth of a saw that turns at each of 32 steps, learned from as few gradients."""
    space = {"n_critic": SPACE["n_critic"]}
    steps = torch.linspace(-1, 1, 33)[:, None]
    turns = torch.arange(33) % 2
    right = {}
    for bins in (0, 32):
        torch.manual_seed(0)
        made = PolicyNetwork(1, space, PolicyConfig(hidden=(32, 32), bins=bins))
        optimizer = torch.optim.Adam(made.parameters(), lr=0.01)
        for _ in range(150):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(made(steps), turns).backward()
            optimizer.step()
        right[bins] = int((made.greedy(steps)["n_critic"] == turns).sum())
    assert right[32] == 33
    assert right[0] < 28


def test_a_file_brings_back_bumps(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = PolicyConfig(hidden=(8,), bins=3)
    made, path = PolicyNetwork(len(FEATURES), SPACE, config), tmp_path / "agent.safetensors"
    save_policy(path, made, file(policy=config))
    loaded, about = load_policy(path)
    assert about.policy.bins == 3
    assert torch.equal(loaded(observations()), made(observations()))
    assert "bumps.ends" not in made.state_dict()


def test_staying_is_likelier_but_not_certain() -> None:
    made = network()
    parts = dict(
        zip(made.input_lengths, made(observations()).split(list(made.input_lengths.values()), -1), strict=True)
    )
    for name, dimension in SPACE.items():
        if not isinstance(dimension, Float):
            odds = parts[name].softmax(dim=-1)
            assert (odds.argmax(dim=-1) == stay_index(dimension)).all()
            assert (odds > 0.1).all()


def test_parameters_come_in_sorted_order() -> None:
    made = network(wild=True)
    assert list(made.input_lengths) == sorted(SPACE)
    assert made.input_lengths == {"batch_size": 4, "beta1": 2, "lr_generator": 2, "n_critic": 3}
    assert made(observations()).shape == (N_LANES, 11)
    shuffled = PolicyNetwork(len(FEATURES), dict(reversed(SPACE.items())), CONFIG)
    shuffled.load_state_dict(made.state_dict())
    assert torch.equal(shuffled(observations()), made(observations()))


def test_greedy_is_the_mode_of_the_distribution() -> None:
    made = network(wild=True)
    parameters = made(observations())
    batch, beta, rate, critic = parameters.split([4, 2, 2, 3], dim=-1)
    actions = made.greedy(observations())
    assert torch.equal(actions["beta1"], beta[:, :1])
    assert torch.equal(actions["lr_generator"], rate[:, :1])
    assert torch.equal(actions["batch_size"], torch.distributions.Categorical(logits=batch).mode)
    assert torch.equal(actions["n_critic"], torch.distributions.Categorical(logits=critic).mode)
    assert len(set(actions["batch_size"].tolist())) > 1
    space = action_space(SPACE)
    for name, action in actions.items():
        if not isinstance(SPACE[name], Float):
            assert all(space[name].contains(np.int64(each)) for each in action)


def test_log_stds_are_free_of_the_observation_and_clamped() -> None:
    made = network(wild=True)
    with torch.no_grad():
        made.log_std[:] = torch.tensor([9.0, -9.0])  # beta1, lr_generator
    parameters = made(observations())
    assert (parameters[:, 5] == MAX_LOG_STD).all()
    assert (parameters[:, 7] == MIN_LOG_STD).all()
    assert (network()(observations())[:, [5, 7]] == CONFIG.log_std).all()


def test_each_lane_is_decided_by_its_own_observation() -> None:
    made, seen = network(wild=True), observations()
    changed = seen.clone()
    changed[3] += 1
    same = (made(seen) == made(changed)).all(dim=1)
    assert same.tolist() == [lane != 3 for lane in range(N_LANES)]


def test_a_file_brings_everything_back_bit_for_bit(tmp_path: Path) -> None:
    made, path = network(wild=True), tmp_path / "agent.safetensors"
    save_policy(path, made, file())
    loaded, about = load_policy(path)
    assert about == file()
    assert loaded.search_space == made.search_space
    assert not loaded.training
    assert loaded.state_dict().keys() == made.state_dict().keys()
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in loaded.state_dict().items())
    assert torch.equal(loaded(observations()), made(observations()))
    assert os.listdir(tmp_path) == ["agent.safetensors"]
    save_policy(path, network(), file())  # replaces
    assert torch.equal(load_policy(path)[0](observations()), network()(observations()))

    agent = TrainedAgent.load(path, FEATURES, dict(reversed(SPACE.items())))
    values = {name: np.full(N_LANES, float(dimension.low)) for name, dimension in SPACE.items()}
    decided = agent.decide(observations().numpy(), values, 0.0)
    expected = TrainedAgent(network(), Encoding(FEATURES, SPACE, FEATURES, SPACE, 0.3)).decide(
        observations().numpy(), values, 0.0
    )
    assert all(decided[name].tobytes() == expected[name].tobytes() for name in SPACE)


def test_files_of_earlier_versions_say_that_they_are_not_conditional(tmp_path: Path) -> None:
    path = tmp_path / "agent.safetensors"
    write(path, edited(policy={**CONFIG.model_dump(mode="json"), "conditional": False}))
    assert load_policy(path)[1] == file()
    assert "conditional" not in PolicyConfig.model_fields


class Payload:
    """What a pickle could do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def write(path: Path, metadata: dict[str, str], tensors: dict[str, torch.Tensor] | None = None) -> None:
    safetensors.torch.save_file(tensors or dict(network().state_dict()), path, metadata=metadata)


def edited(**changes: Any) -> dict[str, str]:
    """An agent's metadata with some of it replaced."""
    return {"format": FILE.format, "about": json.dumps({**file().model_dump(mode="json"), **changes})}


def refused(path: Path, match: str) -> None:
    with pytest.raises(QsynthError, match=match) as caught:
        TrainedAgent.load(path, FEATURES, SPACE)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("value", [None, "many", float("inf"), float("nan")])
def test_what_training_took_is_a_number(value: object) -> None:
    about = {"trials": value, "iterations": 12}
    file = PolicyFile(features=("score.now",), search_space=SPACE, policy=PolicyConfig(), max_step=0.2, about=about)
    assert (file.trained("trials"), file.trained("iterations"), file.trained("core_hours")) == (0.0, 12.0, 0.0)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "agent.pt", tmp_path / "was_run"
    torch.save({"weights": Payload(trace)}, path)
    refused(path, "can't be read as a trained agent")
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"not an agent", b"\xff" * 64])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "agent.safetensors"
    path.write_bytes(content)
    refused(path, "can't be read as a trained agent")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.safetensors", "can't be read: No such file")
    refused(tmp_path, "must be a file; got a folder")


@pytest.mark.parametrize(
    ("metadata", "match"),
    [
        ({}, "must be a trained agent"),
        ({"format": "qsynth-snapshot-1"}, "must be a trained agent"),
        ({"format": FILE.format}, "can't be read"),
        ({"format": FILE.format, "about": "{"}, "can't be read"),
        ({"format": FILE.format, "about": "[" * 100_000}, "can't be read"),
        ({"format": FILE.format, "about": "[1, 2]"}, "input should be a valid dictionary"),
        (edited(max_step=None), "max_step"),
        (edited(max_step=-1.0), "max_step"),
        (edited(policy={"hidden": [10**9]}), "hidden"),
        (edited(policy={"hidden": [0]}), "hidden"),
        (edited(policy={"hidden": []}), "hidden"),
        (edited(policy={"hidden": [9, 6]}), "can't be read.*size mismatch"),
        (
            edited(policy={"conditional": True}),
            "policy: conditional must be left out, as policies .* no longer supported",
        ),
        (edited(search_space={"beta1": {"kind": "imt", "low": 1, "high": 2}}), "search_space.beta1"),
        (edited(extra=1), "unknown key 'extra'"),
        (edited(features=[*FEATURES, "more"]), "can't be read.*size mismatch"),
    ],
)
def test_contents_that_do_not_hold_together_are_refused(metadata: dict[str, str], match: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.safetensors"
    write(path, metadata)
    refused(path, match)


def test_weights_of_a_training_that_diverged_are_refused(tmp_path: Path) -> None:
    made, path = network(), tmp_path / "agent.safetensors"
    with torch.no_grad():
        made.log_std[0] = torch.nan
    save_policy(path, made, file())
    refused(path, "must hold finite weights")


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.safetensors"
    weights = dict(network().state_dict())
    del weights["log_std"]
    write(path, edited(), weights)
    refused(path, "can't be read.*log_std")


def test_an_agent_in_another_study_says_what_differs_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.safetensors"
    write(path, edited(features=[*FEATURES[:-1], "another"]))
    assert TrainedAgent.load(path, FEATURES, SPACE).remarks == ["it was trained to see another"]
    write(path, edited())
    fewer = TrainedAgent.load(path, FEATURES[::-1], {"beta1": SPACE["beta1"]})
    assert fewer.remarks == ["the study does not let it tune n_critic, lr_generator, batch_size"]
    assert TrainedAgent.load(path, FEATURES, SPACE).remarks == []
    for other in ({"lr_critic": Float(low=0.1, high=0.2)}, {**SPACE, "n_critic": Float(low=1, high=2)}):
        with pytest.raises(QsynthError, match=f"{path}: an agent must"):
            TrainedAgent.load(path, FEATURES, other)


def test_entropies_are_those_of_the_distributions() -> None:
    made = network(wild=True)
    parameters = made(observations()).detach()
    found = made.entropies(parameters)
    assert list(found) == sorted(SPACE)
    parts = dict(zip(found, parameters.split(list(made.input_lengths.values()), -1), strict=True))
    for name, entry in SPACE.items():
        if isinstance(entry, Float):
            made_of = torch.distributions.Normal(parts[name][:, 0], parts[name][:, 1].exp())
        else:
            made_of = torch.distributions.Categorical(logits=parts[name])
            assert 0 < found[name] < np.log(parts[name].shape[-1])
        assert found[name] == pytest.approx(float(made_of.entropy().mean()), abs=1e-5)
