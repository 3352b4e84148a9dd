"""Rows like those of a user's table: qsynth beside published synthesizers, yardsticks and the floor.

    python -m tests.benchmarks.own_tables --rivals PYTHON [--work FOLDER] [--seeds 5] [--out tests/benchmarks/results]

PYTHON is the interpreter of an environment with ctgan and copulas (:mod:`tests.benchmarks.published_synthesizers`).
Eight tables, 40, 100 and 400 rows to learn from, the other rows (at most 1,000) to compare with. Everything below is of
the user's own columns: numbers over their standard deviation, names one-hot.

- sliced Wasserstein distance (64 directions) and energy distance to the other rows, class column included;
- C2ST: area under the curve of the better of a logistic regression and a forest that tell synthetic from other rows;
- TSTR: balanced accuracy on other rows of a forest that learned from the synthetic ones;
- memorised: share of synthetic rows that lie nearer to a learned row than to as many other ones; a half is chance.

The settings were written down before it ran; what is there already in the work folder is not run again.
"""

import argparse
import json
import os
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import cdist
from scipy.stats import t
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import cross_val_predict, train_test_split

from qsynth.synthesis.table_fit import QUANTUM
from qsynth.synthesizer import QGANSynthesizer
from qsynth.yardsticks.registry import YARDSTICKS
from tests.benchmarks.machine import write
from tests.benchmarks.own_tables_data import TABLES
from tests.benchmarks.published_synthesizers import SYNTHESIZERS
from tests.benchmarks.report import table

SIZES, MOST_OTHERS, N_DIRECTIONS, FLOOR = (40, 100, 400), 1000, 64, "real rows"
OURS, BY_VALIDATION = "qsynth", "qsynth auto"
RAW = ("Gaussian mixture", "kernel density", "SMOTE")  # in the coded columns, names rounded to the likeliest
LOWER, HIGHER = ("sliced Wasserstein", "energy distance", "C2ST"), ("TSTR",)

Matrix = np.ndarray[Any, Any]


class Coding:
    """A frame's columns as a matrix: numbers in standard deviations with medians for gaps, names one-hot."""

    def __init__(self, learned: pd.DataFrame, whole: pd.DataFrame, target: str) -> None:
        self.names = [c for c in whole if c == target or not pd.api.types.is_numeric_dtype(whole[c])]
        self.numbers = [c for c in whole if c not in self.names]
        self.values = {c: sorted(whole[c].dropna().astype(str).unique()) for c in self.names}
        self.median, self.deviation = learned[self.numbers].median(), whole[self.numbers].std().replace(0, 1)
        self.columns, self.dtypes = list(whole.columns), whole.dtypes

    def matrix(self, frame: pd.DataFrame, without: str | None = None) -> Matrix:
        """Rows x coded columns."""
        parts = [
            ((frame[c].astype(float).fillna(self.median[c])) / self.deviation[c]).to_numpy()[:, None]
            for c in self.numbers
        ]
        for c in self.names:
            if c != without:
                text = frame[c].astype(object).where(frame[c].notna(), "missing").astype(str).to_numpy()
                parts.append((text[:, None] == np.array(self.values[c])[None]) / np.sqrt(2))
        return np.hstack(parts).astype(float)

    def frame(self, x: Matrix) -> pd.DataFrame:
        """Back, for yardsticks that know numbers only."""
        made = {c: x[:, i] * self.deviation[c] for i, c in enumerate(self.numbers)}
        start = len(self.numbers)
        for c in self.names:
            size = len(self.values[c])
            made[c] = np.array(self.values[c], dtype=object)[x[:, start : start + size].argmax(axis=1)]
            start += size
        return pd.DataFrame(made)[self.columns]


def measure(
    made: pd.DataFrame, learned: pd.DataFrame, others: pd.DataFrame, coding: Coding, target: str
) -> dict[str, float]:
    """All measures of synthetic rows."""
    x, real, own = (coding.matrix(each) for each in (made, others, learned))
    directions = np.random.default_rng(0).normal(size=(x.shape[1], N_DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    grid = (np.arange(200) + 0.5) / 200
    sliced = np.abs(np.quantile(x @ directions, grid, axis=0) - np.quantile(real @ directions, grid, axis=0)).mean()
    within = [cdist(a, a).sum() / (len(a) * (len(a) - 1)) for a in (x, real)]
    energy = 2 * cdist(x, real).mean() - sum(within)
    both, which = np.vstack([x, real]), np.repeat([1, 0], [len(x), len(real)])
    aucs = []
    for model in (LogisticRegression(max_iter=500), RandomForestClassifier(100, min_samples_leaf=3, random_state=0)):
        told = cross_val_predict(model, both, which, cv=5, method="predict_proba")[:, 1]
        aucs.append(roc_auc_score(which, told))
    labels, wanted = made[target].astype(str), others[target].astype(str)
    forest = RandomForestClassifier(200, random_state=0).fit(coding.matrix(made, target), labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that a rival lost
        tstr = balanced_accuracy_score(wanted, forest.predict(coding.matrix(others, target)))
    size = min(len(own), len(real))
    near = cdist(x, own[:size]).min(axis=1) < cdist(x, real[:size]).min(axis=1)
    return {
        "sliced Wasserstein": float(sliced),
        "energy distance": float(energy),
        "C2ST": float(max(aucs)),
        "TSTR": float(tstr),
        "memorised": float(near.mean()),
    }


def yardstick(name: str, learned: pd.DataFrame, coding: Coding, target: str, n: int, seed: int) -> pd.DataFrame:
    """Rows of a yardstick in the coded columns, class by class."""
    from qsynth.data.dataset import Split
    from qsynth.data.labels import stratified
    from qsynth.data.scaling import Scaling
    from qsynth.synthesis.two_parts import two_part_instance

    x = coding.matrix(learned)
    names, y = np.unique(learned[target].astype(str), return_inverse=True)
    split = Split(x.astype(np.float32), y.astype(np.int64))
    instance = two_part_instance(split, split, tuple(names), Scaling.identity(x.shape[1]))
    labels = stratified(instance.class_shares, n)
    made = coding.frame(YARDSTICKS[name].fit(instance, seed).sample(labels, seed).astype(float))
    return made.assign(**{target: names[labels]})


def synthesizers(target: str, seed: int) -> dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]]:
    """Ours."""

    def ours(method: str) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
        made = QGANSynthesizer(method=method, random_state=seed, verbose=False)
        return lambda learned, n: made.fit(learned, target=target).sample(n, random_state=seed)

    return {OURS: ours(QUANTUM), BY_VALIDATION: ours("auto")}


def cell(name: str, size: int, seed: int, folder: Path, python: str) -> dict[str, dict[str, float]]:
    """Everybody on one table."""
    whole, target = TABLES[name]()
    whole = whole[whole[target].notna()]
    size = min(size, len(whole) // 2)
    learned, others = train_test_split(whole, train_size=size, stratify=whole[target], random_state=seed)
    others = others.sample(min(len(others), MOST_OTHERS), random_state=seed)
    coding = Coding(learned, whole, target)
    n = len(others)
    learned, others = learned.reset_index(drop=True), others.reset_index(drop=True)
    found = {FLOOR: measure(learned, learned, others, coding, target)}
    for who, run in synthesizers(target, seed).items():
        began = time.process_time()
        made = run(learned, n)
        seconds = time.process_time() - began
        found[who] = measure(made, learned, others, coding, target) | {"CPU seconds": seconds}
    for who in RAW:
        began = time.process_time()
        made = yardstick(who, learned, coding, target, n, seed)
        seconds = time.process_time() - began
        found[who] = measure(made, learned, others, coding, target) | {"CPU seconds": seconds}
    work = folder / f"{name}-{size}-{seed}"
    work.mkdir(parents=True, exist_ok=True)
    learned.to_csv(work / "rows.csv", index=False)
    job = {"discrete": coding.names, "rows": n, "seed": seed}
    (work / "rows.json").write_text(json.dumps(job))
    subprocess.run([python, "tests/benchmarks/published_synthesizers.py", work], check=True, stderr=subprocess.DEVNULL)
    for who in SYNTHESIZERS:
        out = work / f"rows.{who}.out"
        if out.exists():
            made = pd.read_csv(out, dtype=dict.fromkeys(coding.names, str), keep_default_na=False, na_values=[""])
            found[who] = measure(made, learned, others, coding, target)
            found[who]["CPU seconds"] = float(out.with_suffix(".seconds").read_text())
    return found


def main() -> None:
    """Run what has not been run, and write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rivals", required=True, help="a Python with ctgan and copulas")
    parser.add_argument("--work", type=Path, default=Path("own-tables"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    for seed in range(given.seeds):
        for name in TABLES:
            for size in sizes_of(name):
                kept = given.work / f"{name}-{size}-{seed}.json"
                if not kept.exists():
                    kept.write_text(json.dumps(cell(name, size, seed, given.work, given.rivals)))
                    print(kept.stem, flush=True)
    result = {path.stem: json.loads(path.read_text()) for path in sorted(given.work.glob("*.json"))}
    write(given.out / "own_tables.json", {"cells": result})
    (given.out / "own_tables.md").write_text(markdown(result))


def sizes_of(name: str) -> list[int]:
    """Rows to learn from; at most half of the table, and each number once."""
    half = len(TABLES[name]()[0]) // 2
    return [size for size in SIZES if size <= half or min(half, size) > max((s for s in SIZES if s < size), default=0)]


def markdown(result: dict[str, dict[str, dict[str, float]]]) -> str:
    """A table a table, and who won what."""
    parts = []
    for name in TABLES:
        for size in SIZES:
            cells = [found for key, found in result.items() if key.startswith(f"{name}-{size}-")]
            if cells:
                parts.append(f"**{name}, {size} rows**\n\n{_means(cells)}")
    parts.append(
        "**qsynth against others**: tables and sizes won : lost, mean gain (half of its 95 % interval over them)"
        f"\n\n{_wins(result)}"
    )
    return "\n\n".join(parts) + "\n"


def _means(cells: list[dict[str, dict[str, float]]]) -> str:
    columns = [*LOWER, *HIGHER, "memorised", "CPU seconds"]
    lines = []
    for who in cells[0]:
        has = [found[who] for found in cells if who in found]
        lines.append([who, *(f"{np.mean([each[c] for each in has]):.3g}" if c in has[0] else "" for c in columns)])
    return table(["rows of", *columns], lines)


def _wins(result: dict[str, dict[str, dict[str, float]]]) -> str:
    """Against each rival and measure: tables and sizes won and lost by the mean of seeds, and the mean gain."""
    lines = []
    for who in [*SYNTHESIZERS, *RAW]:
        line = [who]
        for measured in (*LOWER, *HIGHER):
            gains = []
            for prefix in sorted({key.rpartition("-")[0] for key in result}):
                of = [f for key, f in result.items() if key.rpartition("-")[0] == prefix and who in f]
                gain = np.mean([f[who][measured] - f[OURS][measured] for f in of]) if of else np.nan
                gains.append(-gain if measured in HIGHER else gain)
            had = np.array(gains)[~np.isnan(gains)]
            half = t.ppf(0.975, len(had) - 1) * had.std(ddof=1) / np.sqrt(len(had))
            line.append(f"{(had > 0).sum()} : {(had <= 0).sum()}, {had.mean():+.3f} ({half:.3f})")
        lines.append(line)
    return table(["against", *LOWER, *HIGHER], lines)


if __name__ == "__main__":
    main()
