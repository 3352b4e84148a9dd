"""How hard the quantum data sets are: what classical classifiers reach on them, by training rows.

    python -m tests.benchmarks.quantum_data [--seeds 10] [--out tests/benchmarks/results]

Tables of 4,000 rows, four principal components fitted on the training rows as a study has them, test accuracy on the
same 800 rows, mean over draws of the training rows. A logistic regression (LR) and a support vector machine with a
Gaussian kernel (SVC), both with scikit-learn's defaults; "all columns" has 1,000 training rows and every column of the
table. Seconds are those of one core for a table of 1,000 and of 10,000 rows that nobody made before. For hydrogen's
energies: R^2 of ridge regression and of a support vector machine. For the eigensolver: how far its energy lies above
the exact one, over the size of that.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from qsynth.data.quantum.energies import energy_rows
from qsynth.data.quantum.problem import GroundStateProblem
from qsynth.data.quantum.source import QuantumData, state_stream
from qsynth.data.quantum.vqe import N_LAYERS, ansatz_states
from tests.benchmarks.machine import write
from tests.benchmarks.report import table

N_ROWS, N_TRAIN, OTHER_SEED = 4000, (20, 50, 100, 1000), 1
SHARES = (0.5, 0.9, 1.0)
TABLES = (
    *({"name": "ising", "shots": shots} for shots in (20, 100)),
    *({"name": "ising", "n_qubits": n_qubits} for n_qubits in (6, 8)),
    *({"name": "xxz", "shots": shots} for shots in (20, 100)),
    {"name": "xxz", "n_qubits": 6},
    {"name": "cluster_ising", "n_qubits": 4},
    *({"name": "cluster_ising", "shots": shots} for shots in (5, 100)),
    *({"name": "h2", "shots": shots} for shots in (5, 20)),
    *({"name": "entanglement", "shots": shots} for shots in (20, 100)),
    *({"name": name, "features": "vqe"} for name in ("ising", "xxz", "cluster_ising", "h2")),
)
ENERGIES = ({"name": "h2"}, {"name": "h2", "shots": 100}, {"name": "h2", "features": "vqe"})


def classified(data: QuantumData, seed: int) -> dict[str, float]:
    """Test accuracy of both classifiers after learning the training rows of one seed."""
    instance = data.instance(seed, held_out=True)
    train, test = instance.train, instance.test
    models = {"LR": LogisticRegression(max_iter=5000), "SVC": SVC()}
    return {name: float(model.fit(train.x, train.y).score(test.x, test.y)) for name, model in models.items()}


def seconds(data: QuantumData) -> float:
    """CPU time of another table of the same size."""
    began = time.process_time()
    data.replaced(data_seed=OTHER_SEED).table()
    return time.process_time() - began


def of_table(settings: dict[str, Any], seeds: int) -> dict[str, Any]:
    """One line of the first table."""
    data = QuantumData(**settings, n_rows=N_ROWS)
    made = data.table()
    found = {}
    for n_train in N_TRAIN:
        each = [classified(data.replaced(n_train=n_train), seed) for seed in range(seeds)]
        found[n_train] = {name: [accuracy[name] for accuracy in each] for name in each[0]}
    whole = [classified(data.replaced(n_train=max(N_TRAIN), n_features=None), seed) for seed in range(seeds)]
    return {
        "settings": settings,
        "title": data.title,
        "shots": None if data.features == "vqe" else data.shots or data.problem.usual_shots,
        "columns": len(made.feature_names),
        "class_shares": dict(zip(made.class_names, (np.bincount(made.y) / N_ROWS).tolist(), strict=True)),
        "accuracy": found,
        "all_columns": {name: [accuracy[name] for accuracy in whole] for name in whole[0]},
        "seconds": {n_rows: seconds(data.replaced(n_rows=n_rows)) for n_rows in (1000, 10_000)},
    }


def of_energies(settings: dict[str, Any], seeds: int) -> dict[str, Any]:
    """One line of the second table."""
    rows = energy_rows(QuantumData(**settings, n_rows=N_ROWS))
    found: dict[int, dict[str, list[float]]] = {}
    for n_train in N_TRAIN:
        parts = [
            train_test_split(rows.x, rows.energies, train_size=n_train, test_size=800, random_state=seed)
            for seed in range(seeds)
        ]
        found[n_train] = {
            name: [
                float(make_pipeline(StandardScaler(), model).fit(x, y).score(x_test, y_test))
                for x, x_test, y, y_test in parts
            ]
            for name, model in {"ridge": Ridge(), "SVR": SVR(epsilon=0.01)}.items()
        }
    return {"settings": settings, "r2": found}


def of_eigensolver(settings: dict[str, Any]) -> dict[str, Any]:
    """One line of the third table."""
    data = QuantumData(**settings, n_rows=1000)
    problem, n_qubits = data.problem, data.problem.usual_qubits
    assert isinstance(problem, GroundStateProblem)
    coefficients = problem.points(data.n_rows, state_stream(data.data_seed)).coefficients
    angles = torch.from_numpy(data.table().x.reshape(data.n_rows, N_LAYERS, n_qubits))
    found = problem.energies(n_qubits, coefficients, ansatz_states(angles).numpy())
    exact = energy_rows(data).energies
    excess = (found - exact) / np.abs(exact)
    return {"settings": settings, "mean": float(excess.mean()), "quantiles": np.quantile(excess, SHARES).tolist()}


def page(tables: list[dict[str, Any]], energies: list[dict[str, Any]], excesses: list[dict[str, Any]]) -> str:
    """The three tables as Markdown."""

    def both(found: dict[str, list[float]]) -> str:
        return " / ".join(f"{np.mean(each):.3f}" for each in found.values())

    header = ["data set", "shots", "columns", "class shares", *(f"n = {n}: LR / SVC" for n in N_TRAIN)]
    header += ["all columns", "s for 1,000 rows", "s for 10,000"]
    lines = [
        [
            row["title"],
            str(row["shots"] or ""),
            str(row["columns"]),
            ", ".join(f"{name} {share:.2f}" for name, share in row["class_shares"].items()),
            *(both(each) for each in row["accuracy"].values()),
            both(row["all_columns"]),
            *(f"{each:.1f}" for each in row["seconds"].values()),
        ]
        for row in tables
    ]
    first = table(header, lines)
    regressions = [
        [", ".join(str(each) for each in row["settings"].values()), *(both(each) for each in row["r2"].values())]
        for row in energies
    ]
    second = table(["energies of", *(f"n = {n}: ridge / SVR" for n in N_TRAIN)], regressions)
    solved = [
        [row["settings"]["name"], *(f"{100 * each:.1f} %" for each in (row["mean"], *row["quantiles"]))]
        for row in excesses
    ]
    third = table(["eigensolver's energy above the exact one", "mean", "median", "9 of 10", "largest"], solved)
    return f"{first}\n\n{second}\n\n{third}\n"


def main() -> None:
    """Run, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    tables = []
    for settings in TABLES:
        tables.append(of_table(settings, given.seeds))
        print(json.dumps(tables[-1]["settings"]), flush=True)
    energies = [of_energies(settings, given.seeds) for settings in ENERGIES]
    excesses = [of_eigensolver(settings) for settings in TABLES if "features" in settings]
    write(given.out / "quantum_data.json", {"tables": tables, "energies": energies, "eigensolver": excesses})
    text = page(tables, energies, excesses)
    (given.out / "quantum_data.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
