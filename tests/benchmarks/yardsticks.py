"""What rows are worth that nobody tuned, on qsynth's own score, beside one run of the shipped agent.

    python -m tests.benchmarks.yardsticks --out tests/benchmarks/results/yardsticks.json

All yardsticks (:mod:`qsynth.yardsticks`) and the classical twin learn each held-out instance, and make as many rows
with the same labels as the generator of one run of the agent (its best decision on validation); all are scored against
the same test rows, three times, with fresh noise. ``qsynth compare`` has the same beside its rivals.
"""

import argparse
import time

from cluster.comparison.beside import measure_rows
from cluster.comparison.job import held_out_problem
from cluster.comparison.job_result import BudgetResult, JobResult
from cluster.comparison.rival_result import RivalResult
from cluster.comparison.rivals.rows_rival import yardsticks_of
from cluster.comparison.rows_summary import RowsSummary, summarise_rows
from cluster.study.study import load_study
from rl_envs.agents import TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.pretrained import agent_file
from rl_envs.rollout import Assignment, play
from tests.benchmarks import machine
from tests.benchmarks.report import table

STUDIES = ("wine", "qubit_calibrations", "iris")
AGENT = "one run of the shipped agent"


def measured(name: str, n_problems: int) -> RowsSummary:
    """Everybody's rows on held-out problems of a study."""
    study = load_study(name)
    environment = study.environment(compiled=False)
    tuner = make_tuner(environment, n_problems)
    problems = [held_out_problem(name, number, {}) for number in range(n_problems)]
    instances = [study.data.instance(each.number, held_out=True) for each in problems]
    assignments = [
        Assignment(instance, each.seed, each.number) for instance, each in zip(instances, problems, strict=True)
    ]
    agent = TrainedAgent.load(agent_file("default"), tuner.features, tuner.actions)
    began = time.process_time()
    episodes = play(tuner, lambda _: agent, assignments, test=True, keep="best")
    seconds = (time.process_time() - began) / n_problems
    records = tuple(
        JobResult(
            key="",
            study=name,
            rival=AGENT,
            problem=each.number,
            runs=1,
            curve=(),
            marks={1: BudgetResult(validation=float(episode.scores[1:].max()), test=episode.test_score or 0.0)},
            spent={},
            cpu_seconds=seconds,
        )
        for each, episode in zip(problems, episodes, strict=True)
    )
    ours = RivalResult(name=AGENT, details={name: "default"}, preparations={name: 0}, shared=True, records=records)
    beside = measure_rows(study.trial, name, instances, yardsticks_of(environment), study.seed, "test")
    found = summarise_rows([ours], beside, AGENT, 1, [name])
    assert found is not None
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--problems", type=int, default=48)
    asked = parser.parse_args()
    results = {name: measured(name, asked.problems) for name in STUDIES}
    everybody = {name: {each.name: each for each in (found.gan, *found.others)} for name, found in results.items()}
    rows = [[way, *(everybody[name][way].score.describe() for name in STUDIES)] for way in everybody[STUDIES[0]]]
    print(table(["rows of", *STUDIES], rows))
    for name, found in results.items():
        print(f"{name}: {found.conclusion}")
    studies = {name: found.to_dict() for name, found in results.items()}
    machine.write(asked.out, {"benchmark": "yardsticks", "problems": asked.problems, "studies": studies})


if __name__ == "__main__":
    main()
