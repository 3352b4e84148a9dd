"""What the commands do."""

import shlex
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cluster.cli.output import CLOSE_SECONDS, emit, end_tracking
from cluster.cli.tables import print_result
from cluster.study import run_directory
from cluster.study.difference import differences
from cluster.study.study import Study, changed, load_study, presets, study_name
from cluster.system.environment import own_job
from cluster.system.files import read_json_object, writing_below
from cluster.system.progress import StudyProgress
from cluster.tracking.store import EXPERIMENT
from qsynth.errors import QsynthError

TRIALS, HELD_OUT = "budget.agent_trials", "budget.held_out"  # what a resume may raise
AT_ONCE_SECONDS = 3.0  # that MLflow has to take what it has not got yet, when a study is ended at once


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
        ignored = [key for key, value in changes.items() if value is not None and key not in (TRIALS, HELD_OUT)]
        if ignored:
            raise QsynthError(
                f"{', '.join(ignored)} must be left out with --resume, which goes on with the run's own study"
            )
        run = run_directory.named(out, run_name) if run_name else run_directory.find(out, study_name(name))
        study = run.enlarge(changes.get(TRIALS), changes.get(HELD_OUT))
        study.check()
        _say_what_is_ignored(name, changes, run, study)
    else:
        study = changed(load_study(name), changes)
        study.check()
        from cluster.machines.session import check_address

        check_address(address)
        # A job that was submitted to Ray by hand is found by its own name.
        run = run_directory.create(out, study, run_name or own_job())
        study = run.load_study()
    if run.result.is_file() and not run.comparison.is_file():
        _show_earlier(run, as_json)
        return
    found = _found(run)
    if found is not None:
        result = found
    else:
        result = _execute(study, run, address, tracking_uri or run.default_tracking_uri, as_json)
    if as_json:
        emit(result.to_dict())
        return
    console = Console()
    print_result(console, result.comparison)
    for what, where in result.paths.items():
        console.print(f"{what}: {where}", soft_wrap=True, highlight=False, markup=False)


def _say_what_is_ignored(name: str, changes: dict[str, Any], run: run_directory.RunDirectory, study: Study) -> None:
    """Where the study that is named has been changed since its run began, say that this is not looked at."""
    try:
        others = differences(study, changed(load_study(name), changes))
    except QsynthError:  # a study's name, or a file that is no more what it was
        return
    if others:
        print(f"{run.path.name} goes on with its own study: {'; '.join(others)}", file=sys.stderr)


def _found(run: run_directory.RunDirectory) -> Any:
    """What a complete run has found; None where it is not complete, or its result is damaged and made anew."""
    from cluster.tuning.study_result import StudyResult

    if not run.result.is_file():
        return None
    try:
        return StudyResult.read(run)
    except QsynthError as error:
        print(f"{error}; it is made anew", file=sys.stderr)
        return None


def _show_earlier(run: run_directory.RunDirectory, as_json: bool) -> None:
    """A run that an earlier version finished, which measured otherwise."""
    if as_json:
        emit(read_json_object(run.result))
    else:
        print(f"finished by an earlier version, which measured otherwise; its report: {run.note}")


def _execute(study: Study, run: run_directory.RunDirectory, address: str | None, uri: str, as_json: bool) -> Any:
    from cluster.machines.driver_slot import driver_slot
    from cluster.machines.session import ray_session
    from cluster.system.interrupt import STOPPED, EndedAtOnce, InterruptGuard
    from cluster.tracking.note import RunNote
    from cluster.tracking.tracker import Tracker
    from cluster.tuning.tune import Tuning

    tracker = Tracker(run.path, uri, EXPERIMENT, run.path.name)
    note = RunNote(tracker, study)
    status: Any = "FAILED"
    patience = CLOSE_SECONDS
    command = ["qsynth", "tune", study.name, "--resume", "--run", run.path.name, "--out", str(run.path.parent)]
    further = shlex.join(command)
    try:
        with (
            InterruptGuard() as guard,
            StudyProgress(enabled=not as_json, listener=note.show) as progress,
            ray_session(address, study.name) as resources,
            writing_below(run.path),
        ):
            guard.listen()
            with driver_slot(resources, progress, guard.check):
                tuning = Tuning(study=study, run=run, tracker=tracker, progress=progress, guard=guard)
                result = tuning.execute(resources)
        status = "FINISHED"
    except STOPPED as stop:
        status = "KILLED"
        note.stopped(f"Stopped by {stop}; `{further}` goes on.")
        print(f"stopped by {stop}{_last_checkpoint(run)}; go on with: {further}", file=sys.stderr)
        if isinstance(stop, EndedAtOnce):
            patience = AT_ONCE_SECONDS
        raise
    except QsynthError as error:
        note.stopped(f"Failed: {error}.")
        raise QsynthError(f"{error}. Go on with: {further}") from None
    except Exception as error:
        note.stopped(f"Failed: {type(error).__name__}.")
        raise
    finally:
        end_tracking(tracker, status, run.path, patience)
    return result


def _last_checkpoint(run: run_directory.RunDirectory) -> str:
    from cluster.training.checkpoints import CheckpointStore

    last = CheckpointStore(run.checkpoints).latest()
    return f"; the last checkpoint is {last.path}" if last else " before the first checkpoint"


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
    from cluster.tracking.sync import sync

    result = sync(path, tracking_uri)
    if as_json:
        emit({"delivered": result.delivered, "skipped": result.skipped, "location": str(result.location)})
    else:
        print(f"{result.delivered} records delivered, {result.skipped} skipped; {result.location}")
