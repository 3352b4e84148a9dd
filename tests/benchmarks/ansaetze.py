"""Which ansatz makes the best generator, and does any beat a classical one of the same number of parameters?

    python -m tests.benchmarks.ansaetze --out tests/benchmarks/results/ansaetze.json

Every registered ansatz takes the place of the one in the presets gaussian, iris and breast_cancer and is trained at the
preset's default hyperparameters, as long as the preset says, on eight held-out instances with two seeds each, which are
lanes of one population; the classical generator of the same number of parameters likewise. Ansaetze, twins and all have
the same instances and seeds. What is kept of a lane is the generator with the best validation score, out of four
evaluations; what is reported is its score on test rows: the mean, with the 95 % interval of a bootstrap over instances,
of which the two seeds stay together, and the difference to the twin, paired. All held-out instances of a table share
its rows, and have the same test rows, so the intervals are about splits and starts, not about new tables.

The hyperparameters are the presets': tuned for their own ansatz, if for any. The result is written after every line,
and lines that the file has already are not measured again.
"""

import argparse
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cluster.study.study import Study, load_study
from qsynth.circuits.ansatz import ANSAETZE
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig
from tests.benchmarks import machine
from tests.benchmarks.report import table
from tests.benchmarks.training import best_score, classical_twin, n_parameters, train

PRESETS = ("gaussian", "iris", "breast_cancer")
N_INSTANCES, N_SEEDS, N_EVALUATIONS = 8, 2, 4
FIRST_SEED = 1000
N_RESAMPLED = 10_000

Floats = NDArray[np.float64]


@functools.cache
def twin_scores(preset: str, twin: str) -> Floats:
    """Test scores of a classical trial, given as JSON; several ansaetze have the same."""
    return measure(load_study(preset), TrialConfig.model_validate_json(twin))


def measure(study: Study, trial: TrialConfig) -> Floats:
    """Test scores of kept generators, instances x seeds."""
    instances = [study.data.instance(seed, held_out=True) for seed in range(N_INSTANCES)] * N_SEEDS
    seeds = [FIRST_SEED + lane for lane in range(len(instances))]
    population = Population(trial, instances[0].n_features, instances[0].n_classes, len(instances))
    every = study.episode.n_decisions * study.episode.iterations_per_decision // N_EVALUATIONS
    train(population, instances, seeds, N_EVALUATIONS * every, every, best_score)
    scores = population.evaluate("test").score.double().numpy()
    return np.asarray(scores.reshape(N_SEEDS, N_INSTANCES).T)


def interval(of_instances: Floats) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of one number for each instance."""
    chosen = np.random.default_rng(0).integers(len(of_instances), size=(N_RESAMPLED, len(of_instances)))
    low, high = np.quantile(of_instances[chosen].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def line(preset: str, ansatz: str) -> dict[str, Any]:
    """One ansatz and its classical twin on one preset."""
    study = load_study(preset)
    trial = study.trial.replaced(ansatz=ansatz)
    example = study.data.instance(0, held_out=True)
    shape = example.n_features, example.n_classes
    twin = classical_twin(trial, *shape)
    return {
        "preset": preset,
        "ansatz": ansatz,
        "parameters": n_parameters(trial, *shape),
        "twin_parameters": n_parameters(twin, *shape),
        "scores": measure(study, trial).tolist(),
        "twin_scores": twin_scores(preset, twin.replaced(ansatz=study.trial.ansatz).model_dump_json()).tolist(),
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table for each preset, the best ansatz first."""
    parts = []
    for preset in dict.fromkeys(row["preset"] for row in rows):
        found = sorted((row for row in rows if row["preset"] == preset), key=lambda row: -np.mean(row["scores"]))
        lines = []
        for row in found:
            own, twin = np.mean(row["scores"], axis=1), np.mean(row["twin_scores"], axis=1)
            cells = [f"{each.mean():.3f} ({_range(each)})" for each in (own, twin)]
            difference = f"{(own - twin).mean():+.3f} ({_range(own - twin)})"
            sizes = [str(row["parameters"]), str(row["twin_parameters"])]
            lines.append([f"`{row['ansatz']}`", sizes[0], cells[0], sizes[1], cells[1], difference])
        header = ["ansatz", "parameters", "test score", "of its twin", "classical twin's test score", "difference"]
        beaten = [row["ansatz"] for row in found if interval(_difference(row))[0] > 0]
        lost = [row["ansatz"] for row in found if interval(_difference(row))[1] < 0]
        verdict = f"Interval of the difference above zero: {_names(beaten)}; below zero: {_names(lost)}."
        parts.append(f"**{preset}**\n\n{table(header, lines)}\n\n{verdict}")
    about = f"{N_INSTANCES} held-out instances x {N_SEEDS} seeds; 95 % bootstrap intervals over instances."
    return "\n\n".join([*parts, about]) + "\n"


def _difference(row: dict[str, Any]) -> Floats:
    return np.asarray(np.mean(row["scores"], axis=1) - np.mean(row["twin_scores"], axis=1))


def _range(of_instances: Floats) -> str:
    low, high = interval(of_instances)
    return f"{low:.3f} to {high:.3f}"


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) if names else "none"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    machine.output_argument(parser)
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = json.loads(out.read_text())["rows"] if out.exists() else []
    done = {(row["preset"], row["ansatz"]) for row in rows}
    for preset in PRESETS:
        for ansatz in ANSAETZE:
            if (preset, ansatz) not in done:
                rows.append(line(preset, ansatz))
                machine.write(out, {"benchmark": "ansaetze", "rows": rows})
                out.with_suffix(".md").write_text(markdown(rows))
                print(markdown(rows[-1:]), flush=True)


if __name__ == "__main__":
    main()
