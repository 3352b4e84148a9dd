"""How many workers one driver serves: costs per worker measured with cheap environments, and extrapolated.

    python -m tests.benchmarks.saturation --out tests/benchmarks/results/saturation.json

The agent is trained on environments that sleep for as long as a decision of the preset's population takes and compute
nothing, so that a machine holds many more of them than it has cores. Of each training iteration the driver's CPU
seconds are taken (gathering episodes, learning, weights, metrics to MLflow); a straight line through those of few
workers predicts those of many, which the largest numbers measured check. With N workers an iteration takes

    decisions x seconds of a decision  +  a worker's own RLlib  +  the driver's seconds for N workers

and the efficiency is the first term's share. The driver saturates where its seconds reach the sampling's. The largest
number is measured once more with minibatches that do not grow with the batch.
"""

import argparse
import functools
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from cluster.machines.private_ray import private_ray
from cluster.study.study import Study, load_study
from cluster.tracking.tracker import Tracker
from cluster.training import agent_trainer as ppo
from cluster.training import rllib_settings
from rl_envs.config import environment_config
from rl_envs.observation import observation_space
from rl_envs.spaces import action_space
from tests.benchmarks import machine

FITTED, CHECKED = (1, 2, 4, 8), (16,)
EXTRAPOLATED = (10, 100, 1000)
ROUNDS, WARM_UP = 5, 2


class SleepingEnv(VectorEnv[np.ndarray, dict[str, np.ndarray], np.ndarray]):
    """A population's spaces and rhythm without its work."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, num_envs: int, config: Any, seconds: float) -> None:
        made = environment_config(config)
        self.num_envs, self._seconds, self._length = num_envs, seconds, made.episode.n_decisions
        metrics = [name for name, weight in made.trial.score.weights.items() if weight]
        self.single_observation_space = observation_space(made.trial.search_space, metrics)
        self.single_action_space = action_space(made.trial.search_space)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._random, self._step = np.random.default_rng(0), 0

    def reset(self, **_: Any) -> tuple[np.ndarray, dict[str, Any]]:
        self._step = 0
        return self._observation(), self._info("")

    def step(self, actions: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        nothing = np.zeros(self.num_envs, dtype=bool)
        if self._step == self._length:
            observation, info = self.reset()
            return observation, np.zeros(self.num_envs), nothing, nothing.copy(), info
        time.sleep(self._seconds)
        self._step += 1
        over = np.full(self.num_envs, self._step == self._length)
        reason = "budget" if over[0] else ""
        return self._observation(), self._random.random(self.num_envs), nothing, over, self._info(reason)

    def _observation(self) -> np.ndarray:
        shape = self.observation_space.shape
        assert shape is not None
        return self._random.uniform(-1, 1, shape).astype(np.float32)

    def _info(self, reason: str) -> dict[str, Any]:
        return {"score": np.zeros(self.num_envs), "reason": np.array([reason] * self.num_envs, dtype=object)}


def sleeping_env(context: Any, seconds: float) -> SleepingEnv:
    """Called by RLlib in each worker."""
    return SleepingEnv(context["num_envs"], context["environment"], seconds)


def measure(study: Study, n_runners: int, seconds: float, tracker: Tracker) -> dict[str, float]:
    """Seconds of an iteration with so many workers: by the clock, and of the driver's CPU."""
    trainer = ppo.AgentTrainer(
        study.agent,
        study.environment(False),
        {study.placements()[0]: n_runners},
        seconds,
        study.seed,
        "saturation",
    )
    wall, driver, steps = [], [], 0
    try:
        for number in range(WARM_UP + ROUNDS):
            began, began_cpu, before = time.perf_counter(), time.process_time(), trainer.sampled_steps
            progress = trainer.train()
            tracker.log(progress.metrics(), step=progress.sampled_steps)
            if number >= WARM_UP:
                wall.append(time.perf_counter() - began)
                driver.append(time.process_time() - began_cpu)
                steps = trainer.sampled_steps - before
    finally:
        trainer.stop()
    return {
        "n_runners": n_runners,
        "steps": steps,
        "seconds": statistics.median(wall),
        "driver_cpu_seconds": statistics.median(driver),
    }


def model(rows: list[dict[str, float]], sleeping: float) -> dict[str, Any]:
    """The line through the driver's seconds, what it predicts, and where the driver is as slow as the sampling."""
    few = [row for row in rows if row["n_runners"] in FITTED]
    slope, base = np.polyfit([row["n_runners"] for row in few], [row["driver_cpu_seconds"] for row in few], 1)
    own = max(0.0, rows[0]["seconds"] - sleeping - rows[0]["driver_cpu_seconds"])

    def predicted(n: float) -> float:
        return float(base + slope * n)

    return {
        "driver_seconds_per_iteration": float(base),
        "driver_seconds_per_worker": float(slope),
        "worker_seconds_in_rllib": own,
        "checks": {
            str(int(row["n_runners"])): {
                "measured": row["driver_cpu_seconds"],
                "predicted": predicted(row["n_runners"]),
            }
            for row in rows
            if row["n_runners"] in CHECKED
        },
        "extrapolated": {
            str(n): {
                "driver_seconds": predicted(n),
                "seconds": sleeping + own + predicted(n),
                "efficiency": sleeping / (sleeping + own + predicted(n)),
            }
            for n in EXTRAPOLATED
        },
        "saturated_from_workers": float((sleeping - base) / slope),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--study", default="breast_cancer", help="a preset or a study file")
    parser.add_argument("--seconds", type=float, default=0.3, help="of a decision of all lanes of a population")
    asked = parser.parse_args()
    study = load_study(asked.study)
    sleeping = asked.seconds * study.episode.n_decisions
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        tracker = Tracker(Path(folder) / "run", f"sqlite:///{folder}/mlflow.db", "benchmark", study.name)
        tracker.start_study({}, {})
        ppo._make_vector_env = functools.partial(sleeping_env, seconds=asked.seconds)
        with private_ray(num_cpus=max(CHECKED)):
            for n_runners in (*FITTED, *CHECKED):
                rows.append(measure(study, n_runners, asked.seconds, tracker))
                print(rows[-1], flush=True)
            rllib_settings.MAX_MINIBATCHES = 10**9
            undivided = measure(study, max(CHECKED), asked.seconds, tracker)
            print("minibatches of one size:", undivided, flush=True)
            tracker.close("FINISHED")
    found = {"sleeping": sleeping, "rows": rows, "minibatches_of_one_size": undivided, "model": model(rows, sleeping)}
    print(json.dumps(found["model"], indent=1))
    machine.write(asked.out, {"benchmark": "saturation", "study": study.name, **found})


if __name__ == "__main__":
    main()
