"""Luby of Biedenkapp et al. (2020) in DACBench's default form: name the next element of Luby's restart sequence."""

import numpy as np

from tests.benchmarks.dac.environment import DacEnv

N_VALUES, HISTORY = 7, 5


def luby(i: int) -> int:
    """Element i (from 1) of 1, 1, 2, 1, 1, 2, 4, 1, ... (Luby, Sinclair, Zuckerman 1993): 2^(k - 1) where i = 2^k - 1,
    and otherwise element i - 2^(k - 1) + 1 for the k with 2^(k - 1) <= i < 2^k - 1."""
    k = i.bit_length()
    return 1 << (k - 1) if i == (1 << k) - 1 else luby(i - (1 << (k - 1)) + 1)


class LubyEnv(DacEnv):
    """Reward -1 for each wrong exponent of two, of seven; the paper's lengths are 8 (the package's), 16 and 32 steps.

    There are no instances and nothing is random. State: the last five actions, -1 where there are none yet, the first
    five in the order of their steps; and the number of the last step from 0, or -1. Observation: the same, with actions
    in [0, 1] (or -1) and the step in [-1, 1].

    Deviation: the package shows the state before last at an episode's end, where nothing is chosen any more.
    """

    def __init__(self, num_envs: int, n_steps: int = 8) -> None:
        super().__init__(num_envs, n_steps, {"exponent": N_VALUES}, HISTORY + 1, 1.0)
        self._sequence = [luby(i).bit_length() - 1 for i in range(1, n_steps + 1)]
        self._history = np.full((num_envs, HISTORY), -1.0)

    def begin(self) -> None:
        self._history[:] = -1.0

    def state(self) -> np.ndarray:
        return np.column_stack([self._history, np.full(self.num_envs, self.t - 1)])

    def observation(self) -> np.ndarray:
        actions = np.where(self._history < 0, -1, self._history / (N_VALUES - 1))
        return np.column_stack([actions, np.full(self.num_envs, 2 * self.t / self.n_steps - 1)]).astype(np.float32)

    def advance(self, settings: np.ndarray) -> np.ndarray:
        if self.t >= HISTORY:
            self._history = np.roll(self._history, -1, axis=1)
        self._history[:, min(self.t, HISTORY - 1)] = settings[:, 0]
        return -(settings[:, 0] != self._sequence[self.t]).astype(float)

    def best(self) -> np.ndarray:
        return np.full((self.num_envs, 1), self._sequence[self.t])
