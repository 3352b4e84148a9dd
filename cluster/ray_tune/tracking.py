"""Trials of Ray Tune in MLflow, by our own way: journalled first, one run a trial, hyperparameters as metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from cluster.study.study import Study
from cluster.system.sqlite_file import sqlite_uri
from cluster.tracking.record import Status
from cluster.tracking.store import EXPERIMENT, TrackingStore
from cluster.tracking.tags import study_tags, tags_of_study
from cluster.tracking.tracker import Tracker
from qsynth.circuits.engine import choose

# What a result is called in MLflow; a study's other trials have the same names there.
GROUPS = {
    "utility": "utility",
    "raw": "scorecard",
    "training": "training",
    "hyperparameters": "hyperparameters",
    "ailment": "ailment",
}
NUMBERS = ("score", "score_best", "score_deviation", "failed", "circuits_total", "shots_total")


class TrialTracking(tune.Callback):  # type: ignore[misc]  # Ray has no types
    """Logs an experiment's trials as child runs of a study's, whose steps are GAN iterations.

    Args:
        tracker: of the study.
        tags: of the study; trials have some of them.
        rival: who tunes.
    """

    _tracker: Tracker | None

    def __init__(self, tracker: Tracker, tags: Mapping[str, str], rival: str) -> None:
        self._tracker, self._tags, self._rival = tracker, dict(tags), rival
        self._begun, self._ended = set[str](), set[str]()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Open the trial's run when it first begins; schedulers may have it begin often."""
        if self._tracker is None or trial.trial_id in self._begun:
            return
        self._begun.add(trial.trial_id)
        kept = tags_of_study(self._tags)
        params = {f"start.{name}": value for name, value in trial.config.items()}
        self._tracker.start_trial(str(trial), params, {**kept, "rival": self._rival})

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: Mapping[str, Any], **info: Any
    ) -> None:
        """Log what a decision led to."""
        if self._tracker is not None:
            self._tracker.log(logged(result), step=result["iterations"], trial=str(trial))
            if result["reason"]:
                self._tracker.set_tags({"reason": result["reason"]}, trial=str(trial))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """End the trial's run."""
        self._end(trial, "FINISHED")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """End the run of a trial that broke."""
        self._end(trial, "FAILED")

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        """End the runs of trials that the experiment's end has cut."""
        for trial in trials:
            if trial.trial_id in self._begun - self._ended:
                self._end(trial, "FINISHED")

    def _end(self, trial: Any, status: Status) -> None:
        if self._tracker is not None and trial.trial_id in self._begun:
            self._ended.add(trial.trial_id)
            self._tracker.end_trial(str(trial), status)

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open: Tune keeps a copy of every callback, to restore the experiment."""
        return {**vars(self), "_tracker": None, "_begun": set(), "_ended": set()}


class MLflowTracking(TrialTracking):
    """Logs an experiment as a run of its own, with its trials below it.

    Unlike Tune's own callback it lets hyperparameters change, waits for no server, and finds the runs of an experiment
    that is restored again.

    >>> run_config = tune.RunConfig(callbacks=[MLflowTracking(study, Path("tune-iris"))])   # doctest: +SKIP

    Args:
        folder: of the journal; its name is the run's. ``qsynth sync FOLDER`` sends what could not be sent.
        tracking_uri: ``http://HOST:5000`` or ``sqlite:///FILE``; left out: a database in ``folder``.

    Raises:
        QsynthError: an unfit URI or folder's name.
    """

    def __init__(self, study: Study, folder: Path, tracking_uri: str | None = None) -> None:
        self._study, self._folder = study, folder.absolute()
        self._uri = tracking_uri or sqlite_uri(self._folder / "mlflow.db")
        TrackingStore.make(self._uri, EXPERIMENT, self._folder.name)
        self._tracker, self._tags, self._rival = None, {}, "ray tune"
        self._begun, self._ended = set[str](), set[str]()
        self.undelivered = 0

    def setup(self, stop: Any = None, num_samples: Any = None, total_num_samples: Any = None, **info: Any) -> None:
        """Open the experiment's run, the same one as before where it is restored."""
        study = self._study
        engine = choose(study.trial.engine, study.trial.n_qubits)
        self._tags = study_tags(study, engine.name, engine.reason, "Ray Tune")
        self._tags |= {"qsynth.kind": "ray tune", "mlflow.source.name": "ray.tune"}
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tracker = Tracker(self._folder, self._uri, EXPERIMENT, self._folder.name)
        self._tracker.start_study({"study": study.name, "num_samples": num_samples}, self._tags)

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        """Log the best score, and deliver what is left; it stays in the journal where that can't be done in time.

        An experiment that was stopped before all trials had ended is ``KILLED``.
        """
        if self._tracker is None:
            return
        bests = [trial.last_result["score_best"] for trial in trials if "score_best" in (trial.last_result or {})]
        if bests:
            self._tracker.log({"best_score": max(bests)}, step=0)
        whole = all(trial.is_finished() for trial in trials)
        self.undelivered = self._tracker.close("FINISHED" if whole else "KILLED")
        self._tracker = None


def logged(result: Mapping[str, Any]) -> dict[str, float]:
    """The metrics in a result of a :class:`~cluster.ray_tune.trainable.GanTrainable`."""
    metrics = {name: float(result[name]) for name in NUMBERS}
    for group, shown in GROUPS.items():
        metrics |= {f"{shown}/{name}": float(value) for name, value in result[group].items()}
    return metrics
