"""A finished experiment of Ray Tune in an Optuna storage, for its dashboard, importances and Pareto fronts."""

from collections.abc import Iterable
from typing import Any

from cluster.ray_tune.space import param_space, within
from cluster.study.study import Study
from qsynth.errors import QsynthError, StudyError

SCORE, CIRCUITS = "score", "circuits_total"


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
    try:
        import optuna
        from ray.tune.search.optuna import OptunaSearch
    except ImportError:
        raise QsynthError("an Optuna storage needs Optuna; install it with: pip install 'qsynth[compare]'") from None
    distributions = OptunaSearch.convert_search_space(param_space(study))
    called = name or study.name
    try:
        made = optuna.create_study(storage=storage, study_name=called, directions=["maximize", "minimize"])
    except optuna.exceptions.DuplicatedStudyError:
        raise StudyError(f"{storage} must not have a study {called!r} yet") from None
    for result in results:
        metrics = result.metrics or {}
        whole = SCORE in metrics and not result.error
        values = metrics.get("hyperparameters", {}) if whole else {}
        made.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.COMPLETE if whole else optuna.trial.TrialState.FAIL,
                values=[float(metrics[SCORE]), float(metrics[CIRCUITS])] if whole else None,
                params={each: within(study.trial.search_space[each], values[each]) for each in distributions if values},
                distributions=distributions if values else {},
                user_attrs={each: metrics[each] for each in ("score_best", "decision", "reason") if each in metrics},
            )
        )
    return made
