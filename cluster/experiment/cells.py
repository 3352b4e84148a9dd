"""The cells of an experiment, as Ray tasks."""

from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from cluster.system.progress import Stage
from qsynth.errors import QsynthError
from qsynth.experiment.experiment import CellKey, ExperimentFolder
from qsynth.experiment.plan import ExperimentPlan

RETRIES = 3  # of a cell whose worker died; it depends on nothing but its arguments


@ray.remote(num_cpus=1, max_retries=RETRIES)  # type: ignore[untyped-decorator]  # ray has none for functions
def run_cell(plan: dict[str, Any], key: CellKey, without: list[str]) -> dict[str, Any]:
    """The arms of one cell that it lacks, in a process of its own."""
    import torch

    import rl_envs.agent_rows  # noqa: F401  registers the agent's rows
    from qsynth.config import parse
    from qsynth.experiment.experiment import run

    torch.set_num_threads(1)
    return run(parse(ExperimentPlan, plan, source="experiment"), key, without).to_dict()


def run_missing(plan: ExperimentPlan, folder: ExperimentFolder, stage: Stage, check: Callable[[], None]) -> None:
    """Run the cells that are not there yet, as many at a time as there are CPUs; each is kept when it is done.

    Args:
        check: called about every second; what it raises ends the waiting.

    Raises:
        QsynthError: a cell failed; the others are kept.
    """
    from qsynth.experiment.cell import CellResult

    settings, missing = plan.model_dump(mode="json"), folder.missing()
    waiting = {
        run_cell.options(name=f"{key.data}: {plan.regimes[key.regime].title}").remote(settings, key, present): key
        for key, present in missing.items()
    }
    stage.update(stage.total - len(waiting))
    try:
        while waiting:
            check()
            for reference in ray.wait(list(waiting), num_returns=1, timeout=1.0)[0]:
                key = waiting.pop(reference)
                folder.keep(key, CellResult.from_dict(ray.get(reference)))
                stage.update(stage.total - len(waiting))
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, QsynthError):
            raise cause from None
        raise
    except RayError as error:
        raise QsynthError(f"a cell's process was lost {RETRIES + 1} times: {' '.join(str(error).split())}") from None
    finally:
        for reference in waiting:
            ray.cancel(reference, force=True)
