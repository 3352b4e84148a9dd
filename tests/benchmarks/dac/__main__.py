"""Does the agent's learning machinery learn? Its module and PPO on benchmarks with known optima.

    python -m tests.benchmarks.dac --out tests/benchmarks/results/dac.json

The settings are the project's defaults but for those in ``CONFIG``, which were chosen on seeds 100 and up; the results
are of seeds 0 and up. Returns are on test instances, 300 that training never sees (Luby has no instances): of chance,
of the constant settings that are best on the training instances, of the optimum, and of the trained agent's likeliest
actions after its last update. Intervals, 95 %, are bootstrapped over training runs.
"""

import argparse
import statistics
from typing import Any

import numpy as np

from cluster.machines.private_ray import private_ray
from cluster.study.ppo_config import PPOConfig
from rl_envs.policy import PolicyConfig
from tests.benchmarks import machine
from tests.benchmarks.dac.benchmarks import BENCHMARKS, N_INSTANCES, TEST, TRAINING
from tests.benchmarks.dac.policies import best_constant, chance, constant, greedy, oracle, returns
from tests.benchmarks.dac.training import train
from tests.benchmarks.report import table

# No action changes a later reward, hence the gamma; an action names a setting here, and none of them means "stay".
CONFIG = PPOConfig(lr=2e-3, gamma=0.1, policy=PolicyConfig(hidden=(128, 128), stay_logit=0))
N_LANES = 64
MAX_STEPS = 30_000
CHANCE_ROUNDS = 10
RESAMPLES = 10_000
GOALS = {"function_approximation": 9.5, "luby_8": -0.5}


def interval(values: list[float]) -> tuple[float, float]:
    """95 % of the means of resampled values."""
    drawn = np.random.default_rng(0).choice(values, (RESAMPLES, len(values)))
    low, high = np.quantile(drawn.mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def references(name: str) -> dict[str, Any]:
    """Mean test returns that need no training."""
    settings = best_constant(BENCHMARKS[name](N_INSTANCES, TRAINING))
    env = BENCHMARKS[name](N_INSTANCES, TEST)
    return {
        "random": float(np.mean([returns(env, chance(seed)) for seed in range(CHANCE_ROUNDS)])),
        "best_static": float(returns(env, constant(settings)).mean()),
        "best_static_settings": [float(value) for value in settings],
        "oracle": float(returns(env, oracle).mean()),
    }


def agent(name: str, n_seeds: int) -> dict[str, Any]:
    """The same of trained agents, one a seed."""
    env = BENCHMARKS[name](N_INSTANCES, TEST)
    runs = []
    for seed in range(n_seeds):
        trained = train(name, CONFIG, N_LANES, MAX_STEPS, seed)
        reached = float(returns(env, greedy(trained.network)).mean())
        runs.append({"seed": seed, "return": reached, **trained._asdict()})
        del runs[-1]["network"]
        print(name, runs[-1], flush=True)
    reached = [run["return"] for run in runs]
    low, high = interval(reached)
    return {"agent": statistics.fmean(reached), "agent_low": low, "agent_high": high, "runs": runs}


def line(name: str, row: dict[str, Any]) -> list[str]:
    """Of the printed table."""
    returned = [f"{row[key]:.2f}" for key in ("random", "best_static", "oracle")]
    seconds = [run["cpu_seconds"] + run["ray_cpu_seconds"] for run in row["runs"]]
    reached = f"{row['agent']:.2f} ({row['agent_low']:.2f} to {row['agent_high']:.2f})"
    goal = str(GOALS.get(name, ""))
    return [name, *returned, reached, goal, f"{max(run['steps'] for run in row['runs']):,}", f"{max(seconds):.0f}"]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    with private_ray(num_cpus=1):
        rows = {name: references(name) | agent(name, asked.seeds) for name in asked.only}
    header = ["benchmark", "random", "best static", "oracle", "agent (95 %)", "goal", "steps", "CPU s at most"]
    text = table(header, [line(name, row) for name, row in rows.items()])
    print(text)
    settings = {"config": CONFIG.model_dump(mode="json"), "n_lanes": N_LANES, "max_steps": MAX_STEPS}
    machine.write(asked.out, {"benchmark": "dac", "settings": settings, "goals": GOALS, "rows": rows})
    asked.out.with_suffix(".md").write_text(text + "\n")


if __name__ == "__main__":
    main()
