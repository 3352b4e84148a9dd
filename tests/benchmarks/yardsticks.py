"""What rows are worth that no GAN made, on qsynth's own score, beside one run of the shipped agent.

    python -m tests.benchmarks.yardsticks --out tests/benchmarks/results/yardsticks.json

For each class of a held-out instance's training rows: a Gaussian mixture with as many components (1 to 4, full
covariances) as the Bayesian information criterion says, and a kernel density with Scott's bandwidth. They and the
generator of one run of the agent (its best decision on validation) make as many rows with the same labels, which are
scored against the same test rows, three times, with fresh noise.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import gaussian_kde
from sklearn.mixture import GaussianMixture

from cluster.comparison.job import held_out_problem
from cluster.comparison.statistics import interquartile_mean
from cluster.study.study import load_study
from qsynth.data.dataset import Instance
from qsynth.population.population import Population
from rl_envs.agents import TrainedAgent
from rl_envs.config import make_tuner
from rl_envs.exam import fresh_seeds
from rl_envs.pretrained import agent_file
from rl_envs.rollout import Assignment, play
from tests.benchmarks import machine
from tests.benchmarks.report import table

STUDIES = ("wine", "qubit_calibrations", "iris")
MOST_COMPONENTS = 4
AGENT = "one run of the shipped agent"

Rows = NDArray[np.floating]
# Rows of one class (rows x features), how many to make, a seed -> as many rows.
Maker = Callable[[Rows, int, int], Rows]


def mixture(real: Rows, n: int, seed: int) -> Rows:
    """Rows of a Gaussian mixture."""
    most = min(MOST_COMPONENTS, len(real) // 2)
    fitted = [GaussianMixture(k, reg_covar=1e-4, random_state=0).fit(real) for k in range(1, most + 1)]
    best = min(fitted, key=lambda each: each.bic(real))
    best.random_state = seed % 2**32
    return np.random.default_rng(seed).permutation(best.sample(n)[0])


def density(real: Rows, n: int, seed: int) -> Rows:
    """Rows of a kernel density."""
    return gaussian_kde(real.T).resample(n, seed=np.random.default_rng(seed)).T


MAKERS: dict[str, Maker] = {"Gaussian mixture, one a class": mixture, "kernel density, one a class": density}


def made(maker: Maker, instance: Instance, labels: Rows, seed: int) -> Rows:
    """Rows for labels, of shape rows x features."""
    rows = np.zeros((len(labels), instance.n_features), dtype=np.float32)
    for label in np.unique(labels):
        mine = labels == label
        real = instance.train.x[instance.train.y == label].astype(float)
        rows[mine] = maker(real, int(mine.sum()), seed + int(label))
    return rows


def scores(population: Population, rows: Rows) -> Rows:
    """Test scores of rows (lanes x rows x features), as the population scores its generators'."""
    card = population.measure(torch.as_tensor(rows))
    return np.asarray(torch.nan_to_num(card.score).numpy(), dtype=float)


def measured(name: str, n_problems: int) -> dict[str, dict[str, object]]:
    """Way to make rows -> scores, one a problem, and the CPU seconds that they all took."""
    study = load_study(name)
    tuner = make_tuner(study.environment(compiled=False), n_problems)
    problems = [held_out_problem(name, number, {}) for number in range(n_problems)]
    instances = [study.data.instance(each.number, held_out=True) for each in problems]
    assignments = [
        Assignment(instance, each.seed, each.number) for instance, each in zip(instances, problems, strict=True)
    ]
    agent = TrainedAgent.load(agent_file("default"), tuner.features, tuner.actions)
    began = time.process_time()
    episodes = play(tuner, lambda _: agent, assignments, test=True, keep="best")
    found: dict[str, dict[str, object]] = {}
    found[AGENT] = {"scores": [each.test_score for each in episodes], "cpu_seconds": time.process_time() - began}
    labels = tuner.population.labels.argmax(dim=-1).numpy()
    for way, maker in MAKERS.items():
        began, drawn = time.process_time(), []
        for fresh in range(len(fresh_seeds(0))):
            rows = [
                made(maker, instance, labels[place], fresh_seeds(problems[place].number)[fresh])
                for place, instance in enumerate(instances)
            ]
            drawn.append(np.stack(rows))
        seconds = time.process_time() - began
        per_draw = [scores(tuner.population, rows) for rows in drawn]
        found[way] = {"scores": np.mean(per_draw, axis=0).tolist(), "cpu_seconds": seconds}
    return found


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--problems", type=int, default=48)
    asked = parser.parse_args()
    results = {name: measured(name, asked.problems) for name in STUDIES}
    rows = []
    for way in (AGENT, *MAKERS):
        cells = [interquartile_mean([np.array(results[name][way]["scores"])]).describe() for name in STUDIES]
        means = [f"{np.mean(results[name][way]['scores']):.3f}" for name in STUDIES]  # type: ignore[arg-type]
        rows.append([way, *(f"{cell}; mean {mean}" for cell, mean in zip(cells, means, strict=True))])
    print(table(["rows of", *STUDIES], rows))
    machine.write(asked.out, {"benchmark": "yardsticks", "problems": asked.problems, "studies": results})


if __name__ == "__main__":
    main()
