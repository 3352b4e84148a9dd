"""The (1 + (lambda, lambda)) genetic algorithm as a benchmark: its generations, its runtimes and Gymnasium's rules."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from rl_envs.policy import PolicyConfig, PolicyNetwork
from tests.benchmarks.dac.one_max import OneMaxEnv, n_exponents, theory
from tests.benchmarks.dac.one_max_runtime import always, generation, learned, optimum, runtime

N = 20
N_LANES = 4000


def literal_generation(ones: np.ndarray, size: int, random: np.random.Generator) -> tuple[int, int]:
    """Ones gained and evaluations of a generation on bit strings, line by line as it is published."""
    n, strength = len(ones), 0
    while strength == 0:
        strength = random.binomial(n, size / n)
    mutants = []
    for _ in range(size):
        mutant = ones.copy()
        flipped = random.choice(n, strength, replace=False)
        mutant[flipped] = ~mutant[flipped]
        mutants.append(mutant)
    best = max(mutants, key=np.sum)
    children = [np.where(random.random(n) < 1 / size, best, ones) for _ in range(size)]
    new = [child for child in children if (child != best).any() and (child != ones).any()]
    reached = max(each.sum() for each in [ones, best, *children])
    return int(reached - ones.sum()), size + len(new)


@pytest.mark.parametrize(("zeros", "exponent"), [(1, 0), (1, 3), (4, 1), (6, 2), (10, 2), (10, 4)])
def test_counting_ones_is_the_algorithm_on_bit_strings(zeros: int, exponent: int) -> None:
    """The literal one, the environment, and the exact probabilities: three ways to the same generation."""
    random, size = np.random.default_rng(0), 2**exponent
    literal = [literal_generation(np.arange(N) >= zeros, size, random) for _ in range(N_LANES // 2)]
    env = OneMaxEnv(N_LANES, N, 1)
    env.reset(seed=0)
    env.zeros[:] = zeros
    rewards = env.step({"exponent": np.full(N_LANES, exponent)})[1]
    gains = zeros - env.zeros
    exact = generation(N, size)
    assert exact.gain[zeros].sum() == pytest.approx(1)
    assert np.array_equal(rewards, gains - (env.evaluations - 1))
    for found, evaluations in ((gains, env.evaluations - 1), tuple(map(np.array, zip(*literal, strict=True)))):
        counted = Counter(found.tolist())
        shares = np.array([counted[gain] for gain in range(N // 2 + 1)]) / len(found)
        assert np.abs(shares - exact.gain[zeros]).max() < 4 * np.sqrt(0.25 / len(found))
        error = max(np.std(evaluations) / np.sqrt(len(evaluations)), 1e-9)
        assert abs(np.mean(evaluations) - exact.evaluations) < 4 * error


def test_one_individual_is_the_evolution_algorithm_with_a_known_runtime() -> None:
    """At population size 1 the child is the mutant. With one zero left, it needs that bit flipped and no other: the
    chance is p (1 - p)^(n - 1) / (1 - (1 - p)^n) with p = 1 / n, and each try is one evaluation."""
    alone = always(2, np.array(0))
    chance = (1 / 2) ** 2 / (1 - (1 / 2) ** 2)
    assert runtime(2, alone) == pytest.approx(1 + 1 / chance)
    assert generation(N, 1).evaluations == 1


@pytest.mark.parametrize(("n", "expected"), [(50, 272.5), (100, 595.8)])
def test_theorys_policy_needs_as_many_evaluations_as_simulated_episodes_of_it(n: int, expected: float) -> None:
    policy = theory(n, np.arange(n // 2 + 1))
    exact = runtime(n, always(n, policy))
    assert exact == pytest.approx(expected, abs=0.1)
    assert 5 * n < exact < 6.5 * n  # the theorem says linear in n
    env = OneMaxEnv(1000, n, 1)
    env.reset(seed=0)
    needed, returns, over = np.zeros(1000), np.zeros(1000), np.zeros(1000, dtype=bool)
    while not over.all():
        _, reward, ended, _, _ = env.step({"exponent": env.best()[:, 0]})
        returns += np.where(over, 0, reward)
        needed = np.where(ended & ~over, env.evaluations, needed)
        over |= ended
    assert abs(needed.mean() - exact) < 4 * needed.std() / np.sqrt(1000)
    assert np.array_equal(returns, n // 2 - needed + 1)


def test_theorys_populations_grow_towards_the_optimum() -> None:
    assert theory(100, np.array([50, 45, 44, 11, 4, 2, 1])).tolist() == [0, 0, 1, 2, 2, 3, 3]
    assert n_exponents(100) == 7
    assert n_exponents(128) == 7
    assert n_exponents(129) == 8
    assert all(a <= b for a, b in pairwise(theory(500, np.arange(250, 0, -1))))


def test_no_policy_is_faster_than_the_optimum() -> None:
    best = optimum(50)
    least = runtime(50, best)
    random = np.random.default_rng(0)
    for zeros in range(1, 26):
        changed = best.copy()
        changed[zeros] = random.permutation(changed[zeros])
        assert runtime(50, changed) >= least - 1e-9
    statics = [runtime(50, always(50, np.array(exponent))) for exponent in range(6)]
    assert least < runtime(50, always(50, theory(50, np.arange(26)))) < min(statics)
    assert max(statics) > runtime(50, np.full((26, 6), 1 / 6)) > min(statics)


def test_a_networks_policy_is_what_it_does_at_each_number_of_zeros() -> None:
    """One that has learned the optimum from examples; before, it is as good as its first category everywhere."""
    n, config = 50, PolicyConfig(hidden=(32,), bins=25)
    torch.manual_seed(0)
    network = PolicyNetwork(1, OneMaxEnv(1, n, 1).entries, config)
    assert np.array_equal(learned(n, network), always(n, np.array(0)))
    best = optimum(n)
    env = OneMaxEnv(n // 2, n, 1)
    env.reset(seed=0)
    env.zeros[:] = np.arange(1, n // 2 + 1)
    seen, right = torch.from_numpy(env.observation()), torch.from_numpy(best[1:].argmax(axis=1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(seen), right).backward()
        optimizer.step()
    assert runtime(n, learned(n, network)) == pytest.approx(runtime(n, best))


def test_lanes_restart_one_by_one_after_their_ends() -> None:
    env = OneMaxEnv(40, 10, 1)
    observation, info = env.reset(seed=1)
    assert np.array_equal(observation, np.full((40, 1), -1, dtype=np.float32))
    assert np.array_equal(env.state(), [[10, 5]] * 40)
    over, ends = np.zeros(40, dtype=bool), 0
    env.action_space.seed(0)
    for _ in range(60):
        action = env.action_space.sample()
        observation, reward, terminated, truncated, info = env.step(action)
        assert info == {}
        assert observation in env.observation_space
        assert not truncated.any()
        assert (reward[over] == 0).all()
        assert (reward[~over] <= 4).all()
        assert (observation[over] == -1).all()
        assert (env.evaluations[over] == 1).all()
        assert not terminated[over].any()
        assert np.array_equal(terminated[~over], ((env.zeros == 0) | (env.evaluations >= 80))[~over])
        over, ends = terminated, ends + int(terminated.sum())
    assert ends > 40


def test_episodes_without_success_end() -> None:
    env = OneMaxEnv(1, 100, 1)
    env.reset(seed=0)
    env.evaluations[:] = 7_999
    _, _, terminated, _, _ = env.step({"exponent": np.zeros(1, dtype=int)})
    assert terminated.all()
    assert env.zeros[0] > 0


def test_a_seed_fixes_the_generations() -> None:
    env = OneMaxEnv(8, 50, 1)

    def played() -> list[list[int]]:
        env.reset(seed=3)
        return [env.step({"exponent": np.full(8, 2)})[1].tolist() for _ in range(5)]

    assert played() == played()
