"""Whether the score puts bad rows where a person would, and what differences it can tell.

    python -m tests.benchmarks.distortions --out tests/benchmarks/results/distortions.json

For every kind of data source, on held-out instances: the score of a second real sample, and of the same rows after each
distortion, as paired differences with standard errors; of each family of distortions the mildest first. Two yardsticks
stand beside them for orientation. Printed are the claims that fail: every distortion is worse than the real rows by
more than two standard errors, and a stronger one is not better than a milder one by more than two.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cluster.study.study import load_study
from qsynth.data.dataset import Instance, Split
from qsynth.data.discrete import DiscreteData
from qsynth.data.labels import stratified
from qsynth.data.mixtures import MixtureFamily
from qsynth.data.source import DataSource
from qsynth.execution.compilation import eager
from qsynth.metrics.score import Scorecard
from qsynth.population.measures import Measures
from qsynth.population.trial import TrialConfig
from qsynth.yardsticks.registry import YARDSTICKS
from tests.benchmarks import machine
from tests.benchmarks.report import table

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]
Rows = tuple[Floats, Labels]
# An instance, random numbers -> rows and labels.
Distortion = Callable[[Instance, np.random.Generator], Rows]

PRESETS = ("iris", "wine", "breast_cancer", "qubit_calibrations", "digits", "gaussian")
SHOWN = ("Gaussian mixture", "kernel density")
MOST_ROWS = 128
REAL = "second real sample"


def real(instance: Instance, _: np.random.Generator) -> Rows:
    """The reserve."""
    return instance.reserve.x, instance.reserve.y


def jitter(sd: float) -> Distortion:
    """Normal noise of ``sd`` standard deviations of each column."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x, y = real(instance, random)
        return x + sd * instance.train.x.std(axis=0) * random.normal(size=x.shape), y

    return made


def copies(sd: float) -> Distortion:
    """Training rows with such noise."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x = instance.train.x
        return x + sd * x.std(axis=0) * random.normal(size=x.shape), instance.train.y

    return made


def duplication(times: int) -> Distortion:
    """Of each class the first rows, each as many times."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x, y = real(instance, random)
        places = [np.flatnonzero(y == label) for label in np.unique(y)]
        kept = [np.resize(place[: max(1, len(place) // times)], len(place)) for place in places]
        return x[np.concatenate(kept)], y[np.concatenate(kept)]

    return made


def dropped(share: float) -> Distortion:
    """Without this share of every class, at one end of its widest direction."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x, y = real(instance, random)
        kept = []
        for label in np.unique(y):
            place = np.flatnonzero(y == label)
            centred = x[place] - x[place].mean(axis=0)
            along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
            kept.append(place[np.argsort(along)[int(share * len(place)) :]])
        order = random.permutation(np.concatenate(kept))
        return x[order], y[order]

    return made


def spread(factor: float) -> Distortion:
    """Rows that far from their classes' means, in shares of where they are."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x, y = real(instance, random)
        train = instance.train
        means = np.stack([train.x[train.y == label].mean(axis=0) for label in range(instance.n_classes)])[y]
        return means + factor * (x - means), y

    return made


def relabelled(share: float) -> Distortion:
    """This share of the rows with another label."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x, y = real(instance, random)
        wrong = random.random(len(y)) < share
        return x, np.where(wrong, (y + random.integers(1, instance.n_classes, len(y))) % instance.n_classes, y)

    return made


def uncorrelated(instance: Instance, random: np.random.Generator) -> Rows:
    """Every column dealt out anew within its class."""
    x, y = (part.copy() for part in real(instance, random))
    for label in np.unique(y):
        place = np.flatnonzero(y == label)
        for column in range(x.shape[1]):
            x[place, column] = x[random.permutation(place), column]
    return x, y


def misshared(share: float) -> Distortion:
    """Without this share of the first class's rows, whose places other classes' rows take."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        x, y = real(instance, random)
        first, others = np.flatnonzero(y == 0), np.flatnonzero(y > 0)
        n_gone = int(share * len(first))
        wrong = Split(
            instance.validation.x[instance.validation.y > 0], instance.validation.y[instance.validation.y > 0]
        )
        taken = random.choice(len(wrong), n_gone, replace=n_gone > len(wrong))
        kept = np.concatenate([first[n_gone:], others])
        return np.concatenate([x[kept], wrong.x[taken]]), np.concatenate([y[kept], wrong.y[taken]])

    return made


def yardstick(name: str) -> Distortion:
    """A yardstick's rows."""

    def made(instance: Instance, random: np.random.Generator) -> Rows:
        y = stratified(instance.class_shares, MOST_ROWS)
        return YARDSTICKS[name].fit(instance, 0).sample(y, int(random.integers(2**31))), y

    return made


# Families of distortions, the mildest member first.
FAMILIES: dict[str, dict[str, Distortion]] = {
    "jitter": {f"jitter of {sd} sd": jitter(sd) for sd in (0.1, 0.3, 0.6)},
    "copies": {f"training rows with {sd} sd": copies(sd) for sd in (0.05, 0.01)},
    "duplication": {f"each row {times} times": duplication(times) for times in (2, 3)},
    "modes": {f"{share:.0%} of each class dropped": dropped(share) for share in (0.3, 0.5)},
    "spread": {f"spread of {factor}": spread(factor) for factor in (0.9, 0.7, 0.5)},
    "scatter": {f"spread of {factor}": spread(factor) for factor in (1.3, 1.6)},
    "labels": {f"{share:.0%} of labels swapped": relabelled(share) for share in (0.1, 0.3)},
    "correlation": {"columns uncorrelated": uncorrelated},
    "shares": {f"{share:.0%} of a class replaced": misshared(share) for share in (0.5, 0.9)},
}


def applies(family: str, instance: Instance) -> bool:
    """Whether such a distortion changes such rows."""
    if family in ("labels", "shares"):
        return instance.n_classes > 1
    return family != "correlation" or instance.n_features > 1


def sources() -> dict[str, tuple[DataSource, TrialConfig]]:
    """One of every kind, with the settings of a trial on it."""
    studies = {name: load_study(name) for name in PRESETS}
    found: dict[str, tuple[DataSource, TrialConfig]] = {
        name: (study.data, study.trial.replaced(score=scored(study.trial))) for name, study in studies.items()
    }
    trial, flat = found["breast_cancer"][1], found["gaussian"][1]
    found["mixtures-2"] = (MixtureFamily(n_classes=2, n_columns=9), trial)
    found["mixtures-3"] = (MixtureFamily(n_classes=3), trial)
    found["discrete"] = (DiscreteData(n_train=200, n_validation=200, n_test=400), flat)
    return found


def scored(trial: TrialConfig) -> dict[str, Any]:
    """The whole score, with the weights that the trial gives its parts."""
    weights = trial.score.weights
    return {name: weight or 1.0 for name, weight in weights.items()} | {"n_rows": MOST_ROWS}


def measured(measures: Measures, instances: Sequence[Instance], part: str, rows: Sequence[Rows]) -> Scorecard:
    """Scorecard of rows, those of each instance; as many rows of each as of the shortest."""
    size = min(MOST_ROWS, *(len(y) for _, y in rows))
    eye = torch.eye(instances[0].n_classes)
    x = torch.stack([torch.as_tensor(np.asarray(each[:size], dtype=np.float32)) for each, _ in rows])
    return measures.measure(instances, part, x, torch.stack([eye[torch.as_tensor(y[:size])] for _, y in rows]))


def shuffled(rows: Rows, random: np.random.Generator) -> Rows:
    """In another order, so that the first ones are like all."""
    order = random.permutation(len(rows[1]))
    return rows[0][order], rows[1][order]


def scores(measures: Measures, instances: Sequence[Instance], part: str) -> dict[str, dict[str, list[float]]]:
    """Distortion -> "score", the utilities and the QNN's weight -> values, one an instance."""
    made: dict[str, Distortion] = {REAL: real}
    made |= {n: f for name, family in FAMILIES.items() if applies(name, instances[0]) for n, f in family.items()}
    made |= {name: yardstick(name) for name in SHOWN}
    found = {}
    for name, distort in made.items():
        randoms = [np.random.default_rng([index, 1]) for index in range(len(instances))]
        rows = [shuffled(distort(each, r), r) for each, r in zip(instances, randoms, strict=True)]
        card = measured(measures, instances, part, rows)
        values = {"score": card.score, **card.utilities}
        values |= {key: card.raw[key] for key in ("utility_weight",) if key in card.raw}
        found[name] = {key: [round(each, 4) for each in value.tolist()] for key, value in values.items()}
    return found


def failures(found: dict[str, dict[str, list[float]]]) -> list[str]:
    """Claims that do not hold, in words."""
    broken = []
    for family in FAMILIES.values():
        known = [name for name in family if name in found]
        for milder, name in zip([REAL, *known], known, strict=False):
            loss, error = difference(found, milder, name)
            if milder == REAL and loss < 2 * error:
                broken.append(f"{name} is not worse than real rows by two standard errors: {loss:+.4f} ({error:.4f})")
            elif loss < -2 * error:
                broken.append(f"{name} is better than {milder}: {-loss:+.4f} ({error:.4f})")
    return broken


def difference(found: dict[str, dict[str, list[float]]], one: str, other: str) -> tuple[float, float]:
    """Mean of ``one`` minus ``other``, and its standard error."""
    paired = np.array(found[one]["score"]) - np.array(found[other]["score"])
    return float(paired.mean()), float(paired.std(ddof=1) / np.sqrt(len(paired)))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    parser.add_argument("--instances", type=int, default=48)
    parser.add_argument("--only", nargs="*", help="names of sources")
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--no-qnn", action="store_true", help="leave out utility, which costs nearly all of the time")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    text = []
    for name, (source, full) in sources().items():
        if asked.only and name not in asked.only:
            continue
        trial = full.replaced(score=full.score.replaced(utility=0.0)) if asked.no_qnn else full
        instances = [source.instance(seed, held_out=True) for seed in range(asked.instances)]
        first = instances[0]
        measures = Measures(trial, trial.circuit(), first.n_features, first.n_classes, len(instances), eager)
        results[name] = scores(measures, instances, asked.part)
        columns = list(results[name][REAL])
        lines = []
        for distortion, values in results[name].items():
            loss, error = difference(results[name], REAL, distortion)
            means = [f"{np.mean(values[column]):.3f}" for column in columns]
            lines.append([distortion, f"{-loss:+.4f} ({error:.4f})", *means])
        broken = [f"- {claim}" for claim in failures(results[name])] or ["- every claim holds"]
        text += ["", table([name, "minus real (SE)", *columns], lines), "", *broken]
        print(*text[-3 - len(broken) :], sep="\n", flush=True)
        machine.write(asked.out, {"benchmark": "distortions", "part": asked.part, "sources": results})
        asked.out.with_suffix(".md").write_text("\n".join(text[1:]) + "\n")


if __name__ == "__main__":
    main()
