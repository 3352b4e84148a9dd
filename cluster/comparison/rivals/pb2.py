"""Population-based bandits (Parker-Holder et al., "Provably Efficient Online Hyperparameter Optimization with
Population-Based Bandits", NeurIPS 2020)."""

import warnings
from typing import Any

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor

from cluster.comparison.rivals.pbt import N_ROUNDS, Member, truncation
from cluster.comparison.rivals.rival import Rival
from qsynth.space.search_space import SearchSpace

MAX_ROWS = 1000
N_CANDIDATES = 2000
NOISE = 1e-3  # variance of the gains, which are scaled to a variance of 1


class _GaussianProcess:
    """Exploration by a time-varying Gaussian process, with the kernel of the authors' own code in Ray Tune.

    Each member's round is a row: the round, the score before, the values on the unit scale; and the gain. As there,
    values given out after the same round count as running, with gains that are not known yet, so that the next differ.

    Deviation: new values are for the present score of the member that is copied, not for the one before its last
    round; the bound adds standard deviations, as the paper's, not variances; gains have a noise of ``NOISE`` and are
    not cut at two standard deviations; and the bound is maximised over random candidates, which is far faster than
    ascents from random points and draws nothing from NumPy's global generator.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = dict(sorted(space.items()))
        self._rows: list[list[float]] = []
        self._gains: list[float] = []
        self._running: list[list[float]] = []
        self._round = 0
        self._fitted: Any = None

    def learn(self, members: list[Member]) -> None:
        """Take in a round."""
        self._round += 1
        self._running, self._fitted = [], None
        for member in members:
            unit = [float(each.to_unit(np.array(member.values[name]))) for name, each in self._space.items()]
            self._rows.append([float(self._round), member.before, *unit])
            self._gains.append(member.score - member.before)

    def explore(self, source: Member, random: np.random.Generator) -> dict[str, float]:
        """The values with the highest upper confidence bound on the gain."""
        known = np.array(self._rows[-MAX_ROWS:])
        gains = np.array(self._gains[-MAX_ROWS:])
        low, high = known.min(axis=0), known.max(axis=0)
        low[2:], high[2:] = 0.0, 1.0
        scaled = (known - low) / (high - low + 1e-8)
        candidates = np.empty((N_CANDIDATES, known.shape[1]))
        candidates[:, :2] = (np.array([self._round, source.score]) - low[:2]) / (high[:2] - low[:2] + 1e-8)
        candidates[:, 2:] = random.random((N_CANDIDATES, len(self._space)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of fits that did not converge
            if self._fitted is None:
                self._fitted = _regressor(None).fit(scaled, (gains - gains.mean()) / (gains.std() + 1e-8))
            seen = np.vstack([scaled, *(np.array([[*candidates[0, :2], *unit]]) for unit in self._running)])
            certain = _regressor(self._fitted.kernel_).fit(seen, np.zeros(len(seen)))
            mean = self._fitted.predict(candidates)
            _, sd = certain.predict(candidates, return_std=True)
        weight = np.sqrt(0.2 + max(0.0, np.log(0.4 * len(seen))))
        best = candidates[int(np.argmax(mean + weight * sd)), 2:]
        self._running.append(best.tolist())
        pairs = zip(self._space.items(), best, strict=True)
        return {name: float(dimension.from_unit(np.array(value))) for (name, dimension), value in pairs}


def _regressor(kernel: Any) -> GaussianProcessRegressor:
    """One that fits its kernel, or that has it already."""
    from ray.tune.schedulers.pb2_utils import TV_SquaredExp

    if kernel is None:
        return GaussianProcessRegressor(TV_SquaredExp(variance=1.0, lengthscale=1.0, epsilon=0.1), alpha=NOISE)
    return GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None)


PB2 = Rival(
    name="PB2",
    plan=lambda setting: truncation(setting, _GaussianProcess(setting.space)),
    anytime=False,
    detail=f"as many members as runs, {N_ROUNDS} rounds, time-varying Gaussian process (Parker-Holder et al. 2020)",
)
