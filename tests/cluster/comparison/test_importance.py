"""What a comparison's trials say of hyperparameters: what matters is found, and noise is called noise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster.comparison.importance import Importance, importance
from cluster.comparison.job_result import JobResult
from cluster.comparison.played_trials import PlayedTrials
from cluster.comparison.trials_plots import plot_importance
from qsynth.space.search_space import Choice, Float, SearchSpace, random_values
from tests.cluster.comparison.made import records

SPACE: SearchSpace = {
    "rate": Float(low=1e-4, high=1e-1, log=True),
    "share": Float(low=0.0, high=1.0),
    "steps": Choice(values=(1.0, 2.0, 4.0)),
}
Truth = Callable[[np.ndarray, int], np.ndarray]


def matters(rate: np.ndarray, problem: int) -> np.ndarray:
    """The logarithm of the rate counts, and some problems are easier than others."""
    return 0.3 * np.asarray(SPACE["rate"].to_unit(rate)) + 0.1 * problem


def played(truth: Truth, n_trials: int = 30, n_problems: int = 6, seed: int = 0) -> list[JobResult]:
    """A record for each problem, with trials of random constants."""
    random = np.random.default_rng(seed)
    made = []
    for number, record in enumerate(records("a", "random search", [0.5] * n_problems)):
        values = random_values(SPACE, random, n_trials)
        scores = truth(values["rate"], number) + random.normal(scale=0.02, size=n_trials)
        trials = PlayedTrials(
            values={name: tuple(each.tolist()) for name, each in values.items()},
            held=(True,) * n_trials,
            whole=(True,) * n_trials,
            scores=tuple(scores.tolist()),
            circuits=(10,) * n_trials,
            shots=(0,) * n_trials,
        )
        made.append(replace(record, trials=trials))
    return made


def changed(found: list[JobResult], **columns: object) -> list[JobResult]:
    return [replace(each, trials=replace(each.trials, **columns)) for each in found]


def effects(found: Importance) -> dict[str, tuple[float, float]]:
    assert found.regression is not None
    return {each.name: (each.importance, each.change) for each in found.regression.effects}


def test_what_matters_comes_first_and_is_measured_on_its_own_scale() -> None:
    found = importance(played(matters), [], SPACE)
    assert next(iter(effects(found))) == "rate"
    assert effects(found)["rate"] == (pytest.approx(2.0, abs=0.3), pytest.approx(0.3, abs=0.02))
    assert found.conclusion.endswith("beyond doubt matters rate.")
    assert (found.n_trials, found.n_problems) == (180, 6)


def test_noise_is_called_noise(tmp_path: Path) -> None:
    found = importance(played(lambda rate, _: np.zeros_like(rate)), [], SPACE)
    assert "explain nothing" in found.conclusion
    assert plot_importance(found, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_too_few_trials_say_nothing(tmp_path: Path) -> None:
    found = importance(played(matters, n_problems=4), [], SPACE)
    assert found.regression is None
    assert found.conclusion.startswith("Nothing can be said")
    assert not plot_importance(found, tmp_path / "one.png")
    assert importance(records("a", "random search", [0.5]), [], SPACE).n_trials == 0  # an earlier version's


def test_trials_on_training_instances_are_on_problems_of_their_own() -> None:
    """Their level is another one: taken for the same problems, they would bury what matters."""
    searched = played(lambda rate, problem: matters(rate, problem) + 5, seed=1)
    found = importance(played(matters), searched, SPACE)
    assert (found.n_trials, found.n_problems) == (360, 12)
    assert effects(found)["rate"][1] == pytest.approx(0.3, abs=0.02)


def test_only_whole_trials_with_constants_count() -> None:
    half = (True, False) * 15
    assert importance(changed(played(matters), held=half), [], SPACE).n_trials == 90
    last = (*(True,) * 29, False)
    assert importance(changed(played(matters), whole=last), [], SPACE).n_trials == 174


def test_trials_without_some_hyperparameter_do_not_count() -> None:
    """Such as those of an optimiser that needs no learning rates."""
    found = played(matters)
    values = {"share": found[0].trials.values["share"]} if found[0].trials else {}
    assert importance([*changed(found[:1], values=values), *found[1:]], [], SPACE).n_trials == 150


def test_who_was_chosen_by_a_score_does_not_count() -> None:
    """Of many trials that were cut short, those that came to the end are no fair draw."""
    assert importance(changed(played(matters), whole=(True, False) * 15), [], SPACE).n_trials == 0


def test_values_outside_of_the_space_are_its_ends() -> None:
    """Such as a default of 0 where the scale is logarithmic."""
    few = played(matters)
    first = few[0].trials
    assert first is not None
    rates = (0.0, *first.values["rate"][1:])
    odd = [replace(few[0], trials=replace(first, values=first.values | {"rate": rates})), *few[1:]]
    assert np.isfinite(list(effects(importance(odd, [], SPACE)).values())).all()
