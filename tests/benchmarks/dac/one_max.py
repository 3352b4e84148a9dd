"""The (1 + (lambda, lambda)) genetic algorithm on OneMax: choose its population size at every generation."""

from typing import Any

import numpy as np

from tests.benchmarks.dac.environment import DacEnv

CUTOFF = 0.8  # of n^2 evaluations


class OneMaxEnv(DacEnv):
    """As in Nguyen, Le, Biedenkapp, Doerr, Dang (arXiv 2512.03805) and their code: from n / 2 ones to n.

    A generation with population size lambda: draw a strength l from Bin(n, lambda / n) until it is positive; flip l
    random bits in each of lambda mutants, and take the best one, x'; make lambda children that have each bit of x' with
    probability 1 / lambda and of x otherwise; the best of x' and the children replaces x unless it is worse. Children
    that are x or x' again cost nothing. A bit string is no more here than its number of ones: the ones among the
    flipped bits are hypergeometric, those among the inherited ones binomial, which is exact.

    An action is the exponent of lambda, of those powers of two that lie below n. Reward: ones gained minus evaluations.
    State: n and the number of ones; observation: the ones between n / 2 and n, in [-1, 1].

    Each lane starts anew at the step after its end, which is the optimum or more evaluations than 0.8 n^2.

    Args:
        n_steps: of each lane that an update learns from; episodes end when they end.
    """

    def __init__(self, num_envs: int, n: int, n_steps: int) -> None:
        super().__init__(num_envs, n_steps, {"exponent": n_exponents(n)}, 1, 1.0)
        self.n, self.reward_scale = n, 10.0 * n
        self.zeros = np.full(num_envs, n // 2)
        self.evaluations = np.ones(num_envs, dtype=int)
        self._over = np.zeros(num_envs, dtype=bool)

    def begin(self) -> None:
        self._start(np.ones(self.num_envs, dtype=bool))

    def step(
        self, actions: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """A generation in every lane, or the restart of those whose episodes are over."""
        restarted = self._over
        reward = np.where(restarted, 0.0, self.advance(self.chosen(actions)))
        self._over = (self.zeros == 0) | (self.evaluations >= CUTOFF * self.n**2)
        self._start(restarted)
        return self.observation(), reward, self._over.copy(), np.zeros(self.num_envs, dtype=bool), {}

    def state(self) -> np.ndarray:
        return np.column_stack([np.full(self.num_envs, self.n), self.n - self.zeros])

    def observation(self) -> np.ndarray:
        return observed(self.n, self.zeros)

    def advance(self, settings: np.ndarray) -> np.ndarray:
        size = 2 ** settings[:, 0].astype(int)
        strength = self._strength(size)
        first = np.cumsum(size) - size  # of each lane's individuals, which stand one lane after another
        of_lane = np.repeat(np.arange(self.num_envs), size)
        zeros, flipped = self.zeros[of_lane], strength[of_lane]
        # Of the flipped bits of each lane's best mutant, those that were zeros.
        good = np.maximum.reduceat(self.random.hypergeometric(zeros, self.n - zeros, flipped), first)
        gained = self.random.binomial(good[of_lane], 1 / size[of_lane])
        lost = self.random.binomial((strength - good)[of_lane], 1 / size[of_lane])
        new = (gained + lost > 0) & (gained + lost < flipped)
        evaluations = size + np.add.reduceat(new.astype(int), first)
        gain = np.maximum(np.maximum.reduceat(gained - lost, first), np.maximum(2 * good - strength, 0))
        self.zeros = self.zeros - gain
        self.evaluations = self.evaluations + evaluations
        return (gain - evaluations).astype(float)

    def best(self) -> np.ndarray:
        """The discretised policy of theory, lambda = sqrt(n / zeros), as the nearest power of two; not the optimum."""
        return theory(self.n, self.zeros)[:, None]

    def _strength(self, size: np.ndarray) -> np.ndarray:
        strength = self.random.binomial(self.n, size / self.n)
        while not strength.all():
            missing = strength == 0
            strength[missing] = self.random.binomial(self.n, size[missing] / self.n)
        return strength

    def _start(self, lanes: np.ndarray) -> None:
        self.zeros = np.where(lanes, self.n // 2, self.zeros)
        self.evaluations = np.where(lanes, 1, self.evaluations)
        self._over = self._over & ~lanes


def observed(n: int, zeros: np.ndarray) -> np.ndarray:
    """Observations of numbers of zeros, lanes x 1: from -1 at half of the bits to 1 at none."""
    return (1 - 2 * zeros[:, None] / (n // 2)).astype(np.float32)


def n_exponents(n: int) -> int:
    """How many powers of two lie below n."""
    return (n - 1).bit_length()


def theory(n: int, zeros: np.ndarray) -> np.ndarray:
    """Exponents of the powers of two below n that are nearest to sqrt(n / zeros), the smaller of two equally near."""
    portfolio = 2 ** np.arange(n_exponents(n))
    wanted = np.sqrt(n / np.maximum(zeros, 1))
    return np.asarray(np.abs(portfolio - wanted[:, None]).argmin(axis=1))
