"""Does a second population on a second core double the work, and what do Ray, RLlib and MLflow take of it?

    python -m tests.benchmarks.scaling --out tests/benchmarks/results/scaling.json

Trains an agent on a preset at its own shape with 1, then 2 EnvRunners: decisions (lane-steps) per second of whole
training iterations, sampling, learning and logging to MLflow included. Only hyperparameters that leave a trial's cost
alone are tuned, and few instances learned, whose metrics are calibrated in the first iterations, so that all others
have the same work to do. The share of the time that is spent outside the GAN is
1 - (seconds inside the populations' own methods) / (runners x wall seconds): what the runners spend on RLlib, and their
waits for the learner, the driver and each other. Wall time: run it on a quiet machine.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.machines.session import ray_session
from cluster.study.study import Study, load_study
from cluster.tracking.tracker import Tracker
from cluster.training.agent_trainer import AgentTrainer
from qsynth.space.hyperparameters import SIZES
from tests.benchmarks import machine

STEP_SECONDS = 10.0  # for time limits only
N_INSTANCES, WARM_UP = 8, 2


def instrument(runner: Any) -> None:
    """In an EnvRunner: have its population add up the wall seconds that it works."""
    population = runner.env.unwrapped.tuner.population
    runner.gan_seconds = 0.0

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*arguments, **options)
            finally:
                runner.gan_seconds += time.perf_counter() - began

        return call

    for name in ("reset", "apply", "advance", "evaluate"):
        setattr(population, name, timed(getattr(population, name)))


def measure(study: Study, n_runners: int, n_rounds: int, tracker: Tracker) -> dict[str, Any]:
    """Rates with ``n_runners`` populations, in lane-steps per second."""
    trainer = AgentTrainer(
        study.agent,
        study.environment(compiled=True),
        {study.placements()[0]: n_runners},
        STEP_SECONDS,
        seed=study.seed,
        run="scaling",
    )
    group = trainer._algorithm.env_runner_group

    def gan_seconds() -> float:
        return float(sum(group.foreach_env_runner(lambda runner: runner.gan_seconds, local_env_runner=False)))

    rounds = []
    try:
        for _ in range(WARM_UP):
            trainer.train()
        group.foreach_env_runner(instrument, local_env_runner=False)
        for _ in range(n_rounds):
            inside, steps, began = gan_seconds(), trainer.sampled_steps, time.perf_counter()
            progress = trainer.train()
            tracker.log(progress.metrics(), step=progress.sampled_steps)
            wall = time.perf_counter() - began
            rounds.append(
                {
                    "rate": (trainer.sampled_steps - steps) / wall,
                    "share_outside_gan": 1 - (gan_seconds() - inside) / (n_runners * wall),
                    "seconds": wall,
                    "seconds_sampling": progress.seconds_sampling,
                    "seconds_learning": progress.seconds_learning,
                }
            )
    finally:
        trainer.stop()
    medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    return {"n_runners": n_runners, **medians, "rounds": rounds}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--study", default="breast_cancer", help="a preset or a study file")
    parser.add_argument("--runners", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=10)
    asked = parser.parse_args()
    study = load_study(asked.study)
    tuned = {name: one for name, one in study.trial.search_space.items() if name not in SIZES}
    study = study.replaced(trial=study.trial.replaced(search_space=tuned), n_instances=N_INSTANCES)
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
        row["efficiency"] = row["rate"] * first["n_runners"] / (row["n_runners"] * first["rate"])
    machine.write(
        asked.out, {"benchmark": "scaling", "study": study.name, "load_average": os.getloadavg()[0], "rows": rows}
    )


if __name__ == "__main__":
    main()
