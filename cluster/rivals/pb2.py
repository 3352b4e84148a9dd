"""Population-based bandits (Parker-Holder et al., "Provably Efficient Online Hyperparameter Optimization with
Population-Based Bandits", NeurIPS 2020)."""

import warnings

import numpy as np

from cluster.rivals.pbt import N_ROUNDS, Member, truncation
from cluster.rivals.rival import Rival
from qsynth.search_space import SearchSpace

MAX_ROWS = 1000


class _GaussianProcess:
    """Exploration by a time-varying Gaussian process and upper confidence bounds, all of it Ray Tune's.

    Each member's round is a row: the round, the score before, the values on the unit scale; and the gain. As in Tune,
    new values are for the round and the score before of the member that is copied, and those given out after the same
    round count as running.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = dict(sorted(space.items()))
        self._rows: list[list[float]] = []
        self._gains: list[float] = []
        self._running: list[list[float]] = []
        self._round = 0

    def learn(self, members: list[Member]) -> None:
        """Take in a round."""
        self._round += 1
        self._running = []
        for member in members:
            unit = [float(each.to_unit(np.array(member.values[name]))) for name, each in self._space.items()]
            self._rows.append([float(self._round), member.before, *unit])
            self._gains.append(member.score - member.before)

    def explore(self, source: Member, random: np.random.Generator) -> dict[str, float]:
        """The values with the highest upper confidence bound on the gain."""
        from ray.tune.schedulers.pb2 import _select_config

        state = np.random.get_state()  # Tune draws from NumPy's global generator
        np.random.seed(int(random.integers(2**32)))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of fits that did not converge
                unit = _select_config(
                    np.array(self._rows[-MAX_ROWS:]),
                    np.array(self._gains[-MAX_ROWS:]),
                    np.array(self._running) if self._running else None,
                    np.array([float(self._round), source.before]),
                    dict.fromkeys(self._space, (0.0, 1.0)),
                    num_f=2,
                )
        finally:
            np.random.set_state(state)
        self._running.append([float(value) for value in unit])
        return {
            name: float(dimension.from_unit(np.array(float(value))))
            for (name, dimension), value in zip(self._space.items(), unit, strict=True)
        }


PB2 = Rival(
    "PB2",
    lambda setting: truncation(setting, _GaussianProcess(setting.space)),
    anytime=False,
    detail=f"as many members as runs, {N_ROUNDS} rounds, Ray Tune's Gaussian process (Parker-Holder et al. 2020)",
)
