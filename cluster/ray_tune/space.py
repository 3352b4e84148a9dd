"""A study's search space as Ray Tune's searchers and schedulers take it."""

from typing import Any

from ray import tune

from cluster.study.study import Study
from qsynth.space.search_space import Choice, Dimension, Float, Int, nearest_value


def param_space(study: Study) -> dict[str, Any]:
    """What searchers draw from: each hyperparameter's domain, uniform on its own scale."""
    return {name: _domain(dimension) for name, dimension in sorted(study.trial.search_space.items())}


def mutations(study: Study) -> dict[str, Any]:
    """``hyperparam_mutations`` of Tune's PBT: domains, and lists where values have neighbours.

    PBT multiplies what is a domain by 0.8 or 1.2, past its ends too; a trial takes values beyond them for the ends.
    """
    return {name: _mutation(dimension) for name, dimension in sorted(study.trial.search_space.items())}


def bounds(study: Study) -> dict[str, list[float]]:
    """``hyperparam_bounds`` of Tune's PB2: lowest and highest value, to which a trial rounds what lies between.

    Its Gaussian process knows no logarithmic scale.
    """
    return {name: [float(each.low), float(each.high)] for name, each in sorted(study.trial.search_space.items())}


def defaults(study: Study) -> dict[str, float]:
    """The study's constants in the form of a ``config``, e.g. for a searcher's ``points_to_evaluate``."""
    space = sorted(study.trial.search_space.items())
    return {name: nearest_value(each, study.trial.default(name)) for name, each in space}


def _domain(dimension: Dimension) -> Any:
    match dimension:
        case Float(log=True):
            return tune.loguniform(dimension.low, dimension.high)
        case Float():
            return tune.uniform(dimension.low, dimension.high)
        case Int():
            return tune.randint(dimension.low, dimension.high + 1)
        case Choice():
            return tune.choice(list(dimension.values))


def _mutation(dimension: Dimension) -> Any:
    match dimension:
        case Int():
            return list(range(dimension.low, dimension.high + 1))
        case Choice():
            return list(dimension.values)
        case _:
            return _domain(dimension)
