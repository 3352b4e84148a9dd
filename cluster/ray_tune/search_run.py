"""A study's search on Ray Tune, from where an earlier attempt left it."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune

from cluster.ray_tune.decision_budget import DecisionBudget
from cluster.ray_tune.search_plan import SearchPlan
from cluster.ray_tune.searched import SearchedTrial, SearchedTrials
from cluster.ray_tune.trainable import trainable
from cluster.system.environment import environment
from cluster.system.progress import Stage
from qsynth.errors import FileError, QsynthError

RETRIES = 2  # of a candidate whose process dies
# Tune prints tables of its own, takes Ctrl-C for itself, and writes files for TensorBoard, unless told otherwise.
QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}


@dataclass(frozen=True, kw_only=True)
class SearchRun:
    """Has Tune try candidates until the budget is used up.

    Attributes:
        folder: for Tune's own files, which go when it ends; schedulers that copy candidates need it on all machines.
        file: of what was tried.
        callbacks: of Tune, besides.
        stage: told of decisions, and of the best score.
        asked: whether somebody asked to stop.
    """

    plan: SearchPlan
    folder: Path
    file: Path
    callbacks: tuple[Any, ...]
    stage: Stage
    asked: Callable[[], bool]

    def execute(self, *, compiled: bool, most: int) -> SearchedTrials:
        """What was tried; not all of it yet where somebody asked to stop.

        Args:
            compiled: whether workers compile their updates.
            most: candidates at a time.

        Raises:
            QsynthError: no candidate came to a result, or the file can't be read or written.
        """
        plan, study = self.plan, self.plan.study
        found = SearchedTrials.read(self.file)
        if any(set(each.start) != set(study.trial.search_space) for each in found.trials):
            raise FileError(f"{self.file} must be of a search for what {study.name} tunes")
        if found.over >= plan.decisions:
            self.stage.update(self.stage.total)
            return found
        lanes, kept = plan.search.lanes_per_trial, _Kept(self.file, found, self.stage)
        kind = trainable(study, instances=range(lanes), lanes_per_trial=lanes, compiled=compiled)
        budget = DecisionBudget(plan.decisions - found.decisions, self.asked)
        try:
            with environment(QUIET):
                results = tune.Tuner(
                    kind,
                    param_space=plan.space(),
                    tune_config=plan.tune_config(found.trials, most),
                    run_config=tune.RunConfig(
                        name="search",
                        storage_path=str(self.folder.absolute()),
                        verbose=0,
                        stop=budget,
                        failure_config=tune.FailureConfig(max_failures=RETRIES),
                        callbacks=[kept, *self.callbacks],
                    ),
                ).fit()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.asked():
            return kept.found
        for result in results:
            kept.keep(result.metrics or {})
        if not kept.found.trials:
            reason = next((str(error).strip().splitlines()[-1] for error in results.errors), "none began")
            raise QsynthError(f"search {plan.search.name} found nothing: {reason}")
        return kept.end(plan.decisions)


class _Kept(tune.Callback):  # type: ignore[misc]  # Ray has no types
    """Writes candidates down as they end."""

    def __init__(self, file: Path, found: SearchedTrials, stage: Stage) -> None:
        self._file, self._stage = file, stage
        self.found, self._done = found, found.decisions
        self._decisions: Counter[str] = Counter()
        self._over: set[str] = set()

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """Say how far it is."""
        self._done += 1
        self._decisions[trial.trial_id] += 1
        best = max([result["score_best"], *(each.score for each in self.found.trials)])
        self._stage.update(min(self._done, self._stage.total - 1), score=best)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Keep a candidate."""
        self.keep(trial.last_result or {})

    def keep(self, result: Mapping[str, Any]) -> None:
        """Keep what came of a candidate, unless that has been done; not of one that has no result."""
        key = result.get("trial_id", "")
        if key in self._over or "score_best" not in result:
            return
        self._over.add(key)
        schedule = {name: tuple(values) for name, values in result["schedule"].items()}
        trial = SearchedTrial(
            start={name: values[0] for name, values in schedule.items()},
            schedule=schedule,
            score=result["score_best"],
            decisions=self._decisions[key],
            circuits=result["circuits_total"],
            shots=result["shots_total"],
        )
        self.found = self.found.replaced(trials=(*self.found.trials, trial))
        self.found.write(self._file)

    def end(self, budget: int) -> SearchedTrials:
        """The budget, in decisions, is used up."""
        self.found = self.found.replaced(over=budget)
        self.found.write(self._file)
        self._stage.update(self._stage.total, score=self.found.best().score)
        return self.found

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open, as Tune keeps a copy in its folder."""
        return {**vars(self), "_stage": None}
