"""Random search: constants drawn anew for every run."""

import numpy as np

from cluster.comparison.rivals.rival import Plan, Rival, Setting, Stretch, restarts
from qsynth.space.search_space import random_point


def _plan(setting: Setting) -> Plan:
    random = np.random.default_rng(setting.seed)

    def stretch(trial: int) -> Stretch:
        return Stretch(trial=trial, decisions=setting.n_decisions, values=random_point(setting.space, random))

    return restarts(setting, stretch)


RANDOM_SEARCH = Rival(
    name="random search", plan=_plan, detail="constants drawn uniformly on each dimension's own scale"
)
