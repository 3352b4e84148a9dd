"""The real Ray Tune beside our lanes: the same tuners, problems and budgets.

    python -m tests.benchmarks.ray_tune --out tests/benchmarks/results/ray_tune.json

On each problem (a training instance) of each study every tuner may train for as many decisions as ``--runs`` whole
trials have. Tune's ASHA, PBT, PB2 and Optuna TPE tune :func:`cluster.ray_tune.trainable`, one trial an actor, on an
embedded Ray with ``--cpus`` processes, with ``reuse_actors`` and a checkpoint at every decision; ours are the rivals of
``qsynth compare``, on the lanes of one population. Both return the GAN with the best validation score of any decision,
which is measured on the test rows with noise that selected nothing. The agent's one run is beside both, as a rival and
as a Tune scheduler. Lane trials differ in their seeds, Tune's have one, as its users would.

Time is CPU seconds of all processes, Ray's daemons included (what a decision takes there does not depend on who else
uses the machine), and wall-clock seconds; memory is the largest sum of resident sizes. The overhead of Tune is what
trials that do nothing but report as much take. ``--lanes``: CPU seconds of a decision for trials of so many lanes.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import scipy.stats
import torch
from ray import tune
from ray.tune.schedulers.pb2 import PB2
from ray.tune.search.optuna import OptunaSearch

from cluster.comparison.job import ComparisonJob, Problem
from cluster.comparison.job_result import JobResult
from cluster.comparison.lane_scheduler import LaneScheduler
from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.registry import RIVALS
from cluster.comparison.rivals.rival import Rival
from cluster.comparison.statistics import interquartile_mean
from cluster.machines.private_ray import private_ray
from cluster.ray_tune import AgentScheduler, GanTrainable, bounds, defaults, mutations, param_space, trainable
from cluster.ray_tune.decision_budget import DecisionBudget
from cluster.ray_tune.trial_folder import TrialFolder
from cluster.study.study import Study, changed, load_study
from cluster.system.environment import WORKER_ENVIRONMENT
from rl_envs.agents import TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.exam import examine
from rl_envs.pretrained import agent_file
from rl_envs.tuner import Tuner
from tests.benchmarks import machine

AGENT = "agent, one run"
WAYS = ("asha", "pbt", "pb2", "tpe", AGENT)
GRACE = 4


class Usage:
    """What this process and its children take while a block runs."""

    def __init__(self) -> None:
        self.cpu_seconds = self.seconds = self.mib = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure a block."""
        over, peak, began = threading.Event(), [0.0], time.perf_counter()
        before = self._cpu()
        after = dict(before)

        def watch() -> None:
            while not over.wait(0.5):
                peak[0] = max(peak[0], self._memory())
                after.update(self._cpu())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            after.update(self._cpu())
            self.seconds += time.perf_counter() - began
            self.cpu_seconds += sum(each - before.get(pid, 0.0) for pid, each in after.items())
            self.mib = max(self.mib, peak[0], self._memory())

    def _cpu(self) -> dict[int, float]:
        """Of each process, though it end later."""
        found = {}
        for process in self._processes():
            try:
                times = process.cpu_times()
                found[process.pid] = times.user + times.system
            except psutil.Error:
                continue
        return found

    def _memory(self) -> float:
        total = 0
        for process in self._processes():
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total / 2**20

    @staticmethod
    def _processes() -> list[psutil.Process]:
        me = psutil.Process()
        return [me, *me.children(recursive=True)]


def schedulers(study: Study, runs: int, seed: int, cpus: int) -> dict[str, Callable[[], dict[str, Any]]]:
    """Way -> what a Tuner is given for it."""
    n = study.episode.n_decisions
    asha = {"max_t": n, "grace_period": max(1, n // GRACE**2), "reduction_factor": GRACE, "time_attr": "decision"}
    every = max(1, n // 5)
    return {
        # Twice as many trials as runs; most end early, and the experiment ends with the budget.
        "asha": lambda: {"scheduler": tune.schedulers.ASHAScheduler(**asha), "num_samples": 2 * runs},
        "pbt": lambda: {
            "scheduler": tune.schedulers.PopulationBasedTraining(
                time_attr="decision", perturbation_interval=every, hyperparam_mutations=mutations(study)
            ),
            "num_samples": runs,
        },
        "pb2": lambda: {
            "scheduler": PB2(time_attr="decision", perturbation_interval=every, hyperparam_bounds=bounds(study)),
            "num_samples": runs,
        },
        "tpe": lambda: {"search_alg": OptunaSearch(seed=seed), "num_samples": runs, "max_concurrent_trials": cpus},
        AGENT: lambda: {"scheduler": AgentScheduler("default"), "num_samples": 1},
    }


def tuned(
    study: Study, kind: type[GanTrainable], way: str, runs: int, number: int, cpus: int, folder: Path
) -> dict[str, Any]:
    """One experiment of Tune on a problem."""
    n_decisions = study.episode.n_decisions * (1 if way == AGENT else runs)
    space = defaults(study) if way == AGENT else param_space(study)
    usage, budget = Usage(), DecisionBudget(n_decisions)
    with usage.measured():
        results = tune.Tuner(
            kind,
            param_space={**space, **({} if way == "tpe" else {"seed": number})},
            tune_config=tune.TuneConfig(
                metric="score", mode="max", reuse_actors=True, **schedulers(study, runs, number, cpus)[way]()
            ),
            run_config=tune.RunConfig(
                name=f"{way}-{number}",
                storage_path=str(folder),
                verbose=0,
                stop=budget,
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1),
            ),
        ).fit()
    if results.errors:
        raise RuntimeError(results.errors[0])
    kept = [each for result in results for each in result.best_checkpoints]
    checkpoint, _ = max(kept, key=lambda each: each[1]["score"])
    [snapshot] = TrialFolder.read(Path(checkpoint.path)).snapshots
    return {"snapshot": snapshot, "usage": usage, "decisions": budget.used, "trials": len(results)}


def tested(study: Study, tuner: Tuner, number: int, snapshot: Any) -> float:
    """The test score of a GAN."""
    instance = study.data.instance(number, held_out=False)
    tuner.population.restore(0, snapshot, instance)
    return float(examine(tuner.population, [number]).score[0])


def on_lanes(study: Study, rival: Rival, runs: int, problems: range, n_lanes: int) -> dict[str, Any]:
    """A rival on all problems at once."""
    tuner, found, usage = make_tuner(study.environment(compiled=False), n_lanes), list[JobResult](), Usage()
    jobs = iter(
        ComparisonJob(
            rival=rival,
            problem=Problem(
                study=study.name, number=number, held_out=False, seed=1000 * number, start=study.defaults()
            ),
            runs=runs,
            marks=(runs,),
            context="",
        )
        for number in problems
    )
    with usage.measured():
        LaneScheduler(tuner, study.data, lambda: next(jobs, None), lambda _, result: found.append(result)).run()
    tests = [each.marks[runs].test for each in sorted(found, key=lambda each: each.problem)]
    decisions = sum(each.spent["iterations"] for each in found) // study.episode.iterations_per_decision
    return row(usage, tests, decisions, sum(each.spent["trials"] for each in found))


def row(usage: Usage, tests: list[float], decisions: int, trials: int) -> dict[str, Any]:
    """What a way is worth and takes."""
    whole = interquartile_mean([np.array(tests)])
    return {
        "test": round(whole.value, 3),
        "interval": [round(whole.low, 3), round(whole.high, 3)],
        "tests": [round(each, 3) for each in tests],
        "cpu_ms_a_decision": round(1000 * usage.cpu_seconds / decisions, 1),
        "seconds": round(usage.seconds, 1),
        "mib": round(usage.mib),
        "decisions": decisions,
        "trials": trials,
        "trials_a_second": round(trials / usage.seconds, 2),
    }


def overhead(kind: type[GanTrainable], n_decisions: int, folder: Path) -> dict[str, float]:
    """Milliseconds that Tune takes a decision of trials that only report, with and without checkpoints."""
    sample = kind({}).step()

    class Idle(tune.Trainable):  # type: ignore[misc]  # Ray has no types
        """Reports as much as a trial does."""

        def step(self) -> dict[str, Any]:
            """Nothing."""
            return {**sample, "done": self.iteration + 1 >= n_decisions}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            """An empty file."""
            Path(checkpoint_dir, "empty").touch()

        def load_checkpoint(self, checkpoint: Any) -> None:
            """Nothing."""

    found = {}
    for name, every in (("reporting", 0), ("with checkpoints", 1)):
        usage = Usage()
        with usage.measured():
            results = tune.Tuner(
                Idle,
                param_space={},
                tune_config=tune.TuneConfig(num_samples=2, reuse_actors=True, metric="score", mode="max"),
                run_config=tune.RunConfig(
                    storage_path=str(folder),
                    verbose=0,
                    checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=every),
                ),
            ).fit()
        spans = [
            frame["timestamp"].max() - frame["timestamp"].min() for frame in (r.metrics_dataframe for r in results)
        ]
        found[f"{name}, CPU ms"] = round(1000 * usage.cpu_seconds / (2 * n_decisions), 1)
        found[f"{name}, ms"] = round(1000 * float(np.mean(spans)) / n_decisions, 1)
    return found


def lane_prices(study: Study, sizes: list[int]) -> dict[str, float]:
    """Lanes of a trial -> CPU milliseconds of a decision a lane."""
    found = {}
    for n_lanes in sizes:
        trial = trainable(study, lanes_per_trial=n_lanes)({})
        trial.step()
        began = time.process_time()
        for _ in range(3):
            trial.step()
        found[str(n_lanes)] = round(1000 * (time.process_time() - began) / 3 / n_lanes, 1)
    return found


def compared(study: Study, runs: int, ways: list[str], problems: int, cpus: int, folder: Path) -> dict[str, Any]:
    """Way -> a row for the lanes, one for Tune, and their difference."""
    tuner = make_tuner(study.environment(compiled=False), 1)
    kinds = [trainable(study, instances=(number,)) for number in range(problems)]
    agent = TrainedAgent.load(agent_file("default"), tuner.features, tuner.actions)
    rows: dict[str, Any] = {}
    for way in ways:
        rival = agent_rival(AGENT, agent) if way == AGENT else RIVALS[way]
        lanes = on_lanes(study, rival, 1 if way == AGENT else runs, range(problems), runs * problems)
        rows[way] = {"lanes": lanes}
        say(study, runs, way, lanes)
    with embedded_ray(cpus):
        for way in ways:
            usage, tests, trials, decisions = Usage(), [], 0, 0
            for number in range(problems):
                found = tuned(study, kinds[number], way, runs, number, cpus, folder / f"{study.name}-{runs}")
                tests.append(tested(study, tuner, number, found["snapshot"]))
                usage.cpu_seconds += found["usage"].cpu_seconds
                usage.seconds += found["usage"].seconds
                usage.mib = max(usage.mib, found["usage"].mib)
                decisions, trials = decisions + found["decisions"], trials + found["trials"]
            rows[way]["tune"] = row(usage, tests, decisions, trials)
            rows[way]["tune - lanes"] = difference(tests, rows[way]["lanes"]["tests"])
            say(study, runs, way, rows[way]["tune"] | rows[way]["tune - lanes"])
    return rows


def say(study: Study, runs: int, way: str, values: dict[str, Any]) -> None:
    """Print a row."""
    print(study.name, runs, way, {name: value for name, value in values.items() if name != "tests"}, flush=True)


def embedded_ray(cpus: int) -> AbstractContextManager[None]:
    """A Ray with so many processes for trials."""
    return private_ray(num_cpus=cpus, object_store_memory=200_000_000, runtime_env={"env_vars": WORKER_ENVIRONMENT})


def difference(tests: list[float], others: list[float]) -> dict[str, float]:
    """Mean and 95 % interval (Student's t) of Tune's score less the lanes', paired by problem."""
    differences = np.array(tests) - np.array(others)
    low, high = scipy.stats.t.interval(0.95, len(differences) - 1, differences.mean(), scipy.stats.sem(differences))
    return {"mean": round(float(differences.mean()), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def main() -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--studies", nargs="+", default=["gaussian", "iris", "breast_cancer", "qubit_calibrations"])
    parser.add_argument("--runs", type=int, nargs="+", default=[4, 16])
    parser.add_argument("--problems", type=int, default=4)
    parser.add_argument("--decisions", type=int, default=8)
    parser.add_argument("--iterations", type=int, default=8, help="GAN iterations of a decision")
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    os.environ.setdefault("RAY_worker_niceness", "0")  # or others on this machine would go before them
    settings = {name: value for name, value in vars(asked).items() if name != "out"}
    changes = {"episode.n_decisions": asked.decisions, "episode.iterations_per_decision": asked.iterations}
    studies = [changed(load_study(name), changes) for name in asked.studies]
    result: dict[str, Any] = {"benchmark": "ray_tune", **settings, "rows": {}}
    result["cpu_ms_a_lane"] = lane_prices(studies[0], asked.lanes)
    with tempfile.TemporaryDirectory() as name:
        with embedded_ray(asked.cpus):
            result["overhead"] = overhead(trainable(studies[0]), 100, Path(name))
        for runs in asked.runs:
            for study in studies:
                ways = [way for way in asked.ways if way != AGENT or runs == min(asked.runs)]  # the agent has one run
                rows = compared(study, runs, ways, asked.problems, asked.cpus, Path(name))
                result["rows"].setdefault(study.name, {})[str(runs)] = rows
                machine.write(asked.out, result)


if __name__ == "__main__":
    main()
