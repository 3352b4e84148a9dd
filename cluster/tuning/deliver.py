"""What a finished study leaves behind: model, synthetic data, plots, report, and all of it in MLflow."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cluster.comparison.comparison_result import ComparisonResult
from cluster.comparison.report import report_html
from cluster.comparison.report_folder import plot_comparison
from cluster.comparison.tracking import log_scores
from cluster.results.device_result import DeviceResult
from cluster.results.figure import shrink
from cluster.results.generator_model import write_model
from cluster.results.image_grid import plot_images
from cluster.results.plots import plot_marginals, plot_schedule
from cluster.study.run_directory import RunDirectory
from cluster.study.study import Study
from cluster.tracking.dataset_input import real_dataset, synthetic_dataset
from cluster.tracking.model_registry import RegisteredModel
from cluster.tracking.tracker import Tracker
from cluster.tracking.trials import TrialsLog, trial_key
from cluster.tuning.contender import Contender
from cluster.tuning.markdown import study_markdown
from cluster.tuning.study_result import StudyResult
from qsynth.data.dataset import Instance
from qsynth.data.sources import write_rows
from qsynth.files.atomic import atomic_write_text
from qsynth.population.snapshot import Snapshot
from qsynth.space.search_space import Float
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.rollout import Episode

MAX_SHOWN = 2000
SMALL = "plots/small"
PLOTS = {
    "marginals": "Real (validation) and synthetic rows of the generator that was kept.",
}
IMAGES = {"images": "Real images (validation) and synthetic ones of the generator that was kept."}


def deliver(
    study: Study,
    run: RunDirectory,
    tracker: Tracker,
    comparison: ComparisonResult,
    contender: Contender,
    trials: Sequence[Episode],
    device: DeviceResult | None,
) -> StudyResult:
    """Write everything below the run directory and hand it to MLflow.

    The synthetic data comes from the contender's trial with the best validation score.

    Args:
        trials: the contender's, one on each held-out problem.
    """
    run.plots.mkdir(exist_ok=True)
    captions = {name: f"{caption}." for name, caption in plot_comparison(comparison, run.path).items()}
    captions["schedule"] = f"What the {contender.kind} chose for each hyperparameter."
    captions |= PLOTS | {"training": contender.caption}
    _write_synthetic(study, run, trials)
    _plot_trials(study, trials, run.plots / "schedule.png")
    contender.draw(run.plots / "training.png")
    captions |= IMAGES if (run.plots / "images.png").is_file() else {}
    for name in captions:
        shrink(run.plots / f"{name}.png", run.path / SMALL)
    paths = {
        "run directory": str(run.path),
        "report": str(run.report),
        "synthetic data": str(run.synthetic),
        "agent" if contender.searched is None else "schedule": str(contender.file),
        "generator": str(run.model),
        "plots": str(run.plots),
    }
    if run.device_model.is_file():
        paths["generator fine-tuned on the device"] = str(run.device_model)
    if tracker.location is not None:
        paths["mlflow"] = str(tracker.location)
    result = StudyResult(run=run.path.name, comparison=comparison, paths=paths, training=contender.spent, device=device)
    spent = ", ".join(f"{value:,.0f} {what}" for what, value in contender.spent.items())
    about = [study.description or study.name, f"The {contender.kind} took {spent}."]
    pictures = {caption: run.plots / f"{name}.png" for name, caption in captions.items()}
    atomic_write_text(run.report, report_html(comparison, f"qsynth tune: {run.path.name}", pictures, about))
    atomic_write_text(run.note, study_markdown(result, _in(captions, "plots")))
    result.write(run)

    for path in (run.study_file, run.report, run.note, run.result, run.synthetic, contender.file):
        tracker.log_artifact(path)
    if device is not None:
        if run.device_model.is_file():
            tracker.log_artifact(run.device_model)
        tracker.log(device.metrics(), step=0)
    for folder in ("plots", SMALL):
        for path in sorted((run.path / folder).glob("*.png")):
            tracker.log_artifact(path, folder=folder)
    log_scores(tracker, comparison)
    _register(study, run, tracker, contender, trials)
    tracker.set_note(f"{_best_in_short(contender, trials)}\n\n{study_markdown(result, _in(captions, SMALL))}")
    return result


def _best_in_short(contender: Contender, trials: Sequence[Episode]) -> str:
    """The trial that was kept, with a link to its run, and where its rows are."""
    number = _best(trials)
    test = trials[number].test_score or 0.0
    return (
        f"Best trial of the {contender.kind}: [held-out {number}](trial:{trial_key(contender.name, number)}), "
        f"validation {_validation(trials[number]):.3f}, test {test:.3f}. Its run has its schedule; "
        f"its rows are `synthetic.csv` under Artifacts; what the {contender.kind} beat, and what not, is below. "
        "[All trials, the best first](trial:)."
    )


def _in(captions: Mapping[str, str], folder: str) -> dict[str, str]:
    return {f"{folder}/{name}.png": caption for name, caption in captions.items()}


def best_trial(study: Study, trials: Sequence[Episode]) -> tuple[Snapshot, Instance]:
    """The trial with the best validation score at any decision, and what it learned."""
    best = _best(trials)
    snapshot = trials[best].snapshot
    assert snapshot is not None
    return snapshot, study.data.instance(best, held_out=True)


def _best(trials: Sequence[Episode]) -> int:
    return max(range(len(trials)), key=lambda number: _validation(trials[number]))


def _validation(trial: Episode) -> float:
    """Of the decision that is kept."""
    return float(trial.scores[1:].max())


def _register(
    study: Study, run: RunDirectory, tracker: Tracker, contender: Contender, trials: Sequence[Episode]
) -> None:
    """The generator in MLflow's registry, and its rows among the data sets."""
    best, (_, instance) = trials[_best(trials)], best_trial(study, trials)
    about = {
        "study": study.name,
        "run": run.path.name,
        "data": study.data.title,
        "instance": instance.key,
        "n_qubits": str(study.trial.n_qubits),
        "ansatz": study.trial.ansatz,
        "test_score": f"{best.test_score or 0.0:.4f}",
    }
    write_model(run.model, run.mlflow_model, about)
    description = (
        f"Quantum generator of `{study.data.title}` rows ({study.trial.n_qubits} qubits, {study.trial.ansatz}), "
        f"trained by the {contender.kind} of `{run.path.name}` on `{instance.key}`: validation score "
        f"{_validation(best):.3f}, test score {best.test_score or 0.0:.3f}.\n\n"
        f"Input: a request a row, with `n_rows` and, if wanted, `seed` and `label`, one of "
        f"{', '.join(f'`{name}`' for name in instance.class_names)}."
    )
    score = _validation(best)
    model = RegisteredModel(
        name=f"qsynth-{study.name}", folder=run.mlflow_model.name, score=score, tags=about, description=description
    )
    tracker.register_model(run.mlflow_model, model)
    name = f"{run.path.name} synthetic"
    tracker.log_dataset(synthetic_dataset(run.synthetic, name, study.n_synthetic, instance))


def _write_synthetic(study: Study, run: RunDirectory, trials: Sequence[Episode]) -> None:
    snapshot, instance = best_trial(study, trials)
    model = QGANSynthesizer.from_snapshot(study.trial, snapshot, instance)
    model.save(run.model)
    x, y = model.sample_scaled(study.n_synthetic, random_state=study.seed)
    write_rows(run.synthetic, instance.scaling.inverse(x), y, instance)
    _plot_marginals(x, y, instance, run.plots / "marginals.png")
    if instance.image_shape is not None:
        plot_model(model, instance, study.n_synthetic, study.seed, run.plots / "images.png")


def plot_model(model: QGANSynthesizer, instance: Instance, n_rows: int, seed: int, path: Path) -> None:
    """Real (validation) rows against synthetic ones: as images where they are, else as marginals in scaled space."""
    x, y = model.sample_scaled(min(n_rows, MAX_SHOWN), random_state=seed)
    if instance.image_shape is None:
        _plot_marginals(x, y, instance, path)
        return
    real, inverse = instance.validation, instance.scaling.inverse
    plot_images(inverse(real.x), inverse(x), instance.image_shape, path, real.y, y, instance.class_names)


def _plot_marginals(x: NDArray[np.float32], y: NDArray[np.int64], instance: Instance, path: Path) -> None:
    real, labelled = instance.validation, instance.n_classes > 1
    names = instance.feature_names
    if len(names) != instance.n_features:
        names = tuple(f"component {number + 1}" for number in range(instance.n_features))
    plot_marginals(
        real.x[:MAX_SHOWN],
        x[:MAX_SHOWN],
        names,
        path,
        real_y=real.y[:MAX_SHOWN] if labelled else None,
        synthetic_y=y[:MAX_SHOWN] if labelled else None,
        class_names=instance.class_names if labelled else (),
    )


def trials_log(study: Study, run: RunDirectory, tracker: Tracker, tags: Mapping[str, str]) -> TrialsLog:
    """What writes a study's trials to MLflow; ``tags`` are the study's own."""
    return TrialsLog(
        tracker=tracker,
        iterations_per_decision=study.episode.iterations_per_decision,
        study_tags=tags,
        dataset=real_dataset(study.data),
        draw=lambda episode, path: _plot_trials(study, [episode], path),
        folder=run.plots / "trials",
        times=run.stages / "shown.json",
    )


def _plot_trials(study: Study, trials: Sequence[Episode], path: Path) -> None:
    """Hyperparameters and scores of trials over their decisions."""
    space = study.trial.search_space
    schedules = {}
    for name in space:
        default = study.trial.default(name)
        schedules[name] = np.array([[default, *episode.schedule[name]] for episode in trials])
    scales: dict[str, str] = {
        name: "log" if isinstance(dimension, Float) and dimension.log else "linear" for name, dimension in space.items()
    }
    scores = np.array([episode.scores for episode in trials])
    plot_schedule(schedules, scores, path, scales)  # type: ignore[arg-type]
