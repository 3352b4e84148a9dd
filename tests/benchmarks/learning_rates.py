"""The defaults under Adam with the learning rates that they have, and under Prodigy, which finds its own.

    python -m tests.benchmarks.learning_rates --out tests/benchmarks/results/learning_rates.json

One whole run each on the same held-out problems, with the same networks to begin with, of each study. The GAN with the
best validation score of any decision is measured on the test rows, as in ``qsynth compare``.
"""

import argparse
from typing import Any

import numpy as np
import torch

from cluster.comparison.job import ComparisonJob, held_out_problem
from cluster.comparison.job_result import JobResult
from cluster.comparison.lane_scheduler import LaneScheduler
from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.statistics import mean
from cluster.study.study import Study, load_study
from rl_envs.agents import Hold
from rl_envs.config import make_tuner
from tests.benchmarks import machine


def scores(study: Study, n_problems: int) -> tuple[list[float], int]:
    """Test score of one run of the defaults on each problem, and how many runs diverged."""
    tuner, found = make_tuner(study.environment(compiled=False), n_problems), list[JobResult]()
    jobs = iter(
        ComparisonJob(
            rival=agent_rival("defaults", Hold()),
            problem=held_out_problem(study.name, number, study.defaults()),
            runs=1,
            marks=(1,),
            context="",
        )
        for number in range(n_problems)
    )
    LaneScheduler(tuner, study.data, lambda: next(jobs, None), lambda _, result: found.append(result)).run()
    found.sort(key=lambda each: each.problem)
    return [round(each.marks[1].test, 4) for each in found], sum(each.spent["failed"] for each in found)


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--studies", nargs="+", default=["gaussian", "iris", "breast_cancer", "qubit_calibrations"])
    parser.add_argument("--problems", type=int, default=8)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    result: dict[str, Any] = {"benchmark": "learning_rates", "problems": asked.problems, "rows": {}}
    for name in asked.studies:
        row: dict[str, Any] = {}
        study, of_each = load_study(name), {}
        for optimizer in ("adam", "prodigy"):
            under_it = study.replaced(trial=study.trial.under(optimizer))
            of_each[optimizer], failed = scores(under_it, asked.problems)
            row[optimizer] = {"tests": of_each[optimizer], "failed": failed}
        lead = mean([np.array(of_each["prodigy"]) - np.array(of_each["adam"])])
        row["prodigy - adam"] = {each: round(value, 4) for each, value in vars(lead).items()}
        print(name, row["prodigy - adam"], flush=True)
        result["rows"][name] = row
        machine.write(asked.out, result)


if __name__ == "__main__":
    main()
