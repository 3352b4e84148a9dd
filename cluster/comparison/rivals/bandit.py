"""A bandit that moves one hyperparameter at a time while a run goes on."""

import numpy as np

from cluster.comparison.rivals.rival import Moment, Plan, Rival, Setting, Stretch, Values
from qsynth.space.search_space import Float, adjacent_value

DISCOUNT = 0.95
EXPLORATION = 0.2
STEP = 0.15  # of a float's scale


class DiscountedUCB:
    """Upper confidence bounds with discounted counts (Garivier & Moulines, "On Upper-Confidence Bound Policies for
    Switching Bandit Problems", ALT 2011), since what helps early in a run need not help late.

    Args:
        n_arms: how many.
    """

    def __init__(self, n_arms: int, random: np.random.Generator) -> None:
        self._counts, self._sums, self._random = np.zeros(n_arms), np.zeros(n_arms), random

    def pull(self) -> int:
        """The arm to try; untried ones first, in random order."""
        untried = np.flatnonzero(self._counts < 1e-3)
        if len(untried):
            return int(self._random.choice(untried))
        total = self._counts.sum()
        bonus = EXPLORATION * np.sqrt(np.log(max(total, 1.0)) / self._counts)
        return int(np.argmax(self._sums / self._counts + bonus))

    def reward(self, arm: int, gain: float) -> None:
        """What pulling an arm gained."""
        self._counts *= DISCOUNT
        self._sums *= DISCOUNT
        self._counts[arm] += 1
        self._sums[arm] += gain


class _Moves:
    """Arms: nothing, or one hyperparameter up or down."""

    def __init__(self, setting: Setting) -> None:
        self._space = setting.space
        self.arms = [("", False), *((name, up) for name in sorted(setting.space) for up in (False, True))]

    def changes(self, arm: int, values: dict[str, float]) -> Values:
        """What pulling an arm changes."""
        name, up = self.arms[arm]
        if not name:
            return {}
        dimension = self._space[name]
        if not isinstance(dimension, Float):
            return {name: float(adjacent_value(dimension, values[name], 1 if up else -1))}
        unit = dimension.to_unit(np.array(values[name])) + (STEP if up else -STEP)
        return {name: float(dimension.from_unit(unit))}


def _plan(setting: Setting) -> Plan:
    """Run after run from the given values; what was learnt in one is known in the next."""
    moves = _Moves(setting)
    bandit = DiscountedUCB(len(moves.arms), np.random.default_rng(setting.seed))
    trial = 0
    while setting.meter.left >= setting.n_decisions:
        pulled: list[tuple[int, float]] = []

        def steer(moment: Moment, pulled: list[tuple[int, float]] = pulled) -> Values:
            if pulled:
                arm, before = pulled[-1]
                bandit.reward(arm, moment.score - before)
            arm = bandit.pull()
            pulled.append((arm, moment.score))
            return moves.changes(arm, moment.values)

        [outcome] = yield [Stretch(trial=trial, decisions=setting.n_decisions, values=setting.start, steer=steer)]
        arm, before = pulled[-1]
        bandit.reward(arm, outcome.scores[-1] - before)
        trial += 1


BANDIT = Rival(
    name="bandit",
    plan=_plan,
    detail=f"discounted UCB over moves of one hyperparameter by {STEP} of its scale (Garivier & Moulines 2011)",
)
