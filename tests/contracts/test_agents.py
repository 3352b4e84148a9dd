"""What every agent must hold to: known names, one value a lane, inside the search space, and the same for one seed."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from qsynth.space.hyperparameters import NAMES
from qsynth.space.search_space import Choice, Float, Int
from rl_envs.agents import Agent, Hold, LaneValues, Schedule, TrainedAgent
from rl_envs.encoding import Encoding
from rl_envs.observation import feature_names
from rl_envs.policy import PolicyConfig, PolicyNetwork
from tests.rl_envs.tiny import SPACE, tuner

N_LANES = 6
FEATURES = feature_names(SPACE, ["fidelity", "diversity"])


def network(wild: bool) -> PolicyNetwork:
    """An untrained network, or one that moves a lot."""
    torch.manual_seed(0)
    made = PolicyNetwork(len(FEATURES), SPACE, PolicyConfig(hidden=(8,)))
    if wild:
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.normal_()
    return made


def trained(wild: bool) -> TrainedAgent:
    """That network as an agent."""
    return TrainedAgent(network(wild), Encoding(FEATURES, SPACE, FEATURES, SPACE, 0.5))


AGENTS: dict[str, Callable[[], Agent]] = {
    "hold": Hold,
    "constants": lambda: Schedule({"lr_generator": 0.03, "n_critic": 2}),
    "schedule": lambda: Schedule({"lr_generator": np.array([0.1, 0.05]), "lr_critic": 0.01}, np.array([0.5, 0.1, 1.0])),
    "untrained": lambda: trained(wild=False),
    "wild": lambda: trained(wild=True),
}


@pytest.fixture(params=AGENTS)
def make(request: pytest.FixtureRequest) -> Callable[[], Agent]:
    return AGENTS[request.param]


def start() -> LaneValues:
    return tuner(N_LANES).values


def observations(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 2, (N_LANES, len(FEATURES))).astype(np.float32)


def life(agent: Agent, n_decisions: int = 20) -> list[LaneValues]:
    """What it says from beginning to end."""
    values = start()
    said = [agent.begin(N_LANES)]
    values |= said[0]
    for decision in range(n_decisions):
        said.append(agent.decide(observations(decision), values, decision / n_decisions))
        values |= said[-1]
    return said


def test_it_says_known_names_with_a_value_a_lane(make: Callable[[], Agent]) -> None:
    agent = make()
    assert agent.name
    for changes in life(agent):
        assert set(changes) <= set(NAMES)
        for values in changes.values():
            assert isinstance(values, np.ndarray)
            assert values.shape == (N_LANES,)
            assert np.isfinite(values).all()


@pytest.mark.parametrize("name", [name for name in AGENTS if not isinstance(AGENTS[name](), Schedule)])
def test_its_values_lie_in_the_search_space(name: str) -> None:
    for changes in life(AGENTS[name]()):
        assert set(changes) <= set(SPACE)
        for name, values in changes.items():
            dimension = SPACE[name]
            assert (values >= dimension.low).all()
            assert (values <= dimension.high).all()
            match dimension:
                case Int():
                    assert (values % 1 == 0).all()
                case Choice():
                    assert np.isin(values, dimension.values).all()


def test_a_population_accepts_what_it_says(make: Callable[[], Agent]) -> None:
    population = tuner(N_LANES).population
    for changes in life(make(), 5):
        population.apply(changes)


def test_it_repeats_itself_and_leaves_its_arguments_alone(make: Callable[[], Agent]) -> None:
    for one, other in zip(life(make()), life(make()), strict=True):
        assert one.keys() == other.keys()
        assert all(one[name].tobytes() == other[name].tobytes() for name in one)
    agent, values, seen = make(), start(), observations(1)
    before = {name: value.copy() for name, value in values.items()}
    agent.begin(N_LANES)
    agent.decide(seen, values, 0.5)
    np.testing.assert_array_equal(seen, observations(1))
    assert all(values[name].tobytes() == before[name].tobytes() for name in before)


def test_it_survives_an_observation_of_nonsense(make: Callable[[], Agent]) -> None:
    agent = make()
    agent.begin(N_LANES)
    for value in (np.nan, np.inf, -np.inf):
        changes = agent.decide(np.full((N_LANES, len(FEATURES)), value, np.float32), start(), 0.5)
        assert all(np.isfinite(values).all() for values in changes.values())


# Each by itself


def test_hold_says_nothing() -> None:
    assert life(Hold()) == [{}] * 21


def test_constants_are_said_once() -> None:
    said = life(Schedule({"lr_generator": 0.03, "batch_size": np.array([2, 4])}))
    assert set(said[0]) == {"lr_generator", "batch_size"}
    np.testing.assert_array_equal(said[0]["lr_generator"], 0.03)
    np.testing.assert_array_equal(said[0]["batch_size"], [2, 4, 2, 4, 2, 4])  # repeated
    assert said[1:] == [{}] * 20


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.5, 0.95])
def test_learning_rates_decay_exponentially(progress: float) -> None:
    decay = np.array([0.5, 0.1, 1.0])
    agent = Schedule({"lr_generator": np.array([0.1, 0.05]), "lr_critic": 0.01, "beta1": 0.3}, decay)
    said = agent.decide(observations(0), start(), progress)
    factor = np.tile(decay**progress, 2)
    assert set(said) == {"lr_generator", "lr_critic"}
    np.testing.assert_allclose(said["lr_generator"], np.tile([0.1, 0.05], 3) * factor, rtol=1e-14)
    np.testing.assert_allclose(said["lr_critic"], 0.01 * factor, rtol=1e-14)


def test_a_decay_touches_only_rates_that_were_given() -> None:
    said = Schedule({"lr_critic": 0.01}, 0.25).decide(observations(0), start(), 0.5)
    assert list(said) == ["lr_critic"]
    np.testing.assert_allclose(said["lr_critic"], 0.005)


def test_decays_are_of_the_start_not_of_the_present_values() -> None:
    agent = Schedule({"lr_generator": 0.1}, 0.5)
    said = life(agent, 4)
    np.testing.assert_allclose([each["lr_generator"][0] for each in said[1:]], 0.1 * 0.5 ** (np.arange(4) / 4))


def test_an_untrained_network_holds_the_defaults() -> None:
    values = start()
    said = trained(wild=False).decide(observations(0), values, 0.0)
    assert set(said) == set(SPACE)
    for name, dimension in SPACE.items():
        if isinstance(dimension, Float):
            np.testing.assert_allclose(dimension.to_unit(said[name]), dimension.to_unit(values[name]), atol=0.025)
        else:
            assert said[name].tobytes() == values[name].tobytes()


def test_a_trained_network_moves_by_its_action_times_max_step() -> None:
    agent, values = trained(wild=True), start()
    with torch.no_grad():
        actions = network(wild=True).greedy(torch.as_tensor(observations(0)))
    said, rate = agent.decide(observations(0), values, 0.0), SPACE["lr_generator"]
    step = actions["lr_generator"].numpy()[:, 0].clip(-1, 1) * 0.5
    expected = np.clip(rate.to_unit(values["lr_generator"]) + step, 0, 1)
    np.testing.assert_allclose(rate.to_unit(said["lr_generator"]), expected, atol=1e-6)
    assert np.ptp(step) > 0.1
