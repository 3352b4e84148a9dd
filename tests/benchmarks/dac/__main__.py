"""Does the agent's learning machinery learn? Its module and PPO on benchmarks with known optima.

    python -m tests.benchmarks.dac --out tests/benchmarks/results/dac.json

The settings are the project's defaults but for those in ``CONFIG``, which were chosen on seeds 100 and up, and in
``SETUPS``, which have seen seeds 0 and 1 too; the results are of seeds 0 and up. Returns are on test instances, 300
that training never sees (Luby has no instances): of chance, of the constant settings that are best on the training
instances, of the optimum, and of the trained agent's likeliest actions after its last update. OneMax has exact
expected evaluations in their place.
Intervals, 95 %, are bootstrapped over training runs.
"""

import argparse
import statistics
from typing import Any, NamedTuple

import numpy as np

from cluster.machines.private_ray import private_ray
from cluster.study.ppo_config import PPOConfig
from rl_envs.policy import PolicyConfig, PolicyNetwork
from tests.benchmarks import machine
from tests.benchmarks.dac.benchmarks import BENCHMARKS, N_INSTANCES, ONE_MAX, TEST, TRAINING
from tests.benchmarks.dac.one_max import n_exponents, theory
from tests.benchmarks.dac.one_max_runtime import always, learned, optimum, runtime
from tests.benchmarks.dac.policies import best_constant, chance, constant, greedy, oracle, returns
from tests.benchmarks.dac.training import train
from tests.benchmarks.report import table

# No action changes a later reward, hence the gamma; an action names a setting here, and none of them means "stay".
CONFIG = PPOConfig(lr=2e-3, gamma=0.1, policy=PolicyConfig(hidden=(128, 128), stay_logit=0))
BUMPS = CONFIG.policy.replaced(bins=32)


class Setup(NamedTuple):
    """How a benchmark is learned."""

    config: PPOConfig = CONFIG
    n_lanes: int = 64
    max_steps: int = 30_000


# On the longer sequences a step must be told from the next one. On OneMax all evaluations to come count, and most of
# the noise of an advantage is that of generations long after it.
SEQUENCE = Setup(CONFIG.replaced(entropy=0.005, policy=BUMPS), n_lanes=16, max_steps=60_000)
ONE_MAX_SETUP = Setup(CONFIG.replaced(gamma=1, gae_lambda=0.8, entropy=0.01, policy=BUMPS), max_steps=120_000)
SETUPS = {"luby_16": SEQUENCE, "luby_32": SEQUENCE} | dict.fromkeys(ONE_MAX, ONE_MAX_SETUP)
CHANCE_ROUNDS = 10
RESAMPLES = 10_000
GOALS = {"function_approximation": 9.5, "luby_8": -0.5, "luby_32": 0.0}
TOLERANCE = 1.05  # of the evaluations that theory's policy needs


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


def one_max_references(name: str) -> dict[str, Any]:
    """Expected evaluations of what needs no training."""
    n = ONE_MAX[name]
    exponents = range(n_exponents(n))
    constants = [runtime(n, always(n, np.array(exponent))) for exponent in exponents]
    return {
        "random": runtime(n, np.full((n // 2 + 1, len(exponents)), 1 / len(exponents))),
        "best_static": min(constants),
        "best_static_settings": [float(np.argmin(constants))],
        "theory": runtime(n, always(n, theory(n, np.arange(n // 2 + 1)))),
        "oracle": runtime(n, optimum(n)),
    }


def reached(name: str, network: PolicyNetwork) -> float:
    """Mean test return, or expected evaluations."""
    if name in ONE_MAX:
        return runtime(ONE_MAX[name], learned(ONE_MAX[name], network))
    return float(returns(BENCHMARKS[name](N_INSTANCES, TEST), greedy(network)).mean())


def agent(name: str, n_seeds: int) -> dict[str, Any]:
    """The same of trained agents, one a seed."""
    setup, runs = SETUPS.get(name, Setup()), []
    for seed in range(n_seeds):
        trained = train(name, *setup, seed)
        runs.append({"seed": seed, "return": reached(name, trained.network), **trained._asdict()})
        del runs[-1]["network"]
        print(name, runs[-1], flush=True)
    values = [run["return"] for run in runs]
    low, high = interval(values)
    return {"agent": statistics.fmean(values), "agent_low": low, "agent_high": high, "runs": runs}


def line(name: str, row: dict[str, Any]) -> list[str]:
    """Of the printed tables."""
    known = ["random", "best_static", *(["theory"] if name in ONE_MAX else []), "oracle"]
    digits = 0 if name in ONE_MAX else 2
    seconds = [run["cpu_seconds"] + run["ray_cpu_seconds"] for run in row["runs"]]
    found = f"{row['agent']:.{digits}f} ({row['agent_low']:.{digits}f} to {row['agent_high']:.{digits}f})"
    goal = f"{TOLERANCE * row['theory']:.0f}" if name in ONE_MAX else str(GOALS.get(name, ""))
    steps = f"{max(run['steps'] for run in row['runs']):,}"
    return [name, *(f"{row[key]:.{digits}f}" for key in known), found, goal, steps, f"{max(seconds):.0f}"]


def tables(rows: dict[str, Any]) -> str:
    """As printed: returns, the more the better, and OneMax's evaluations, the fewer the better."""
    rest = ["oracle", "agent (95 %)", "goal", "steps", "CPU s at most"]
    headers = [["benchmark", "random", "best static", *rest], ["evaluations", "random", "best static", "theory", *rest]]
    parts = [[line(name, row) for name, row in rows.items() if (name in ONE_MAX) == is_one] for is_one in (False, True)]
    return "\n\n".join(table(header, lines) for header, lines in zip(headers, parts, strict=True) if lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    names = [*BENCHMARKS, *ONE_MAX]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    with private_ray(num_cpus=1):
        rows = {
            name: (one_max_references if name in ONE_MAX else references)(name) | agent(name, asked.seeds)
            for name in asked.only
        }
    print(tables(rows))
    settings = {
        name: SETUPS.get(name, Setup())._asdict() | {"config": SETUPS.get(name, Setup()).config.model_dump(mode="json")}
        for name in asked.only
    }
    machine.write(asked.out, {"benchmark": "dac", "settings": settings, "goals": GOALS, "rows": rows})
    asked.out.with_suffix(".md").write_text(tables(rows) + "\n")


if __name__ == "__main__":
    main()
