"""Further samplers of Optuna's: an evolution strategy, and Bayesian optimisation with a Gaussian process."""

from importlib.util import find_spec
from typing import Any

from cluster.comparison.rivals.rival import Rival, Setting
from cluster.comparison.rivals.tpe import planned
from qsynth.errors import QsynthError

N_STARTUP = 4  # of Optuna's 10, which would be most of the largest budgets


def _cma_es(optuna: Any, setting: Setting) -> Any:
    """Hansen & Ostermeier 2001; choices, which it does not know, are drawn.

    Raises:
        QsynthError: its library is not installed.
    """
    if find_spec("cmaes") is None:
        raise QsynthError("rival cma-es needs cmaes; install it with: pip install 'qsynth[compare]'")
    seed = setting.seed % 2**32
    return optuna.samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)


def _gaussian_process(optuna: Any, setting: Setting) -> Any:
    return optuna.samplers.GPSampler(seed=setting.seed % 2**32, n_startup_trials=N_STARTUP)


CMA_ES = Rival(
    name="CMA-ES",
    plan=planned(_cma_es, defaults_first=True),
    detail="Optuna's CmaEsSampler, whole runs, the given values first",
)
GAUSSIAN_PROCESS = Rival(
    name="GP",
    plan=planned(_gaussian_process, defaults_first=True),
    detail=f"Optuna's GPSampler after {N_STARTUP} runs, whole runs, the given values first",
)
