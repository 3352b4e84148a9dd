"""What ``qsynth pretrain`` does."""

import shlex
import sys
from pathlib import Path
from typing import Any

from cluster.cli.output import emit, end_tracking
from cluster.study.curriculum import Curriculum, load_curriculum
from cluster.study.run_directory import PRIVATE, RunDirectory, new_name
from cluster.study.study import changed
from cluster.system.files import writing_below
from cluster.system.progress import StudyProgress
from cluster.tracking.store import EXPERIMENT
from qsynth.errors import QsynthError
from qsynth.files.atomic import atomic_write_json


def run_pretrain(
    source: str,
    out: Path,
    resume: bool,
    changes: dict[str, Any],
    address: str | None,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """``qsynth pretrain``.

    Args:
        source: a curriculum's name or file; to resume, a run's folder.
        changes: fields of the curriculum to replace; None leaves one as it is.

    Raises:
        QsynthError: an invalid curriculum or study, or a folder that can't be used; nothing has been written then.
        Interrupted: stopped by a signal, after keeping what there is.
    """
    import torch

    torch.set_num_threads(1)
    given = {name: value for name, value in changes.items() if value is not None}
    if resume:
        if given:
            raise QsynthError(f"{', '.join(given)} must be left out with --resume, which goes on with the run's own")
        run = RunDirectory(Path(source))
        if not run.curriculum_file.is_file():
            raise QsynthError(f"--resume needs the folder of a run of `qsynth pretrain`; got {run.path}")
        curriculum = load_curriculum(str(run.curriculum_file))
        curriculum.check()
    else:
        curriculum = load_curriculum(source).replaced(**given)
        curriculum.check()
        from cluster.machines.session import check_address

        check_address(address)
        run = RunDirectory(out / new_name(curriculum.name))
        try:
            run.path.mkdir(mode=PRIVATE, parents=True)
        except OSError as error:
            raise QsynthError(f"output directory {out} must be writable: {error.strerror}") from None
    about = _execute(curriculum, run, address, tracking_uri or run.default_tracking_uri, as_json)
    if as_json:
        emit({"agent": str(run.agent), **about})
    else:
        print(f"agent: {run.agent}")


def _execute(curriculum: Curriculum, run: RunDirectory, address: str | None, uri: str, as_json: bool) -> dict[str, Any]:
    from cluster.machines.session import ray_session
    from cluster.system.interrupt import STOPPED, InterruptGuard
    from cluster.tracking.tracker import Tracker
    from cluster.training.pretrain import Pretraining

    tracker = Tracker(run.path, uri, EXPERIMENT, run.path.name)
    status: Any = "FAILED"
    further = shlex.join(["qsynth", "pretrain", str(run.path), "--resume"])
    try:
        with (
            InterruptGuard() as guard,
            StudyProgress(enabled=not as_json) as progress,
            ray_session(address, curriculum.name),
            writing_below(run.path, f"Go on with: {further}"),
        ):
            guard.listen()
            about = Pretraining(
                curriculum=curriculum, run=run, tracker=tracker, progress=progress, guard=guard
            ).execute(_compiled(curriculum))
            if run.agent.is_file():
                tracker.log_artifact(run.agent)
        status = "FINISHED"
    except STOPPED:
        status = "KILLED"
        print(f"stopped; go on with: {further}", file=sys.stderr)
        raise
    finally:
        end_tracking(tracker, status, run.path)
    atomic_write_json(run.path / "card.json", about)
    return about


def _compiled(curriculum: Curriculum) -> bool:
    """Whether all tasks are worth compiling."""
    from cluster.machines.session import plan_compilation

    share = max(1, curriculum.trials // len(curriculum.tasks))
    studies = [changed(study, {"budget.agent_trials": share}) for study in curriculum.studies().values()]
    return all(plan_compilation(study, 1)[0] for study in studies)
