"""Does a second population on a second core double the work, and what do Ray, RLlib and MLflow take of it?

    python -m tests.benchmarks.scaling --out tests/benchmarks/results/scaling.json

Trains an agent on a preset at its own shape with 1, then 2 EnvRunners: decisions (lane-steps) per second of whole
training iterations, sampling, learning and logging to MLflow included. In turns with it, in the same run, the same
number of processes do nothing but play episodes with random moves on populations of the same shape. The share of the
time that is spent outside the GAN is 1 - rate(training) / rate(bare), from the medians over rounds; what runs beside a
runner in its own process counts, and so do the runners' waits for the learner. Wall time: run it on a quiet machine.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cluster.runtime import prepare_process

prepare_process()

from cluster.ppo import AgentTrainer  # noqa: E402
from cluster.runtime import ray_session  # noqa: E402
from cluster.study import Study, load_study  # noqa: E402
from cluster.tracking import Tracker  # noqa: E402
from rl_envs.config import EnvironmentConfig  # noqa: E402
from tests.benchmarks import machine  # noqa: E402

STEP_SECONDS = 10.0  # for time limits only


def play_bare(pipe: Connection, environment: EnvironmentConfig, n_lanes: int, seed: int) -> None:
    """A process: at each request for a number of waves, play them and answer with lane-steps per second."""
    import torch

    from rl_envs.agents import RandomWalk
    from rl_envs.config import make_tuner
    from rl_envs.rollout import Assignment, play

    torch.set_num_threads(1)
    tuner = make_tuner(environment, n_lanes)
    agent = RandomWalk(tuner.search_space, environment.episode.max_step, seed)
    instances = [environment.data.instance(index % environment.n_instances, False) for index in range(n_lanes)]
    wave = [Assignment(instance, seed + lane) for lane, instance in enumerate(instances)]
    pipe.send("ready")
    while (n_waves := pipe.recv()) > 0:
        began = time.perf_counter()
        for _ in range(n_waves):
            play(tuner, lambda _: agent, wave)
        pipe.send(n_waves * n_lanes * environment.episode.n_decisions / (time.perf_counter() - began))


class BareProcesses:
    """Processes with a population each, and nothing else."""

    def __init__(self, environment: EnvironmentConfig, count: int, n_lanes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes, self._processes = [], []
        for seed in range(count):
            mine, theirs = context.Pipe()
            process = context.Process(target=play_bare, args=(theirs, environment, n_lanes, seed), daemon=True)
            process.start()
            self._pipes.append(mine)
            self._processes.append(process)
        for pipe in self._pipes:
            assert pipe.recv() == "ready"

    def rate(self, n_waves: int) -> float:
        """Lane-steps per second of all together."""
        for pipe in self._pipes:
            pipe.send(n_waves)
        return float(sum(pipe.recv() for pipe in self._pipes))

    def stop(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            pipe.send(0)
        for process in self._processes:
            process.join()


def measure(study: Study, n_runners: int, n_rounds: int, tracker: Tracker) -> dict[str, Any]:
    """Rates with ``n_runners`` populations, in lane-steps per second."""
    environment, n_lanes = study.environment(compiled=True), study.resources.n_lanes
    bare = BareProcesses(environment, n_runners, n_lanes)
    trainer = AgentTrainer(study.agent, environment, n_runners, n_lanes, STEP_SECONDS, seed=study.seed)
    try:
        trainer.train()
        bare.rate(1)
        trained, played, sampling, learning = [], [], [], []
        for _ in range(n_rounds):
            began, before = time.perf_counter(), trainer.sampled_steps
            progress = trainer.train()
            tracker.log({f"training.{k}": v for k, v in progress._asdict().items()}, step=progress.sampled_steps)
            trained.append((trainer.sampled_steps - before) / (time.perf_counter() - began))
            sampling.append(progress.seconds_sampling)
            learning.append(progress.seconds_learning)
            played.append(bare.rate(1))
    finally:
        trainer.stop()
        bare.stop()
    return {
        "n_runners": n_runners,
        "training_rates": trained,
        "bare_rates": played,
        "training_rate": statistics.median(trained),
        "bare_rate": statistics.median(played),
        "share_outside_gan": 1 - statistics.median(a / b for a, b in zip(trained, played, strict=True)),
        "seconds_sampling": statistics.median(sampling),
        "seconds_learning": statistics.median(learning),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--study", default="breast_cancer", help="a preset or a study file")
    parser.add_argument("--runners", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=10)
    asked = parser.parse_args()
    study = load_study(asked.study)
    rows = []
    with tempfile.TemporaryDirectory() as folder, ray_session(None, study.name):
        tracker = Tracker(Path(folder) / "run", f"sqlite:///{folder}/mlflow.db", "benchmark", study.name)
        tracker.start_study({}, {})
        try:
            for n_runners in asked.runners:
                rows.append(measure(study, n_runners, asked.rounds, tracker))
                print(rows[-1], flush=True)
        finally:
            tracker.close("FINISHED")
    first = rows[0]
    for row in rows:
        per_runner = first["training_rate"] / first["n_runners"]
        row["efficiency"] = row["training_rate"] / (row["n_runners"] * per_runner)
        bare = first["bare_rate"] / first["n_runners"]
        row["bare_efficiency"] = row["bare_rate"] / (row["n_runners"] * bare)
    machine.write(
        asked.out, {"benchmark": "scaling", "study": study.name, "load_average": os.getloadavg()[0], "rows": rows}
    )


if __name__ == "__main__":
    main()
