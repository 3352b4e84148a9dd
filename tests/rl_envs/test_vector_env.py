"""The vector environment: Gymnasium's contract for autoreset mode NEXT_STEP, repeatable, and never broken for long."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList

from rl_envs.spaces import action_space, stay_action
from rl_envs.vector_env import QGANTuningVectorEnv
from tests.rl_envs.tiny import MAX_REWARD, N_DECISIONS, PENALTY, SPACE, environment, gain

N_ENVS = 3
Result = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


def make(**episode: Any) -> QGANTuningVectorEnv:
    return QGANTuningVectorEnv(N_ENVS, environment(**episode))


def actions(seed: int) -> dict[str, np.ndarray]:
    space = action_space(SPACE)
    space.seed(seed)
    samples = [space.sample() for _ in range(N_ENVS)]
    return {name: np.stack([sample[name] for sample in samples]) for name in SPACE}


def stay() -> dict[str, np.ndarray]:
    return {name: np.stack([action] * N_ENVS) for name, action in stay_action(SPACE).items()}


def budget(env: QGANTuningVectorEnv, observation: np.ndarray) -> list[float]:
    """What is left in each lane, to four decimals."""
    return [round(float(row[env.tuner.features.index("budget.remaining")]), 4) for row in observation]


def check(env: QGANTuningVectorEnv, result: Result) -> None:
    observation, reward, terminated, truncated, info = result
    assert observation.dtype == np.float32
    assert observation in env.observation_space
    assert np.isfinite(observation).all()
    assert np.isfinite(reward).all()
    for flags in (terminated, truncated):
        assert flags.shape == (N_ENVS,)
        assert flags.dtype == bool
    assert not truncated.any()  # or RLlib would add what its value function makes of a trial that is over
    assert set(info) == {"score", "reason"}
    for value in info.values():
        assert isinstance(value, np.ndarray)
        assert value.shape == (N_ENVS,)


def play(env: QGANTuningVectorEnv, seed: int | None, n_steps: int) -> list[np.ndarray]:
    """Everything that is seen, as arrays."""
    found = [env.reset(seed=seed)[0]]
    for index in range(n_steps):
        result = env.step(actions(index))
        check(env, result)
        found += [*result[:4], result[4]["score"], np.array(result[4]["reason"].tolist())]
    return found


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def test_spaces_are_batches_of_the_single_ones() -> None:
    env = make()
    assert isinstance(env.single_observation_space, spaces.Box)
    assert env.observation_space.shape == (N_ENVS, len(env.tuner.features))
    assert env.single_action_space == action_space(SPACE)
    assert env.action_space.contains(actions(0))
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    observation, info = env.reset(seed=1)
    check(env, (observation, np.zeros(N_ENVS), np.zeros(N_ENVS, bool), np.zeros(N_ENVS, bool), info))
    check(env, env.step(env.action_space.sample()))


def test_lanes_that_finish_together_start_anew_at_the_following_step() -> None:
    env = make()
    first, _ = env.reset(seed=3)
    assert budget(env, first) == [1] * N_ENVS
    for _ in range(2):
        for decision in range(1, N_DECISIONS + 1):
            observation, reward, terminated, truncated, info = env.step(actions(decision))
            last = decision == N_DECISIONS
            assert budget(env, observation) == [round(1 - 2 * decision / N_DECISIONS, 4)] * N_ENVS
            assert terminated.tolist() == [last] * N_ENVS
            assert not truncated.any()
            assert info["reason"].tolist() == ["budget" if last else ""] * N_ENVS
        final = info["score"]
        fresh, reward, terminated, truncated, info = env.step(actions(99))  # the action is ignored
        assert budget(env, fresh) == [1] * N_ENVS
        np.testing.assert_array_equal(reward, 0)
        assert not terminated.any()
        assert not truncated.any()
        assert info["reason"].tolist() == [""] * N_ENVS
        for name in SPACE:
            assert set(env.tuner.values[name]) == {getattr(env.config.trial.defaults, name)}
        assert not env.tuner.population.iterations.any()
        assert not np.array_equal(info["score"], final)
        np.testing.assert_array_equal(info["score"], env.tuner.score)


@pytest.mark.parametrize("how", ["parameters", "flag"])
def test_a_lane_that_ends_early_restarts_alone(how: str) -> None:
    env, twin = make(), make()
    env.reset(seed=4)
    twin.reset(seed=4)
    results, undisturbed = [], []
    for index in range(7):
        if index == 1 and how == "parameters":
            env.tuner.population._weights.critic[1] = np.nan
        elif index == 1:
            env.tuner.population.diverged[1] = True
        results.append(env.step(actions(index)))
        undisturbed.append(twin.step(actions(index)))
        check(env, results[-1])
    ends = [terminated.tolist() for _, _, terminated, _, _ in results]
    # Lane 1: decisions at steps 0 and 1, restart at 2, decisions at 3, 4, 5, restart at 6.
    assert [end[1] for end in ends] == [False, True, False, False, False, True, False]
    assert [end[0] for end in ends] == [False, False, True, False, False, False, True]
    assert [end[2] for end in ends] == [end[0] for end in ends]

    _, reward, terminated, _, info = results[1]
    assert terminated.tolist() == [False, True, False]
    assert info["reason"].tolist() == ["", "diverged", ""]
    assert info["score"][1] == 0
    assert reward[1] == pytest.approx(gain(results[0][4]["score"][1], 0.0) - PENALTY)

    observation, reward, terminated, _, info = results[2]  # lane 1 restarts while the others finish
    assert terminated.tolist() == [True, False, True]
    assert reward[1] == 0
    assert info["reason"].tolist() == ["budget", "", "budget"]
    assert budget(env, observation) == [-1, 1, -1]
    assert observation[1, env.tuner.features.index("diverged")] == 0
    column = env.tuner.features.index("hyperparameters.n_critic")
    assert observation[1, column] == -1  # the default, whatever it was told

    first = gain(info["score"][1], results[3][4]["score"][1])
    assert results[3][1][1] == pytest.approx(first)  # gains start from there
    assert results[3][1][0] == 0
    assert results[3][1][2] == 0
    assert results[5][2].tolist() == [False, True, False]
    for index in range(3):  # until the neighbours draw new instances
        for found, expected in zip(results[index][:4], undisturbed[index][:4], strict=True):
            np.testing.assert_array_equal(found[[0, 2]], expected[[0, 2]])


def test_trajectories_repeat_bit_for_bit_and_depend_on_the_seed() -> None:
    n_steps = 2 * (N_DECISIONS + 1)
    env = make()
    first = play(env, 5, n_steps)
    assert same(first, play(make(), 5, n_steps))
    assert same(first, play(env, 5, n_steps))
    assert not np.array_equal(first[0], play(make(), 6, 0)[0])
    assert not same(play(env, 5, 0), play(env, None, 0))


def test_a_reset_in_place_of_an_autoreset_starts_every_lane_once() -> None:
    env = make(n_decisions=1)
    env.reset(seed=7)
    assert env.step(actions(0))[2].all()
    env.reset()
    _, _, terminated, _, info = env.step(actions(1))
    assert terminated.all()
    assert set(info["reason"]) == {"budget"}


def test_lanes_differ_and_so_do_episodes() -> None:
    env = make()
    first, _ = env.reset(seed=7)
    second, _ = env.reset()
    assert len({row.tobytes() for row in np.concatenate([first, second])}) == 2 * N_ENVS


def test_staying_leaves_the_defaults() -> None:
    env = make()
    env.reset(seed=8)
    for _ in range(N_DECISIONS):
        env.step(stay())
        for name in SPACE:
            assert (env.tuner.values[name] == getattr(env.config.trial.defaults, name)).all()


def test_floats_move_by_max_step_of_their_scale_in_their_own_lanes() -> None:
    env = make(max_step=0.1)
    env.reset(seed=8)
    env.step({**stay(), "beta1": np.array([[1.0], [0.0], [-0.5]], np.float32)})
    moves = env.tuner.values["beta1"] - env.config.trial.defaults.beta1
    np.testing.assert_allclose(moves, [0.09, 0, -0.045], atol=1e-12)


@pytest.mark.parametrize("method", ["apply", "advance", "evaluate", "reset"])
def test_a_fault_is_survived(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise MemoryError("no more")

    env = make()
    env.reset(seed=9)
    with monkeypatch.context() as fault:
        fault.setattr(env.tuner.population, method, fail)
        results = [env.step(actions(index)) for index in range(2 * (N_DECISIONS + 1))]
    for result in results:
        check(env, result)
        assert (np.abs(result[1]) <= MAX_REWARD).all()
    ended = next(result for result in results if "budget" not in result[4]["reason"] and result[2].any())
    assert ended[2].all()
    assert set(ended[4]["reason"]) == {"error: MemoryError: no more"}
    assert not ended[4]["score"].any()
    n_steps = N_DECISIONS + 1
    assert same(play(env, 5, n_steps), play(make(), 5, n_steps))


def test_actions_that_are_no_numbers_stay() -> None:
    env = make()
    env.reset(seed=10)
    broken = {name: np.full(np.shape(action), np.nan) for name, action in stay().items()}
    result = env.step(broken)
    check(env, result)
    assert not result[2].any()
    assert all((env.tuner.values[name] == getattr(env.config.trial.defaults, name)).all() for name in SPACE)


def test_infos_can_be_split_by_lane() -> None:
    env = DictInfoToList(make())
    _, infos = env.reset(seed=11)
    assert [set(info) for info in infos] == [{"score", "reason"}] * N_ENVS
    for _ in range(N_DECISIONS):
        *_, infos = env.step(stay())
    assert [info["reason"] for info in infos] == ["budget"] * N_ENVS
    assert all(0 <= info["score"] <= 1 for info in infos)


def test_gymnasium_makes_it_by_name() -> None:
    env = gymnasium.make_vec("QGANTuning-v0", num_envs=2, config=environment().model_dump())
    assert isinstance(env.unwrapped, QGANTuningVectorEnv)
    assert env.num_envs == 2
    observation, _ = env.reset(seed=1)
    assert observation.shape[0] == 2
    env.step(env.action_space.sample())
    env.close()
