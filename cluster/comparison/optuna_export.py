"""A comparison's trials as studies of Optuna."""

from cluster.comparison.comparison_result import ComparisonResult
from cluster.results.optuna_studies import distributions, load_optuna, new_studies
from qsynth.errors import StudyError
from qsynth.space.search_space import nearest_value


def to_optuna(result: ComparisonResult, storage: str, name: str) -> dict[str, int]:
    """Write a study of Optuna for each study of the comparison: its name -> how many trials it has.

    Its objectives 0 and 1 are the score and the circuits that a trial took, as :class:`TrialPoint` has them, so that
    ``study.best_trials`` are the front of the report. Hyperparameters are those at a trial's end; attributes tell whose
    it is, and whether they were constants.

    Args:
        storage: URL.
        name: the Optuna study's, followed by the study's where there are several.

    Raises:
        QsynthError: no trials were kept, Optuna is not installed, or the storage has a study of the name already.
    """
    optuna = load_optuna()
    if not result.fronts or not result.spaces:
        raise StudyError("a comparison must have trials to be exported; this one is of an earlier version")
    names = {study: f"{name} {study}" if len(result.fronts) > 1 else name for study in result.fronts}
    with new_studies(storage, list(names.values())) as made:
        for (study, found), empty in zip(result.fronts.items(), made, strict=True):
            space = result.spaces[study]
            ranges = distributions(space)
            empty.add_trials(
                [
                    optuna.trial.create_trial(
                        values=[each.score, float(each.circuits)],
                        params={
                            which: nearest_value(space[which], each.values[which])
                            for which in ranges
                            if which in each.values
                        },
                        distributions={which: range_ for which, range_ in ranges.items() if which in each.values},
                        user_attrs={
                            "rival": each.rival,
                            "problem": each.problem,
                            "validation": each.validation,
                            "shots": each.shots,
                            "constants": each.held,
                            "whole": each.whole,
                        },
                    )
                    for each in found.points
                ]
            )
    return {names[study]: len(found.points) for study, found in result.fronts.items()}
