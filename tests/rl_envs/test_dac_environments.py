"""The benchmarks of dynamic algorithm configuration: their formulas, known optima and Gymnasium's rules."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from tests.benchmarks.dac import function_approximation, sigmoid
from tests.benchmarks.dac.benchmarks import BENCHMARKS, N_INSTANCES, TEST, TRAINING
from tests.benchmarks.dac.curves import Instances
from tests.benchmarks.dac.environment import DacEnv
from tests.benchmarks.dac.function_approximation import MIXED, SIGMOID_2D3M, FunctionApproximationEnv
from tests.benchmarks.dac.luby import LubyEnv, luby
from tests.benchmarks.dac.policies import best_constant, chance, constant, oracle, returns
from tests.benchmarks.dac.sigmoid import SigmoidEnv

LAW = np.ones((2, 2))
# One instance: a curve of slope 2 around t = 3, one of slope -1 around t = 5.
ONE = Instances(np.array([[[2.0, 3.0], [-1.0, 5.0]]]), 0 * LAW, 5 * LAW)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_vector_environments_keep_gymnasiums_rules(name: str) -> None:
    env = BENCHMARKS[name](3, TRAINING)
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    env.action_space.seed(0)
    observation, info = env.reset(seed=5)
    first = observation
    for episode in range(2):
        for t in range(env.n_steps):
            assert info == {}
            assert observation in env.observation_space
            observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
            assert reward.shape == (3,)
            assert not truncated.any()
            assert terminated.all() == terminated.any() == (t == env.n_steps - 1)
        observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert not reward.any()
        assert not (terminated | truncated).any()
        assert (env.t, episode) == (0, episode)
    assert np.array_equal(env.reset(seed=5)[0], first)


@pytest.mark.parametrize("name", ["function_approximation", "sigmoid_2020"])
def test_every_lane_has_its_own_instance_and_a_pass_has_each_once(name: str) -> None:
    env = BENCHMARKS[name](N_INSTANCES // 2, TEST)
    env.reset(seed=0)
    seen = [env.parameters.copy()]  # type: ignore[attr-defined]
    env.reset()
    seen.append(env.parameters)  # type: ignore[attr-defined]
    expected = env.instances.parameters.reshape(N_INSTANCES, -1)  # type: ignore[attr-defined]
    found = np.concatenate(seen).reshape(N_INSTANCES, -1)
    assert np.array_equal(np.unique(found, axis=0), np.unique(expected, axis=0))
    training = BENCHMARKS[name](1, TRAINING).instances.parameters.reshape(N_INSTANCES, -1)  # type: ignore[attr-defined]
    assert not np.isin(training, expected).any()


def test_function_approximation_by_hand() -> None:
    env = FunctionApproximationEnv(1, MIXED, ONE)
    observation, _ = env.reset(seed=0)
    assert np.array_equal(env.state(), [[10, 2, 3, -1, 5, -1, -1]])
    assert np.allclose(observation, [[1, 0.4, 0.6, -0.2, 1, -1, -1]])
    # t = 1: the curves are at 1 / (1 + e^4) and 1 / (1 + e^-4); the action means 0.75 and 6 / 9.
    action = {"curve_0": np.array([[0.5]], dtype=np.float32), "curve_1": np.array([6])}
    observation, reward, *_ = env.step(action)
    low = 1 / (1 + np.exp(4))
    assert reward == pytest.approx((np.exp(-(0.75 - low) / 2) + np.exp(-(1 - low - 6 / 9) / 2)) / 2)
    assert np.allclose(env.state(), [[9, 2, 3, -1, 5, 0.75, 6]])
    assert np.allclose(observation, [[0.8, 0.4, 0.6, -0.2, 1, 0.75, 6 / 9]])
    # t = 2: what lies outside the box is clipped to it.
    _, reward, *_ = env.step({"curve_0": np.array([[7.0]], dtype=np.float32), "curve_1": np.array([0])})
    curves = 1 / (1 + np.exp(2)), 1 / (1 + np.exp(-3))
    assert reward == pytest.approx((np.exp(-(1 - curves[0]) / 2) + np.exp(-curves[1] / 2)) / 2)


def test_sigmoid_by_hand() -> None:
    env = SigmoidEnv(1, ONE)
    env.reset(seed=0)
    # t = 0: curves at 1 / (1 + e^6) and 1 / (1 + e^-5); the settings are 0.5 and 1.
    _, reward, *_ = env.step({"curve_0": np.array([1]), "curve_1": np.array([2])})
    assert reward == pytest.approx((1 - 0.5 + 1 / (1 + np.exp(6))) * (1 / (1 + np.exp(-5))))
    assert env.n_steps == 11


def test_instances_follow_the_published_laws() -> None:
    drawn = function_approximation.instances(20_000, 0)
    assert np.allclose(drawn.parameters.mean(axis=0), [[4, 4], [2, 2]], atol=0.12)
    assert np.allclose(drawn.parameters.std(axis=0), [[2, 2], [4, 4]], atol=0.08)
    drawn = sigmoid.instances(20_000, 0)
    slopes, shifts = np.moveaxis(drawn.parameters, -1, 0)
    assert -2 <= slopes.min() < -1.99
    assert 1.99 < slopes.max() <= 2
    assert np.allclose(shifts.mean(axis=0), 5.5, atol=0.08)
    assert np.allclose(shifts.std(axis=0), 2.75, atol=0.05)
    standard = (drawn.parameters - drawn.mean) / drawn.sd
    assert np.allclose(standard.std(axis=0), 1, atol=0.03)


def test_luby_sequence() -> None:
    assert [luby(i) for i in range(1, 16)] == [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]
    assert [luby(2**k - 1) for k in range(1, 10)] == [2 ** (k - 1) for k in range(1, 10)]


def test_luby_by_hand() -> None:
    env = LubyEnv(2)
    env.reset()
    assert np.array_equal(env.state(), [[-1] * 6] * 2)
    given = [[0, 0, 1, 0, 0, 1, 2, 0], [0, 3, 1, 6, 0, 0, 0, 0]]
    rewards = np.array([env.step({"exponent": np.array(pair)})[1] for pair in zip(*given, strict=True)])
    assert rewards[:, 0].tolist() == [0] * 8
    assert rewards[:, 1].tolist() == [0, -1, 0, -1, 0, -1, -1, 0]
    assert np.array_equal(env.state(), [[0, 0, 1, 2, 0, 7], [6, 0, 0, 0, 0, 7]])


@pytest.mark.parametrize(
    ("name", "random", "static", "best"),
    [
        ("function_approximation", 8.0, 8.5, 9.98),
        ("sigmoid_2d3m", 8.0, 8.5, 9.86),
        ("luby_8", -8 * 6 / 7, -3, 0),
        ("luby_16", -16 * 6 / 7, -7, 0),
    ],
)
def test_chance_constants_and_the_optimum_are_where_they_are_known_to_be(
    name: str, random: float, static: float, best: float
) -> None:
    env = BENCHMARKS[name](N_INSTANCES, TEST)
    assert returns(env, chance(0)).mean() == pytest.approx(random, abs=0.15)
    if name != "function_approximation":  # a grid of 1,010 constants
        assert returns(env, constant(best_constant(env))).mean() == pytest.approx(static, abs=0.05)
    assert returns(env, oracle).mean() == pytest.approx(best, abs=0.03)


def test_no_setting_is_better_than_the_oracles() -> None:
    for make in (lambda: SigmoidEnv(1, ONE), lambda: FunctionApproximationEnv(1, SIGMOID_2D3M, ONE)):
        env: DacEnv = make()
        env.reset(seed=0)
        for t in range(env.n_steps):
            env.t = t
            rewards = [env.advance(np.array([[a, b]]))[0] for a in range(3) for b in range(3)]
            assert env.advance(env.best())[0] == pytest.approx(max(rewards))


def test_continuous_settings_of_the_oracle_hit_their_curve() -> None:
    env = FunctionApproximationEnv(4, (None, None), function_approximation.instances(4, 3))
    assert returns(env, oracle) == pytest.approx(np.full(4, 10.0), abs=1e-5)


def test_same_steps_as_the_dacbench_package() -> None:
    """All of the package's own test instances, with random actions; it is not among the dependencies."""
    benchmarks = pytest.importorskip(
        "dacbench.benchmarks", reason="dacbench, or torchvision, which it imports, is not installed"
    )
    random = np.random.default_rng(0)
    bench = benchmarks.FunctionApproximationBenchmark()
    for theirs, n_values in ((bench.get_environment(), MIXED), (bench.get_benchmark(2), SIGMOID_2D3M)):
        theirs.use_test_set()
        for _ in theirs.instance_set:
            shown, _ = theirs.reset()  # takes the next one
            parameters = np.array([[[f.a, f.b] for f in theirs.instance.functions]])
            ours = FunctionApproximationEnv(1, n_values, Instances(parameters, 0 * LAW, LAW))
            ours.reset(seed=0)
            for _ in range(10):
                assert ours.state()[0] == pytest.approx(_without_kinds(shown), abs=1e-6)
                settings = [random.random() if n is None else float(random.integers(n)) for n in n_values]
                given = (
                    {"value_dim_1": np.array([settings[0]]), "value_dim_2": int(settings[1])}
                    if None in n_values
                    else np.array(settings, dtype=int)
                )
                shown, reward, _, truncated, _ = theirs.step(given)
                _, rewards, over, _, _ = ours.step(ours.actions(np.array([settings])))
                assert (rewards[0], over[0]) == (pytest.approx(reward, abs=1e-6), truncated)
    theirs = benchmarks.LubyBenchmark().get_environment()
    for _ in range(50):
        luby_env = LubyEnv(1)
        luby_env.reset()
        shown, _ = theirs.reset()
        for _ in range(8):
            assert np.array_equal(luby_env.state()[0], shown)
            action = random.integers(7)
            shown, reward, _, truncated, _ = theirs.step(action)
            _, rewards, over, _, _ = luby_env.step({"exponent": np.array([action])})
            assert (rewards[0], over[0]) == (reward, truncated)


def _without_kinds(shown: np.ndarray) -> np.ndarray:
    return shown if len(shown) == 7 else np.delete(shown, [1, 4])
