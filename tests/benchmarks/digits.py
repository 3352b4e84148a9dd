"""Images of digits, 8 x 8 pixels: patches of circuits against their classical twin and Gaussian mixtures.

    python -m tests.benchmarks.digits --out tests/benchmarks/results/digits.json

Digits 0 and 1, then all ten, conditional on the digit. The patch generator is 16 circuits of four qubits, a pixel each;
the classical generator has as many parameters and the same loss (energy distance within classes, no critic), rates and
steps; the Gaussian mixtures are one for each digit, fitted to the same training rows. Three held-out splits with a
start of their own; validation rows choose each generator's moment. Every maker makes 2,000 images, cut to the range of
pixels, of which are reported:

- ``tstr``: accuracy on real test rows of a logistic regression fitted to the synthetic ones; of real training rows it
  is what there is to be reached (train on synthetic, test on real).
- ``frechet``: Frechet distance to the test rows in the hidden layer of a classifier fitted to real training and reserve
  rows; the reserve rows' own distance is the floor.
- ``nearest``: median distance to the nearest training image, in units of that of the reserve rows: far below 1 are
  copies.

Rates, steps and the mixtures' sizes were chosen on training splits 100 to 102; reported are held-out splits 0 to 2. All
splits have the same test rows. Writes the JSON file, a Markdown table and the images beside it.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neural_network import MLPClassifier

from qsynth.data.dataset import Instance
from qsynth.data.images import DigitImages
from qsynth.data.labels import stratified
from qsynth.data.scaling import TRAINING_RANGE
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from tests.benchmarks import machine
from tests.benchmarks.report import table
from tests.benchmarks.training import classical_twin, closest, n_parameters, sampled, train

TASKS = {"0 and 1": DigitImages(classes=(0, 1)), "ten digits": DigitImages(n_train=500)}
SPLITS = tuple(range(3))
FIRST_START = 500
N_ROWS, N_UNITS = 2000, 32
N_STEPS, EVERY, DECAY = 2000, 200, 0.1
N_COMPONENTS, REGULARISATION = 5, 0.003
MEASURES = {"tstr": 1, "frechet": -1}  # name -> +1 where more is better, -1 where less is
PATCHES, TWIN, MIXTURES, REAL, RESERVE = "patches", "classical twin", "Gaussian mixtures", "real rows", "reserve rows"
PER_LINE, LINES = 8, 10

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Sampler = Callable[[Labels], Floats]


def patches() -> TrialConfig:
    """The patch generator, and how both generators are trained."""
    capacity = {"latent_dim": 16, "n_layers": 3, "batch_size": 128}
    rates = {"lr_generator": 0.03, "beta1": 0.5, "weight_average": 0.98}
    return TrialConfig.model_validate(
        {
            "n_qubits": 4,
            "ansatz": "strongly_entangling",
            "generator": {"kind": "quantum", "patches": 16, "inputs": "affine"},
            "loss": "energy",
            "capacity": capacity,
            "defaults": capacity | rates,
            "score": {"diversity": 0.0, "balance": 0.0, "utility": 0.0, "novelty": 0.0},
        }
    )


def gans(trial: TrialConfig, instances: list[Instance], compiled: bool) -> list[Sampler]:
    """A trained generator for each instance."""
    first, lanes = instances[0], range(len(instances))
    population = Population(trial, first.n_features, first.n_classes, len(instances), compiled)
    population.warm_up(first)
    train(population, instances, [FIRST_START + lane for lane in lanes], N_STEPS, EVERY, closest, DECAY)
    return [lambda y, lane=lane: sampled(population, lane, y, seed=lane) for lane in lanes]  # type: ignore[misc]


def mixtures(instance: Instance) -> Sampler:
    """A Gaussian mixture for each class."""
    of_classes = [
        GaussianMixture(N_COMPONENTS, reg_covar=REGULARISATION, random_state=0).fit(instance.train.x[rows])
        for rows in (instance.train.y == label for label in range(instance.n_classes))
    ]

    def sample(y: Labels) -> Floats:
        made = np.empty((len(y), instance.n_features))
        for label, mixture in enumerate(of_classes):
            rows = y == label
            made[rows] = np.random.default_rng(label).permutation(mixture.sample(int(rows.sum()))[0])
        return made

    return sample


class Judge:
    """What is measured of images that imitate one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        x = np.concatenate([instance.train.x, instance.reserve.x])
        y = np.concatenate([instance.train.y, instance.reserve.y])
        self._classifier = MLPClassifier((N_UNITS,), max_iter=2000, random_state=0).fit(x, y)
        self._nearest = self._to_training(instance.reserve.x)

    def measure(self, x: Floats, y: Labels) -> dict[str, float]:
        """Of images (n x pixels) with labels (n)."""
        test = self._instance.test
        regression = LogisticRegression(max_iter=2000).fit(x, y)
        return {
            "tstr": float(regression.score(test.x, test.y)),
            "frechet": frechet(self._features(x), self._features(test.x)),
            "nearest": self._to_training(x) / self._nearest,
        }

    def _features(self, x: NDArray[Any]) -> Floats:
        """The hidden layer, n x units."""
        return np.maximum(x @ self._classifier.coefs_[0] + self._classifier.intercepts_[0], 0.0)

    def _to_training(self, x: NDArray[Any]) -> float:
        return float(np.median(cdist(x, self._instance.train.x).min(axis=1)))


def frechet(a: Floats, b: Floats) -> float:
    """Squared Frechet distance of normal distributions fitted to rows (n x d, m x d) [Heusel et al. 2017, Eq. 6]."""
    roots, covariances = [], [np.cov(rows.T) for rows in (a, b)]
    for covariance in covariances:
        values, vectors = linalg.eigh(covariance)
        roots.append((vectors * np.sqrt(values.clip(0))) @ vectors.T)
    common = linalg.svdvals(roots[0] @ roots[1]).sum()
    shift = np.square(a.mean(axis=0) - b.mean(axis=0)).sum()
    return float(shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * common)


def compared(task: str, compiled: bool) -> tuple[list[dict[str, Any]], dict[str, tuple[Floats, Labels]]]:
    """A row for each maker and split, and some images of the first split."""
    instances = [TASKS[task].instance(split, held_out=True) for split in SPLITS]
    n_features, n_classes = instances[0].n_features, instances[0].n_classes
    quantum = patches()
    classical = classical_twin(quantum, n_features, n_classes)
    sizes = {name: n_parameters(each, n_features, n_classes) for name, each in ((PATCHES, quantum), (TWIN, classical))}
    sizes[MIXTURES] = n_classes * N_COMPONENTS * (1 + n_features + n_features * (n_features + 1) // 2)
    makers = {
        PATCHES: gans(quantum, instances, compiled),
        TWIN: gans(classical, instances, compiled),
        MIXTURES: [mixtures(instance) for instance in instances],
    }
    rows, shown = [], {}
    for split, instance in zip(SPLITS, instances, strict=True):
        judge, y = Judge(instance), stratified(np.full(n_classes, 1 / n_classes), N_ROWS)
        made = {
            name: (samplers[split](y).clip(-TRAINING_RANGE, TRAINING_RANGE), y) for name, samplers in makers.items()
        }
        made |= {REAL: (instance.train.x, instance.train.y), RESERVE: (instance.reserve.x, instance.reserve.y)}
        for name, (x, labels) in made.items():
            about = {"task": task, "maker": name, "parameters": sizes.get(name, 0), "split": split}
            rows.append(about | judge.measure(x, labels))
        shown = shown or {name: each for name, each in made.items() if name != RESERVE}
    return rows, shown


def not_beaten(rows: list[dict[str, Any]]) -> list[str]:
    """Where another maker's mean is at least as good as the patch generator's."""
    found = []
    for what, sign in MEASURES.items():
        own = np.mean([row[what] for row in rows if row["maker"] == PATCHES])
        for name in (TWIN, MIXTURES):
            other = np.mean([row[what] for row in rows if row["maker"] == name])
            if sign * (other - own) >= 0:
                found.append(f"{name} by {what} ({other:.3f} against {own:.3f})")
    return found


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table for each task: mean (least to greatest) over splits; and what was not beaten."""
    parts = []
    for task in dict.fromkeys(row["task"] for row in rows):
        of_task = [row for row in rows if row["task"] == task]
        lines = []
        for name in dict.fromkeys(row["maker"] for row in of_task):
            found = [row for row in of_task if row["maker"] == name]
            cells = []
            for what in ("tstr", "frechet", "nearest"):
                values = [row[what] for row in found]
                cells.append(f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})")
            lines.append([name, f"{found[0]['parameters']:,}" if found[0]["parameters"] else "", *cells])
        header = ["maker", "parameters", "TSTR accuracy", "Frechet distance", "nearest training image"]
        beaten = "; ".join(not_beaten(of_task)) or "nothing"
        parts.append(f"**{task}**\n\n{table(header, lines)}\n\nNot beaten by the patches: {beaten}.")
    return "\n\n".join([*parts, f"Mean (least to greatest) over {len(SPLITS)} splits."]) + "\n"


def plot(shown: dict[str, dict[str, tuple[Floats, Labels]]], path: Path) -> None:
    """The first images of each class: a line of panels for each task, a panel for each maker."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.9 * len(shown)), layout="constrained")
    panels = figure.subplots(len(shown), 4)
    for line, (task, makers) in zip(panels, shown.items(), strict=True):
        for axes, (name, (x, y)) in zip(line, makers.items(), strict=True):
            n_classes = int(y.max()) + 1
            n_each = PER_LINE * (LINES // n_classes)
            chosen = np.concatenate([x[y == label][:n_each] for label in range(n_classes)])
            framed = np.pad(chosen.reshape(-1, 8, 8), ((0, 0), (1, 0), (1, 0)), constant_values=np.nan)
            sheet = framed.reshape(-1, PER_LINE, 9, 9).swapaxes(1, 2).reshape(-1, PER_LINE * 9)
            axes.imshow(sheet, cmap="Greys", vmin=-TRAINING_RANGE, vmax=TRAINING_RANGE, interpolation="nearest")
            axes.set_title(f"{name}, {task}", fontsize=10)
            axes.axis("off")
    figure.savefig(path, dpi=110)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--eager", action="store_true", help="don't compile")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows, shown = [], {}
    for task in TASKS:
        found, shown[task] = compared(task, not asked.eager)
        rows += found
        print(markdown(found), flush=True)
    machine.write(asked.out, {"benchmark": "digits", "rows": rows})
    asked.out.with_suffix(".md").write_text(markdown(rows))
    plot(shown, asked.out.with_suffix(".png"))


if __name__ == "__main__":
    main()
