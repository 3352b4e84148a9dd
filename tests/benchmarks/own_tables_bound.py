"""How far rows can be told from real ones when nothing is wrong with the model but that it learned from few rows.

    python -m tests.benchmarks.own_tables_bound [--out tests/benchmarks/results]

A model of the whole table (tied Gaussian over the columns' distributions) stands for the truth: rows to learn from and
500 others are drawn from it, and a model of the same family learns. What a classifier then tells apart (C2ST as in
:mod:`tests.benchmarks.own_tables`) is estimation error alone; no circuit is in it.
"""

import argparse
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch

from qsynth.synthesizer import QGANSynthesizer
from tests.benchmarks.machine import write
from tests.benchmarks.own_tables import Coding, measure
from tests.benchmarks.own_tables_data import TABLES
from tests.benchmarks.report import table

NAMES, SIZES, N_OTHERS, FAMILY = ("breast_cancer", "wine"), (40, 100, 400), 500, "tied Gaussian"


def main() -> None:
    """Run, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    lines, found = [], {}
    for name in NAMES:
        whole, target = TABLES[name]()
        truth = QGANSynthesizer(method=FAMILY, random_state=0, verbose=False).fit(whole, target=target)
        for size in SIZES:
            aucs = []
            for seed in range(given.seeds):
                drawn = truth.sample(size + N_OTHERS, random_state=seed)
                learned, others = drawn.iloc[:size].reset_index(drop=True), drawn.iloc[size:].reset_index(drop=True)
                model = QGANSynthesizer(method=FAMILY, random_state=seed, verbose=False).fit(learned, target=target)
                made = model.sample(N_OTHERS, random_state=seed)
                aucs.append(measure(made, learned, others, Coding(learned, whole, target), target)["C2ST"])
            found[f"{name}-{size}"] = aucs
            lines.append([name, str(size), f"{np.mean(aucs):.3f}"])
    write(given.out / "own_tables_bound.json", {"C2ST": found})
    (given.out / "own_tables_bound.md").write_text(table(["table", "rows", "C2ST"], lines))


if __name__ == "__main__":
    main()
