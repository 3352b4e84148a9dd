"""A finished experiment of Ray Tune in an Optuna storage, for its dashboard, importances and Pareto fronts."""

from collections.abc import Iterable
from typing import Any

from cluster.results.optuna_studies import distributions, load_optuna, new_studies
from cluster.study.study import Study
from qsynth.space.search_space import nearest_value

SCORE, CIRCUITS = "score", "circuits_total"
TOLD = ("score_best", "decision", "reason")


def to_optuna(study: Study, results: Iterable[Any], storage: str | None = None, name: str | None = None) -> Any:
    """An ``optuna.Study`` of the experiment's trials; ``optuna-dashboard STORAGE`` opens it.

    Its objectives 0 and 1 are the score at a trial's end, and the circuits that it took: ``study.best_trials`` is the
    Pareto front of both. Hyperparameters are those at the end, where a scheduler moved them.

    >>> found = to_optuna(study, tuner.fit(), "sqlite:///iris.db")   # doctest: +SKIP
    >>> optuna.importance.get_param_importances(found, target=lambda trial: trial.values[0])   # doctest: +SKIP

    Args:
        results: of the Tuner.
        storage: URL, as Optuna takes it; left out: in memory.
        name: the Optuna study's; left out: the study's.

    Raises:
        QsynthError: Optuna is not installed, or the storage has a study of this name already.
    """
    optuna, ranges = load_optuna(), distributions(study.trial.search_space)
    with new_studies(storage, [name or study.name]) as [made]:
        for result in results:
            metrics = result.metrics or {}
            whole = SCORE in metrics and not result.error
            values = metrics.get("hyperparameters", {}) if whole else {}
            made.add_trial(
                optuna.trial.create_trial(
                    state=optuna.trial.TrialState.COMPLETE if whole else optuna.trial.TrialState.FAIL,
                    values=[float(metrics[SCORE]), float(metrics[CIRCUITS])] if whole else None,
                    params={
                        each: nearest_value(study.trial.search_space[each], values[each]) for each in ranges if values
                    },
                    distributions=ranges if values else {},
                    user_attrs={each: metrics[each] for each in TOLD if each in metrics},
                )
            )
    return made
