"""No action raises the reported score, or is rewarded, other than by better samples."""

from typing import Any

import numpy as np
import pytest

from qsynth.config import parse
from qsynth.space.search_space import Float, Int, SearchSpace
from rl_envs.config import EnvironmentConfig, make_tuner
from rl_envs.reward import BestGain, LiteralComposite, ShortfallGain
from rl_envs.spaces import RECOVER
from rl_envs.tuner import Tuner
from tests.rl_envs.tiny import TRIAL, environment, gain

# Everything that acts on training alone; what shapes the generator itself (layers, noise, averaging) changes samples.
TRAINING_ONLY: SearchSpace = {
    "gp_weight": Float(low=0.01, high=100, log=True),
    "beta1": Float(low=0.0, high=0.9),
    "lr_critic": Float(low=0.0, high=0.1),
    "n_critic": Int(low=1, high=3),
    "batch_size": Int(low=2, high=6),
    "critic_width": Int(low=2, high=4),
    "critic_layers": Int(low=1, high=2),
    "instance_noise": Float(low=0.0, high=1.0),
    "fidelity_weight": Float(low=0.0, high=10.0),
    "diversity_weight": Float(low=0.0, high=10.0),
}
SHAPING: SearchSpace = {
    "lr_generator": Float(low=0.0, high=0.1),
    "n_layers": Int(low=1, high=2),
    "latent_dim": Int(low=1, high=2),
    "weight_average": Float(low=0.0, high=0.9),
}
N_LANES = 6
OURS = (ShortfallGain(), BestGain())


def tuner(reward: Any, seed: int = 0, **episode: Any) -> Tuner:
    """Trials of two classes, all metrics, whose hyperparameters all may change; the same trial in every lane."""
    score = {"n_rows": 32}
    qnn = {"n_layers": 1, "n_starts": 1, "n_steps": 2}
    trial = {**TRIAL, "n_qubits": 3, "search_space": {**TRAINING_ONLY, **SHAPING}, "score": score, "qnn": qnn}
    values = environment(reward=reward.model_dump(), n_decisions=20, **episode).model_dump(mode="json")
    values["trial"] = {**trial, "defaults": {**TRIAL["defaults"], "gp_weight": 1.0}}
    values["data"] = {"kind": "table", "name": "iris", "n_features": 2, "n_train": 24}
    config = parse(EnvironmentConfig, values, source="test")
    made, instance = make_tuner(config, N_LANES), config.data.instance(0, held_out=False)
    made.begin(range(N_LANES), [instance] * N_LANES, [seed] * N_LANES)
    return made


def drawn(space: SearchSpace, random: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: entry.from_unit(random.random(N_LANES)) for name, entry in space.items()}


@pytest.mark.parametrize("reward", OURS, ids=lambda reward: reward.kind)
def test_with_the_generator_held_still_no_action_is_worth_more_than_another(reward: Any) -> None:
    made, random = tuner(reward), np.random.default_rng(1)
    before = made.score
    for _ in range(3):
        step = made.step({**drawn(TRAINING_ONLY, random), "lr_generator": np.zeros(N_LANES)})
        np.testing.assert_array_equal(step.score, before)
        assert np.ptp(step.reward) == 0.0
        for name, value in step.utilities.items():
            assert np.ptp(value) == 0.0, name
    # The critics did learn, each in its own way: there was something to be rewarded wrongly.
    assert np.ptp(step.training["loss_critic"]) > 0


def test_the_literal_reward_pays_for_actions_that_change_no_sample() -> None:
    made, random = tuner(LiteralComposite()), np.random.default_rng(1)
    before = made.score
    step = made.step({**drawn(TRAINING_ONLY, random), "lr_generator": np.zeros(N_LANES)})
    np.testing.assert_array_equal(step.score, before)
    assert np.ptp(step.reward) > 0.05


def test_the_score_is_a_function_of_the_generator_alone() -> None:
    """Whatever was done to a trial, its generator scores the same in a population that knows nothing of it."""
    made, random = tuner(ShortfallGain(), recovery=True), np.random.default_rng(2)
    for _ in range(4):
        treatment = {RECOVER: random.integers(0, 4, N_LANES).astype(float)}
        step = made.step({**drawn(TRAINING_ONLY, random), **drawn(SHAPING, random), **treatment})
    assert np.ptp(step.score) > 0
    other, instance = tuner(ShortfallGain()), made.population.instances[0]
    assert instance is not None
    for lane in range(N_LANES):
        snapshot = made.population.snapshot(lane)
        kept = {name: snapshot.hyperparameters[name] for name in SHAPING}
        plain = {name: float(value[0]) for name, value in other.values.items()} | kept
        other.population.restore(lane, snapshot, instance)
        present = {name: np.where(np.arange(N_LANES) == lane, plain[name], other.values[name]) for name in plain}
        other.population.apply(present)
    np.testing.assert_allclose(other.population.evaluate().score.numpy(), step.score, atol=1e-6)


def test_the_end_is_what_counts_however_a_trial_got_there() -> None:
    """Undiscounted returns of the potential-based reward depend on the first and the last score only."""
    made, random = tuner(ShortfallGain()), np.random.default_rng(3)
    first, total = made.score, np.zeros(N_LANES)
    for _ in range(5):
        step = made.step({**drawn(TRAINING_ONLY, random), **drawn(SHAPING, random)})
        total += step.reward
    np.testing.assert_allclose(total, gain(first, step.score), atol=1e-6)
