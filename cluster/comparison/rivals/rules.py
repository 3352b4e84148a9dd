"""Rules of thumb of those who train GANs by hand: balanced losses, learning rates that fall, an early stop."""

import math

import numpy as np

from cluster.comparison.rivals.rival import Moment, Plan, Rival, Setting, Stretch, Values

GAP = "critic.gap"
AHEAD, BEHIND = 0.5, 0.05  # of the critic's gap, as agents see it
FACTOR, MOST = 2.0, 16.0  # by which the critic's learning rate moves against the generator's, and how far at most
LAST = 0.1  # of the learning rates, at the end
PATIENCE = 5  # decisions without a better score


class _Run:
    """One run under the rules.

    The critic learns half as fast for as long as it tells the rows apart too well, and twice as fast while it can't.
    Both learning rates fall along a cosine. The run ends after ``PATIENCE`` decisions without a better score.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting, self._factor = setting, 1.0
        self._best, self._since = -math.inf, 0

    def steer(self, moment: Moment) -> Values | None:
        """What changes before a decision's iterations."""
        self._since = 0 if moment.score > self._best else self._since + 1
        self._best = max(self._best, moment.score)
        if moment.decision and self._since >= PATIENCE:
            return None
        done = moment.decision / self._setting.n_decisions
        left = LAST + (1 - LAST) * (1 + math.cos(math.pi * done)) / 2
        if moment.decision and GAP in self._setting.features:
            gap = float(moment.observation[self._setting.features.index(GAP)])
            moved = self._factor / FACTOR if gap > AHEAD else self._factor * FACTOR if gap < BEHIND else self._factor
            self._factor = min(max(moved, 1 / MOST), MOST)
        return self._within({"lr_generator": left, "lr_critic": left * self._factor})

    def _within(self, factors: Values) -> Values:
        """The starting values times factors, of what may be tuned, as far as the search space goes."""
        space, start = self._setting.space, self._setting.start
        return {
            name: float(np.clip(start[name] * factor, space[name].low, space[name].high))
            for name, factor in factors.items()
            if name in space
        }


def _plan(setting: Setting) -> Plan:
    """Run after run from the given values; what stopping early saves pays for more."""
    trial = 0
    while setting.meter.left:
        decisions = min(setting.n_decisions, setting.meter.left)
        yield [Stretch(trial=trial, decisions=decisions, values=setting.start, steer=_Run(setting).steer)]
        trial += 1


RULES = Rival(
    name="rules", plan=_plan, detail="losses balanced by the critic's learning rate, cosine decay, runs stopped early"
)
