"""What differences the score can tell: its spread for one generator and between equal ones, present and former score.

    python -m tests.benchmarks.resolution --out tests/benchmarks/results/resolution.json

For every preset, on held-out instances: standard deviation on one instance of the score of a kernel density over fresh
noise, and of kernel densities of equal worth, fitted to other draws with replacement from the training rows; and
the standard error of the difference of two equal generators over so many instances.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch

from qsynth.data.dataset import Instance, Split
from qsynth.data.source import DataSource
from qsynth.execution.compilation import eager
from qsynth.population.measures import Measures
from qsynth.population.trial import TrialConfig
from tests.benchmarks import machine
from tests.benchmarks.distortions import PRESETS, Floats, measured, sources, yardstick
from tests.benchmarks.report import table

N_DRAWS = 4


def resolution(source: DataSource, trial: TrialConfig, n: int) -> dict[str, dict[str, float]]:
    """Score -> standard deviations on one instance: over fresh noise, and between equal generators; and the mean."""
    instances = [source.instance(seed, held_out=True) for seed in range(n)]
    found = {}
    for kind in ("real_rows", "untrained"):
        setting = trial.replaced(score=trial.score.replaced(kind=kind))
        measures = Measures(setting, setting.circuit(), instances[0].n_features, instances[0].n_classes, n, eager)
        drawn: dict[str, list[Floats]] = {"noise": [], "equal": []}
        for draw in range(N_DRAWS):
            others = [resampled(each, np.random.default_rng([index, draw])) for index, each in enumerate(instances)]
            for what, fitted in (("noise", instances), ("equal", others)):
                rows = [yardstick("kernel density")(each, np.random.default_rng([draw, 7])) for each in fitted]
                drawn[what].append(measured(measures, instances, "test", rows).score.numpy())
        found[kind] = {what: float(np.sqrt(np.var(each, axis=0, ddof=1).mean())) for what, each in drawn.items()}
        found[kind]["mean"] = float(np.mean(drawn["noise"]))
    return found


def resampled(instance: Instance, random: np.random.Generator) -> Instance:
    """The same with training rows drawn with replacement within their classes."""
    train = instance.train
    places = [np.flatnonzero(train.y == label) for label in np.unique(train.y)]
    drawn = np.concatenate([random.choice(place, len(place)) for place in places])
    return replace(instance, train=Split(train.x[drawn], train.y[drawn]))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--instances", type=int, default=24)
    parser.add_argument("--only", nargs="*", help="names of presets", default=PRESETS)
    parser.add_argument("--no-qnn", action="store_true", help="leave out utility, which costs nearly all of the time")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    results, lines = {}, []
    for name in asked.only:
        source, full = sources()[name]
        trial = full.replaced(score=full.score.replaced(utility=0.0)) if asked.no_qnn else full
        results[name] = resolution(source, trial, asked.instances)
        for kind, found in results[name].items():
            error = found["equal"] * np.sqrt(2 / asked.instances)
            lines.append([name, kind, *(f"{found[key]:.3f}" for key in ("mean", "noise", "equal")), f"{error:.4f}"])
        machine.write(asked.out, {"benchmark": "resolution", "instances": asked.instances, "presets": results})
    columns = ["preset", "score", "mean", "sd over noise", "sd between equals", "SE of a difference"]
    text = table(columns, lines)
    print(text)
    asked.out.with_suffix(".md").write_text(text + "\n")


if __name__ == "__main__":
    main()
