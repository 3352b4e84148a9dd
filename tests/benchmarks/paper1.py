"""Gunduz 2025, Figure 2: does the hybrid QGAN learn N(0, 0.2)?

    python -m tests.benchmarks.paper1 --out tests/benchmarks/results/paper1.json

Trains ten seeds of each set-up as lanes of one population and compares 10,000 synthetic rows of each with the law
(which is conditioned on [-1, 1], as the data are): Kolmogorov-Smirnov statistic, Wasserstein-1 distance, mean and
standard deviation. Writes the JSON file, a Markdown table and histograms beside it (``paper1.md``, ``paper1.png``).

- ``literal``: preset ``gunduz2025``, 8,000 steps; two-sided penalty, lambda 10.
- ``one-sided``: the same with the one-sided penalty, lambda 1.
- ``gaussian``: the trial of preset ``gaussian``, 1,500 steps, both learning rates down to a tenth as an exponential.

Every set-up is measured twice: as it is at the end, and as it was when the Wasserstein distance to the validation rows
was least ("kept"). Validation rows select; the law reports. The constants of the last set-up were chosen on other
targets and other seeds than those reported here.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from cluster.study.study import load_study
from qsynth.data.gaussian import GaussianFamily, NormalTarget
from qsynth.population.population import Population
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from tests.benchmarks import machine
from tests.benchmarks.report import table
from tests.benchmarks.training import closest, preferred

MEAN, SD = 0.0, 0.2
LAW = stats.truncnorm((-1 - MEAN) / SD, (1 - MEAN) / SD, MEAN, SD)
SEEDS = tuple(range(10))
N_ROWS, SAMPLE_SEED = 10_000, 2025
GOAL = "|mean| <= 0.02, sd 0.185 to 0.215, KS <= 0.03"
DATA = GaussianFamily(target=NormalTarget(mean=MEAN, sd=SD), n_train=20_000, n_validation=20_000)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Setup:
    """How one line of the table is trained.

    Attributes:
        every: steps between evaluations.
        decay: what the learning rates are multiplied by over the run.
    """

    name: str
    trial: TrialConfig
    n_steps: int
    every: int
    decay: float = 1.0


def setups() -> list[Setup]:
    """The three lines of the table."""
    literal, gaussian = load_study("gunduz2025").trial, load_study("gaussian").trial
    wasserstein = literal.score.replaced(kind="untrained").model_dump()  # the former score's fidelity
    literal, gaussian = (each.replaced(score=wasserstein) for each in (literal, gaussian))
    softer = literal.defaults.replaced(gp_weight=1.0)
    return [
        Setup("literal: two-sided, lambda 10", literal, 8000, 100),
        Setup("one-sided, lambda 1", literal.replaced(penalty="one_sided", defaults=softer.model_dump()), 8000, 100),
        Setup("gaussian", gaussian, 1500, 25, decay=0.1),
    ]


class Trained:
    """The generators of one set-up, all seeds together."""

    def __init__(self, setup: Setup, seeds: Sequence[int], compiled: bool) -> None:
        self.setup, self.seeds = setup, seeds
        self.instances = [DATA.instance(seed, held_out=True) for seed in seeds]
        self.population = Population(setup.trial, 1, 1, len(seeds), compiled)
        self.kept: list[Snapshot] = []

    def run(self) -> None:
        """Train, and keep the generators that the validation rows prefer."""
        setup = self.setup
        self.kept = preferred(
            self.population, self.instances, self.seeds, setup.n_steps, setup.every, closest, setup.decay
        )

    def at_the_end(self) -> Floats:
        """Synthetic rows (lanes x rows) of the last generators."""
        onehot, lanes = torch.ones(N_ROWS, 1), range(self.population.n_lanes)
        rows = [self.population.sample(lane, onehot, SAMPLE_SEED + lane)[:, 0] for lane in lanes]
        return torch.stack(rows).double().numpy()

    def as_kept(self) -> Floats:
        """Synthetic rows (lanes x rows) of the generators that were kept, which are those of the lanes from now on."""
        for lane, (snapshot, instance) in enumerate(zip(self.kept, self.instances, strict=True)):
            self.population.restore(lane, snapshot, instance)
        return self.at_the_end()


def compared(rows: Floats) -> dict[str, float]:
    """Synthetic rows (n) with the law; and whether they reach the goal."""
    quantiles = LAW.ppf((np.arange(len(rows)) + 0.5) / len(rows))
    found = {
        "ks": float(stats.kstest(rows, LAW.cdf).statistic),
        "wasserstein": float(np.abs(np.sort(rows) - quantiles).mean()),
        "mean": float(rows.mean()),
        "sd": float(rows.std()),
        "saturated": float((np.abs(rows) > 0.98).mean()),
    }
    reached = abs(found["mean"]) <= 0.02 and 0.185 <= found["sd"] <= 0.215 and found["ks"] <= 0.03
    return found | {"reached": float(reached)}


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table: median, least and greatest value over seeds."""
    lines = []
    for name, when in dict.fromkeys((row["setup"], row["when"]) for row in rows):
        found = [row for row in rows if (row["setup"], row["when"]) == (name, when)]
        cells = [name, when]
        for what in ("ks", "wasserstein", "mean", "sd", "saturated"):
            values = [row[what] for row in found]
            low, middle, high = min(values), float(np.median(values)), max(values)
            cells.append(f"{middle:.3f} ({low:.3f} to {high:.3f})")
        lines.append([*cells, f"{sum(row['reached'] for row in found):.0f} of {len(found)}"])
    header = ["set-up", "generator", "KS", "Wasserstein-1", "mean", "sd", "share beyond +-0.98", "reach the goal"]
    return f"{table(header, lines)}\n\nMedian (least to greatest) over seeds. Goal: {GOAL}.\n"


def plot(shown: dict[str, Floats], path: Path) -> None:
    """Histograms of all seeds over the law: a panel for each set-up, ``lanes x rows``."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(shown), 3.2), layout="constrained")
    edges = np.linspace(-1, 1, 81)
    middles = (edges[1:] + edges[:-1]) / 2
    for axes, (title, lanes) in zip(figure.subplots(1, len(shown)), shown.items(), strict=True):
        axes.fill_between(middles, LAW.pdf(middles), color="C0", alpha=0.35, linewidth=0, label="N(0, 0.2)")
        for lane, rows in enumerate(lanes):
            density, _ = np.histogram(rows, edges, density=True)
            axes.stairs(density, edges, color="C1", alpha=0.6, label=None if lane else "synthetic, a line a seed")
        axes.set_ylim(0, 3.2)
        axes.set_yticks([])
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    figure.savefig(path, dpi=130)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--eager", action="store_true", help="don't compile")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    shown: dict[str, Floats] = {}
    for setup in setups():
        trained = Trained(setup, SEEDS, not asked.eager)
        trained.run()
        samples = {"end": trained.at_the_end(), "kept": trained.as_kept()}
        for when, lanes in samples.items():
            found = [compared(lane) for lane in lanes]
            steps = [kept.iteration if when == "kept" else setup.n_steps for kept in trained.kept]
            rows += [
                {"setup": setup.name, "when": when, "seed": seed, "step": step} | each
                for seed, step, each in zip(SEEDS, steps, found, strict=True)
            ]
        print(markdown(rows), flush=True)
        if setup.trial.penalty == "two_sided":
            shown[f"{setup.name}, after {setup.n_steps:,} steps"] = samples["end"]
        else:
            shown[f"{setup.name}, kept of {setup.n_steps:,} steps"] = samples["kept"]
    machine.write(asked.out, {"benchmark": "paper1", "goal": GOAL, "rows": rows})
    asked.out.with_suffix(".md").write_text(markdown(rows))
    plot(shown, asked.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
