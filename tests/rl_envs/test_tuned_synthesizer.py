"""A synthesizer under a trained agent: the agent's choices, the best moment, the same file as any other."""

from pathlib import Path

import pytest
import torch

from qsynth.data.gaussian import GaussianFamily
from qsynth.errors import QsynthError
from qsynth.population.trial import TrialConfig
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.encoding import limited
from rl_envs.policy import PolicyConfig, PolicyFile, PolicyNetwork, save_policy
from rl_envs.pretrained import agent_file, agents, card
from rl_envs.tuned_synthesizer import TunedSynthesizer
from tests.rl_envs.tiny import SPACE, TRIAL, tuner

DATA = GaussianFamily(n_train=32, n_validation=32, n_test=32)


@pytest.fixture
def agent(tmp_path: Path) -> str:
    """An agent that moves a lot."""
    made = tuner(1)
    torch.manual_seed(0)
    network = PolicyNetwork(len(made.features), SPACE, PolicyConfig(hidden=(8,)))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    about = PolicyFile(
        features=tuple(made.features), search_space=SPACE, policy=PolicyConfig(hidden=(8,)), max_step=0.3
    )
    save_policy(tmp_path / "agent.safetensors", network, about)
    return str(tmp_path / "agent.safetensors")


def test_the_agent_chooses_and_the_best_moment_stays(agent: str, tmp_path: Path) -> None:
    told: list[dict[str, float]] = []
    config = TrialConfig.model_validate(TRIAL)
    model = TunedSynthesizer(config, agent, n_iterations=7, evaluate_every=2, keep="best", random_state=1)
    model.fit(DATA, on_evaluation=told.append)
    assert told == model.history
    assert [entry["iteration"] for entry in told] == [2, 4, 6, 8]
    assert set(model.schedule) == set(SPACE)
    assert any(len(set(values)) > 1 for values in model.schedule.values())
    assert model.schedule["beta1"] == [entry["hyperparameters.beta1"] for entry in told]
    best = max(told, key=lambda entry: entry["score"])
    assert model.description()["iteration"] == best["iteration"]
    model.save(tmp_path / "model")
    again = QGANSynthesizer.load(tmp_path / "model")
    assert again.sample(5, random_state=2).equals(model.sample(5, random_state=2))


def test_it_repeats(agent: str) -> None:
    config = TrialConfig.model_validate(TRIAL)
    one, two = (
        TunedSynthesizer(config, agent, n_iterations=4, evaluate_every=2, random_state=3).fit(DATA) for _ in range(2)
    )
    assert one.sample(4).equals(two.sample(4))
    assert one.schedule == two.schedule


def test_without_a_search_space_the_agent_tunes_what_it_can(agent: str) -> None:
    config = TrialConfig.model_validate({**TRIAL, "search_space": {}})
    space = limited(card(agent).search_space, config)
    assert set(space) == {"n_critic", "lr_generator", "beta1"}  # choices have no scale to be limited
    assert space["n_critic"].high == config.capacity.n_critic
    model = TunedSynthesizer(config, agent, n_iterations=1)
    assert model.fit(DATA).schedule.keys() == space.keys()


def test_agents_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        QsynthError, match=r"must be default or no_feedback or a file; got 'defualt'. Did you mean 'default'\?"
    ):
        agent_file("defualt")
    config = TrialConfig.model_validate(
        {**TRIAL, "search_space": {"lr_critic": {"kind": "float", "low": 0, "high": 1}}}
    )
    (tmp_path / "wrong").write_text("no agent")
    with pytest.raises(QsynthError, match="can't be read as a trained agent"):
        TunedSynthesizer(config, str(tmp_path / "wrong")).fit(DATA)


def test_shipped_agents_are_small_and_say_what_they_are() -> None:
    assert "default" in agents()
    for name, path in agents().items():
        assert path.stat().st_size < 1_000_000
        about = card(name).about
        assert about["trials"] > 0
        assert about["core_hours"] > 0
        assert set(about["validation"]) == set(about["validation_defaults"]) == set(about["tasks"])


def test_bad_arguments_are_refused_before_any_work(agent: str) -> None:
    with pytest.raises(QsynthError, match="evaluate_every must be at least 1; got 0"):
        TunedSynthesizer(TrialConfig.model_validate(TRIAL), agent, evaluate_every=0).fit(DATA)
