"""What the commands do."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.cli import emit
from cluster.process import prepare_process

prepare_process()

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from cluster import run_directory  # noqa: E402
from cluster.progress import StudyProgress  # noqa: E402
from cluster.study import Study, load_study, presets  # noqa: E402
from qsynth.errors import QsynthError, did_you_mean  # noqa: E402


def run_tune(
    name: str,
    out: Path,
    run_name: str | None,
    resume: bool,
    changes: dict[str, Any],
    address: str | None,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """``qsynth tune``.

    Raises:
        QsynthError: an invalid study, data or directory; nothing has been written then.
        Interrupted: stopped by a signal, after keeping what there is.
    """
    import torch

    torch.set_num_threads(1)
    if resume:
        ignored = [key for key, value in changes.items() if value is not None]
        if ignored:
            raise QsynthError(
                f"{', '.join(ignored)} must be left out with --resume, which goes on with the run's own study"
            )
        run = run_directory.named(out, run_name) if run_name else run_directory.find(out, load_study(name).name)
        study = run.load_study()
        study.check()
    else:
        study = changed(load_study(name), changes)
        study.check()
        run = run_directory.create(out, study, run_name)
        study = run.load_study()
    from cluster.tune import result_of

    finished = result_of(run)
    if finished is None:
        finished = _execute(study, run, address, tracking_uri or run.default_tracking_uri, as_json)
    if as_json:
        emit(finished.to_dict())
        return
    from cluster.report import contender_table

    console = Console()
    console.print(contender_table(finished))
    for what, where in finished.paths.items():
        console.print(f"{what}: {where}", soft_wrap=True, highlight=False)


def _execute(study: Study, run: run_directory.RunDirectory, address: str | None, uri: str, as_json: bool) -> Any:
    from cluster.interrupt import Interrupted, InterruptGuard
    from cluster.run_note import RunNote
    from cluster.runtime import ray_session
    from cluster.tracking import Tracker
    from cluster.tune import Tuning

    tracker = Tracker(run.path, uri, "qsynth", run.path.name)
    note = RunNote(tracker, study)
    status: Any = "FAILED"
    try:
        with (
            InterruptGuard() as guard,
            StudyProgress(enabled=not as_json, listener=note.show) as progress,
            ray_session(address, study.name) as resources,
        ):
            guard.listen()
            result = Tuning(study, run, tracker, progress, guard).execute(resources)
        status = "FINISHED"
    except Interrupted as stop:
        status = "KILLED"
        note.stopped(f"Stopped by {stop}; `qsynth tune {study.name} --resume` goes on.")
        print(
            f"stopped by {stop}; go on with: qsynth tune {study.name} --resume --run {run.path.name} "
            f"--out {run.path.parent}",
            file=sys.stderr,
        )
        raise
    except Exception as error:
        note.stopped(f"Failed: {error if isinstance(error, QsynthError) else type(error).__name__}.")
        raise
    finally:
        left = tracker.close(status)
        if left:
            print(f"{left} records have not reached MLflow; send them with: qsynth sync {run.path}", file=sys.stderr)
    return result


def changed(study: Study, changes: dict[str, Any]) -> Study:
    """The study with dotted settings replaced; None leaves a setting as it is."""
    from qsynth.config import parse

    values = study.model_dump(mode="json")
    for path, value in changes.items():
        if value is not None:
            *parents, last = path.split(".")
            target = values
            for parent in parents:
                target = target[parent]
            target[last] = value
    return parse(Study, values, source=study.name)


def run_train(
    name: str, out: Path, agent_file: Path | None, seed: int, settings: list[str], plot: Path | None, as_json: bool
) -> None:
    """``qsynth train``."""
    import torch

    from qsynth.synthesizer import QGANSynthesizer
    from rl_envs.agents import Agent, Schedule, TrainedAgent
    from rl_envs.config import make_tuner
    from rl_envs.rollout import Assignment, play

    torch.set_num_threads(1)
    study = load_study(name)
    study.check()
    study, constants = _constants(study, settings)
    if agent_file is not None and constants:
        raise QsynthError("--set must be left out with --agent, which chooses the hyperparameters itself")
    _check_writable(out)
    tuner = make_tuner(study.environment(compiled=False), 1)
    agent: Agent = Schedule(dict(constants), name="constants")
    if agent_file is not None:
        agent = TrainedAgent.load(agent_file, tuner.features, tuner.actions)
    instance = study.data.instance(seed, False)
    with StudyProgress(enabled=not as_json) as progress:
        stage = progress.stage("train", study.iterations_per_run)

        class Watched:
            """The agent, reporting at each decision."""

            name = agent.name
            begin = staticmethod(agent.begin)

            @staticmethod
            def decide(observation: Any, values: Any, share: float) -> Any:
                stage.update(round(share * study.iterations_per_run), score=float(tuner.score[0]))
                return agent.decide(observation, values, share)

        assignments = [Assignment(instance, seed)]
        [episode] = play(tuner, lambda _: Watched(), assignments, test=True, snapshots=True, keep="best")
        stage.update(study.iterations_per_run, score=float(episode.scores[-1]))
    if episode.reason != "budget":
        raise QsynthError(f"training ended early ({episode.reason}); lower the learning rates, or raise gp_weight")
    kept = episode.snapshot
    assert kept is not None
    model = QGANSynthesizer.from_snapshot(study.trial, kept, instance)
    model.save(out)
    if plot is not None:
        from cluster.deliver import plot_model

        plot_model(model, instance, study.n_synthetic, seed, plot)
    summary = {
        "model": str(out),
        "study": study.name,
        "instance": instance.key,
        "iterations": study.iterations_per_run,
        "kept": kept.iteration,
        "agent": agent.name,
        "scores": [float(score) for score in episode.scores],
        "test_score": episode.test_score,
        "test": episode.test_raw,
        "hyperparameters": {name: kept.hyperparameters[name] for name in episode.schedule},
    }
    if as_json:
        emit(summary)
        return
    console = Console()
    console.print(
        f"{instance.key}: score {episode.scores[0]:.3f} -> {episode.scores[1:].max():.3f} after {kept.iteration} of "
        f"{study.iterations_per_run} iterations, which is kept; test {episode.test_score:.3f}",
        soft_wrap=True,
    )
    console.print(", ".join(f"{key} {value:.4g}" for key, value in episode.test_raw.items()) + " on the test rows")
    console.print(f"model: {out}", soft_wrap=True, highlight=False)


def run_sample(model_file: Path, n: int, out: Path | None, label: str | None, seed: int, as_json: bool) -> None:
    """``qsynth sample``."""
    from qsynth.synthesizer import QGANSynthesizer

    if out is not None:
        _check_writable(out)
    frame = QGANSynthesizer.load(model_file).sample(n, seed, label)
    if out is not None:
        frame.to_csv(out, index=False)
        if as_json:
            emit({"rows": len(frame), "columns": list(frame.columns), "path": str(out)})
        else:
            print(f"{len(frame)} rows: {out}")
    elif as_json:
        emit({"columns": list(frame.columns), "rows": frame.to_numpy().tolist()})
    else:
        frame.to_csv(sys.stdout, index=False)


def list_presets(as_json: bool) -> None:
    """``qsynth presets``."""
    studies = {name: load_study(name) for name in presets()}
    if as_json:
        emit({name: study.model_dump(mode="json") for name, study in studies.items()})
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("preset", "qubits", "tunes", "what it is"):
        table.add_column(heading, overflow="fold")
    for name, study in studies.items():
        tunes = ", ".join(sorted(study.trial.search_space))
        table.add_row(name, str(study.trial.n_qubits), tunes, study.description)
    Console().print(table)


def run_sync(path: Path, tracking_uri: str | None, as_json: bool) -> None:
    """``qsynth sync``."""
    from cluster.tracking import sync

    result = sync(path, tracking_uri)
    if as_json:
        emit({"delivered": result.delivered, "skipped": result.skipped, "location": str(result.location)})
    else:
        print(f"{result.delivered} records delivered, {result.skipped} skipped; {result.location}")


def _constants(study: Study, settings: list[str]) -> tuple[Study, dict[str, float]]:
    """The settings as numbers, and the study whose trials are built with what they need."""
    from qsynth.hyperparameters import NAMES, SPARED, Hyperparameters

    values: dict[str, float] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in NAMES:
            raise QsynthError(f"--set must name a hyperparameter; got {name!r}.{did_you_mean(name, NAMES)}")
        try:
            values[name] = float(text)
        except ValueError:
            raise QsynthError(f"--set {name} must be a number after '='; got {setting!r}") from None
    convert: Callable[[str, float], Any] = lambda name, value: (  # noqa: E731
        int(value) if Hyperparameters.model_fields[name].annotation is int and value == int(value) else value
    )
    before, given = study.trial.defaults.model_dump(), {name: convert(name, value) for name, value in values.items()}
    changed(study, {"trial.defaults": before | given})
    spared = {name: value for name, value in given.items() if name in SPARED}
    study = changed(study, {"trial.defaults": before | spared})
    idle = [name for name in values if name not in study.trial.tunable]
    if idle:
        raise QsynthError(f"--set must name a hyperparameter that the study's kinds have; got {idle[0]!r}")
    return study, {name: value for name, value in values.items() if name in study.trial.used}


def _check_writable(path: Path) -> None:
    import os

    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise QsynthError(f"{path} must be a file in a directory that can be written")
