"""Several studies as one environment: what each lane sees and does is its task's, and only that."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.space.search_space import Float
from rl_envs.curriculum import CurriculumConfig, CurriculumVectorEnv
from rl_envs.observation import without_feedback
from rl_envs.vector_env import QGANTuningVectorEnv
from tests.rl_envs.tiny import N_DECISIONS, SPACE, environment

WIDER = {
    "lr_generator": {"kind": "float", "low": 1e-3, "high": 0.5, "log": True},
    "n_critic": {"kind": "int", "low": 1, "high": 3},
}


def config(**changes: Any) -> CurriculumConfig:
    """The tiny study, and one that tunes less on a wider scale."""
    plain, other = environment().model_dump(mode="json"), environment(**changes).model_dump(mode="json")
    other["trial"]["search_space"] = WIDER
    return parse(CurriculumConfig, {"tasks": {"plain": plain, "other": other}}, source="test")


def sampled(env: CurriculumVectorEnv, seed: int) -> dict[str, np.ndarray]:
    env.action_space.seed(seed)
    return env.action_space.sample()  # type: ignore[return-value]


def test_the_union_of_what_tasks_see_and_do() -> None:
    made = config()
    assert set(made.actions) == set(SPACE)
    assert made.actions["lr_generator"] == Float(low=1e-4, high=0.5, log=True)
    assert {"utility.fidelity", "utility.utility", "hyperparameters.beta1", "ailment.collapse"} <= set(made.features)
    env = CurriculumVectorEnv(5, made)
    assert [inner.num_envs for inner in env.envs] == [3, 2]
    assert isinstance(env.single_observation_space, spaces.Box)
    assert env.single_observation_space.shape == (len(made.features),)


def test_what_agents_do_not_see_is_not_there() -> None:
    whole = config()
    told = without_feedback(whole.features)
    blind = whole.replaced(seen=tuple(told))
    assert blind.features == told
    envs = [CurriculumVectorEnv(4, each) for each in (whole, blind)]
    seen = [env.reset(seed=3)[0] for env in envs]
    columns = [whole.features.index(name) for name in told]
    for seed in range(N_DECISIONS + 1):
        np.testing.assert_array_equal(seen[1], seen[0][:, columns])
        actions = sampled(envs[0], seed)
        seen = [env.step(actions)[0] for env in envs]
    assert whole.only(["plain"]).features == whole.features
    assert blind.only(["plain"]).features == told


def test_lanes_are_those_of_the_tasks_alone() -> None:
    env = CurriculumVectorEnv(4, config())
    alone = QGANTuningVectorEnv(2, env.config.tasks["other"])
    observation, _ = env.reset(seed=3)
    own, _ = alone.reset(seed=[3, 1])  # type: ignore[list-item]
    shared = {name: env.config.features.index(name) for name in alone.tuner.features if not name.startswith("hyper")}
    theirs = [alone.tuner.features.index(name) for name in shared]
    ended = 0
    for seed in range(N_DECISIONS + 2):
        assert observation in env.observation_space
        np.testing.assert_array_equal(observation[2:, list(shared.values())], own[:, theirs])
        actions = sampled(env, seed)
        changes = env._encodings[1].moves(alone.tuner.values, {name: action[2:] for name, action in actions.items()})
        observation, reward, terminated, truncated, info = env.step(actions)
        own, *rest = alone.change(changes)
        for joined, single in zip((reward, terminated, truncated), rest[:3], strict=True):
            np.testing.assert_array_equal(joined[2:], single)
        np.testing.assert_array_equal(info["score"][2:], rest[3]["score"])
        ended += int(terminated.sum())
    assert ended == 4
    assert env.envs[1].tuner.values["lr_generator"].max() <= 0.5


def test_tasks_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(QsynthError, match=r"agree in episode\.n_decisions and episode\.max_step"):
        config(n_decisions=4)
    made = config().model_dump(mode="json")
    made["tasks"]["other"]["trial"]["search_space"] = {"n_critic": {"kind": "choice", "values": [1, 2]}}
    with pytest.raises(QsynthError, match="agree in what n_critic is; got int and choice"):
        parse(CurriculumConfig, made, source="test")


def test_some_episodes_start_at_random_hyperparameters() -> None:
    env = QGANTuningVectorEnv(40, environment(random_start=0.5))
    env.reset(seed=0)
    default = env.config.trial.defaults.lr_generator
    moved = env.tuner.values["lr_generator"] != default
    assert 8 < moved.sum() < 32
    space = SPACE["lr_generator"]
    assert ((env.tuner.values["lr_generator"] >= space.low) & (env.tuner.values["lr_generator"] <= space.high)).all()
    # All of a trial's hyperparameters are drawn, or none.
    others = env.tuner.values["beta1"] != env.config.trial.defaults.beta1
    assert (moved == others).all()
    assert (QGANTuningVectorEnv(4, environment()).tuner.values["lr_generator"] == default).all()
