"""Exact expected runtimes of the (1 + (lambda, lambda)) genetic algorithm on OneMax, and the optimal policy."""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import binom, hypergeom

from rl_envs.policy import PolicyNetwork
from tests.benchmarks.dac.one_max import n_exponents, observed

RARE = 1e-12  # strengths less likely than this are left out


class Generation(NamedTuple):
    """What a generation does with one population size.

    Attributes:
        gain: probability of each number of ones gained, zeros before (0 to n / 2) x gain (0 to n / 2).
        evaluations: expected.
    """

    gain: np.ndarray
    evaluations: float


@cache
def generation(n: int, size: int) -> Generation:
    """By summing over the strength, the best mutant and the best child; see ``OneMaxEnv`` for the algorithm."""
    zeros = np.arange(n // 2 + 1)
    strengths = np.arange(1, n + 1)
    weights = binom.pmf(strengths, n, size / n)
    weights /= weights.sum()
    gain, evaluations = np.zeros((len(zeros), len(zeros))), float(size)
    inherited = [binom.pmf(np.arange(m + 1), m, 1 / size) for m in range(n + 1)]
    for strength, weight in zip(strengths[weights > RARE], weights[weights > RARE], strict=True):
        among = hypergeom.cdf(zeros, n, zeros[:, None], strength)
        best_mutant = np.diff(_best(among, size), axis=1, prepend=0)  # zeros x zeros among the flipped bits
        n_good = min(n // 2, strength) + 1
        best_child = np.zeros((n_good, len(zeros)))
        for good in range(n_good):
            gained, lost = inherited[good], inherited[strength - good]
            difference = np.arange(strength + 1) - (strength - good)
            likely = np.diff(_best(np.convolve(gained, lost[::-1]).cumsum(), size), prepend=0)
            reached = np.clip(np.maximum(difference, 2 * good - strength), 0, len(zeros) - 1)
            np.add.at(best_child[good], reached, likely)
        gain += weight * best_mutant[:, :n_good] @ best_child
        if size > 1:
            evaluations += weight * size * (1 - (1 - 1 / size) ** strength - (1 / size) ** strength)
    return Generation(gain, evaluations)


def runtime(n: int, policy: np.ndarray) -> float:
    """Expected evaluations from n / 2 ones to the optimum, the start's own one included, without a cutoff.

    Args:
        policy: probability of each exponent of the population size, zeros (0 to n / 2) x exponents; the first row is
            never asked for.
    """
    left = np.zeros(n // 2 + 1)
    for zeros in range(1, len(left)):
        left[zeros] = _left(n, left, zeros, policy[zeros])
    return float(left[-1]) + 1


def always(n: int, exponents: np.ndarray) -> np.ndarray:
    """The policy that takes these exponents at 0 to n / 2 zeros, or one of them everywhere."""
    return np.eye(n_exponents(n))[np.broadcast_to(exponents, n // 2 + 1)]


def learned(n: int, network: PolicyNetwork) -> np.ndarray:
    """The likeliest actions of a trained network."""
    with torch.no_grad():
        return always(n, network.greedy(torch.from_numpy(observed(n, np.arange(n // 2 + 1))))["exponent"].numpy())


def optimum(n: int) -> np.ndarray:
    """The policy with the least expected runtime, by dynamic programming; ones are never lost, so one pass finds it."""
    left, exponents, choices = np.zeros(n // 2 + 1), np.zeros(n // 2 + 1, dtype=int), np.eye(n_exponents(n))
    for zeros in range(1, len(left)):
        each = [_left(n, left, zeros, choice) for choice in choices]
        exponents[zeros] = np.argmin(each)
        left[zeros] = min(each)
    return always(n, exponents)


def _left(n: int, left: np.ndarray, zeros: int, odds: np.ndarray) -> float:
    """Evaluations from ``zeros`` on: those of a generation, and then of where it leads, until it leads on."""
    made = [generation(n, 2**exponent) for exponent in range(len(odds))]
    evaluations = odds @ np.array([each.evaluations for each in made])
    progress = odds @ np.array([each.gain[zeros, 1 : zeros + 1] for each in made])
    return float((evaluations + progress @ left[zeros - 1 :: -1][:zeros]) / progress.sum())


def _best(distribution: np.ndarray, size: int) -> np.ndarray:
    """Distribution function of the greatest of ``size`` draws."""
    return np.asarray(np.clip(distribution, 0, 1) ** size)
