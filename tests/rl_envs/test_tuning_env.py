"""The single environment: Gymnasium's own checker, and the same promises as the vector environment's."""

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rl_envs.spaces import stay_action
from rl_envs.tuning_env import QGANTuningEnv
from tests.rl_envs.tiny import N_DECISIONS, PENALTY, SPACE, environment, gain


def episode(env: gymnasium.Env[Any, Any], seed: int) -> list[Any]:
    """Everything that is seen until it ends."""
    env.action_space.seed(0)
    observation, info = env.reset(seed=seed)
    seen = [(observation.tobytes(), info)]
    while True:
        observation, *rest = env.step(env.action_space.sample())
        seen.append((observation.tobytes(), *rest))
        if rest[1] or rest[2]:
            return seen


def test_gymnasium_finds_nothing_wrong() -> None:
    check_env(QGANTuningEnv(environment()), skip_render_check=True)


def test_gymnasium_makes_it_by_name() -> None:
    env = gymnasium.make("QGANTuning-v0", config=environment().model_dump())
    assert isinstance(env.unwrapped, QGANTuningEnv)
    assert len(episode(env, 1)) == N_DECISIONS + 1


def test_it_is_registered_without_torch() -> None:
    seen = "import sys, gymnasium, rl_envs; print('QGANTuning-v0' in gymnasium.registry, 'torch' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert process.stdout.split() == ["True", "False"]


def test_an_episode_lasts_n_decisions_and_repeats() -> None:
    env = QGANTuningEnv(environment())
    first = episode(env, 3)
    assert len(first) == N_DECISIONS + 1
    *_, terminated, truncated, info = first[-1]
    assert (terminated, truncated, info["reason"]) == (True, False, "budget")
    assert all(step[2:4] == (False, False) for step in first[1:-1])
    assert first == episode(env, 3)
    assert first == episode(QGANTuningEnv(environment()), 3)
    assert first != episode(env, 4)


def test_a_share_of_the_episodes_starts_from_random_hyperparameters() -> None:
    env = QGANTuningEnv(environment(random_start=0.5))
    starts = []
    for seed in range(20):
        env.reset(seed=seed)
        starts.append(float(env.tuner.values["beta1"][0]))
    plain = starts.count(env.config.trial.defaults.beta1)
    assert 4 <= plain <= 16
    assert len(set(starts)) == 20 - plain + 1


def test_rewards_add_up_to_what_the_score_gained() -> None:
    first = episode(QGANTuningEnv(environment()), 3)
    total = sum(step[1] for step in first[1:])
    assert total == pytest.approx(gain(first[0][1]["score"], first[-1][-1]["score"]), abs=1e-12)
    assert total != 0


def test_it_takes_plain_python_numbers() -> None:
    env = QGANTuningEnv(environment())
    env.reset(seed=1)
    action = {name: value.tolist() for name, value in stay_action(SPACE).items()}
    env.step({**action, "n_critic": 2, "lr_generator": [1.0]})
    assert env.tuner.values["n_critic"].tolist() == [2]
    assert env.tuner.values["lr_generator"][0] > env.config.trial.defaults.lr_generator


def test_a_float_moves_by_max_step_of_its_scale() -> None:
    env = QGANTuningEnv(environment(max_step=0.1))
    env.reset(seed=1)
    env.step({**stay_action(SPACE), "beta1": np.ones(1, np.float32)})
    assert env.tuner.values["beta1"].tolist() == pytest.approx([env.config.trial.defaults.beta1 + 0.1 * 0.9])


def test_a_fault_ends_the_episode_and_the_next_is_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("device gone")

    env = QGANTuningEnv(environment())
    _, info = env.reset(seed=3)
    with monkeypatch.context() as fault:
        fault.setattr(env.tuner.population, "advance", fail)
        observation, reward, terminated, truncated, after = env.step(stay_action(SPACE))
    assert observation in env.observation_space
    assert (terminated, truncated) == (True, False)
    assert after == {"score": 0.0, "reason": "error: RuntimeError: device gone"}
    assert reward == pytest.approx(gain(info["score"], 0.0) - PENALTY)
    assert episode(env, 3) == episode(QGANTuningEnv(environment()), 3)
    env.tuner.population._weights.generator[:] = np.nan
    assert episode(env, 3) == episode(QGANTuningEnv(environment()), 3)
