"""Which hyperparameters the scores of a comparison's trials depend on."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cluster.comparison.job_result import JobResult
from qsynth.errors import DataError
from qsynth.experiment.importance import Regression, regress
from qsynth.space.search_space import SearchSpace, nearest_value


@dataclass(frozen=True, kw_only=True)
class Importance:
    """What a regression of one study's validation scores on constants says.

    Attributes:
        n_trials: whole trials whose hyperparameters were held.
        n_problems: that they were on; only differences within one count.
        regression: None where the trials are too few.
        conclusion: what to make of it, in words.
    """

    n_trials: int
    n_problems: int
    regression: Regression | None
    conclusion: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def importance(records: Sequence[JobResult], searched: Sequence[JobResult], space: SearchSpace) -> Importance:
    """Regress the scores of a study's trials on their constants, as :func:`qsynth.experiment.importance.regress` does.

    Whole trials count whose hyperparameters were held. Rivals that cut trials short are left out on a problem: who came
    to the end there was chosen by its score.

    Args:
        records: of the rivals, on held-out instances; those without trials are passed over.
        searched: of what was tried beforehand, on training instances.
    """
    columns: dict[str, list[float]] = {name: [] for name in space}
    scores: list[float] = []
    problems: list[int] = []
    numbers: dict[tuple[bool, int], int] = {}
    for held_out, record in [*((True, each) for each in records), *((False, each) for each in searched)]:
        trials = record.trials
        if trials is None or trials.whole.count(False) > 1:  # the last one may be what the budget had left
            continue
        if not set(space) <= set(trials.values):  # one that does not have all hyperparameters
            continue
        problem = numbers.setdefault((held_out, record.problem), len(numbers))
        for place, whole in enumerate(trials.whole):
            if not whole or not trials.held[place]:
                continue
            for name, dimension in space.items():
                columns[name].append(nearest_value(dimension, trials.values[name][place]))
            scores.append(trials.scores[place])
            problems.append(problem)
    return _regressed(space, {name: np.array(each) for name, each in columns.items()}, scores, problems)


def _regressed(
    space: SearchSpace, values: Mapping[str, Any], scores: Sequence[float], problems: Sequence[int]
) -> Importance:
    about = {"n_trials": len(scores), "n_problems": len(set(problems))}
    try:
        found = regress(space, values, np.array(scores, dtype=float), np.array(problems, dtype=np.int64))
    except DataError as error:
        return Importance(**about, regression=None, conclusion=f"Nothing can be said: {error}.")
    return Importance(**about, regression=found, conclusion=_conclusion(found))


def _conclusion(found: Regression) -> str:
    if found.forest <= 0:
        return (
            "The constants explain nothing of how scores differ on problems that the forest has not seen "
            f"(cross-validated R2 {found.forest:.2f}): the order below means nothing."
        )
    sure = [each.name for each in found.effects if each.importance_low > 0]
    share = (
        f"The constants explain {found.forest:.0%} of how scores differ on problems that the forest has not seen "
        "(cross-validated R2)"
    )
    if not sure:
        return f"{share}, but no single one matters beyond doubt."
    return f"{share}; beyond doubt matter{'s' * (len(sure) == 1)} {', '.join(sure)}."
