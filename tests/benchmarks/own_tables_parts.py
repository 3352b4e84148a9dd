"""What the parts of a table's model are worth: the circuit, its training, its size, and patches instead of a residual.

    python -m tests.benchmarks.own_tables_parts [--seeds 3] [--out tests/benchmarks/results]

Four tables of :mod:`tests.benchmarks.own_tables`, 100 rows to learn from, measured as there. ``untrained`` has one
iteration; ``patches`` has as many circuits as make a factor of every score, and no residual; ``tied Gaussian`` has the
columns' distributions and normal scores, and no circuit. ``learned latent`` has the factors of an autoencoder
(:mod:`tests.benchmarks.learned_latent`) in place of principal components. Variants that
``--out`` has already are not run again.
"""

import argparse
import json
import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import torch
from sklearn.model_selection import train_test_split

from qsynth.synthesis.settings import default_config
from qsynth.synthesizer import QGANSynthesizer
from tests.benchmarks.learned_latent import learned_latent
from tests.benchmarks.machine import write
from tests.benchmarks.own_tables import MOST_OTHERS, Coding, measure
from tests.benchmarks.own_tables_data import TABLES
from tests.benchmarks.report import table

NAMES, N_LEARNED, MOST_PATCHES = ("breast_cancer", "wine", "penguins", "qubit_calibrations"), 100, 8
CLASSICAL, LEARNED = {"kind": "classical"}, "learned latent"


def variants() -> dict[str, dict[str, Any]]:
    """Name -> settings of the synthesizer."""
    config = default_config()
    patched = config.replaced(generator={"kind": "quantum", "patches": MOST_PATCHES})
    return {
        "4 qubits": {},
        "4 qubits, untrained": {"n_iterations": 1, "evaluate_every": 1},
        "4 qubits, 50 iterations": {"n_iterations": 50},
        "2 qubits": {"config": default_config(2)},
        "6 qubits": {"config": default_config(6)},
        "8 qubits": {"config": default_config(8)},
        f"{MOST_PATCHES} patches of 4 qubits": {"config": patched},
        LEARNED: {},
        "classical network": {"config": config.replaced(generator=CLASSICAL)},
        "tied Gaussian": {"method": "tied Gaussian"},
        "Gaussian mixture": {"method": "Gaussian mixture"},
    }


def main() -> None:
    """Run, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    path = given.out / "own_tables_parts.json"
    kept = json.loads(path.read_text())["rows"] if path.exists() else {}
    found: dict[str, list[dict[str, Any]]] = {name: kept.get(name, []) for name in variants()}
    missing = {name: settings for name, settings in variants().items() if not found[name]}
    for seed in range(given.seeds):
        for name in NAMES:
            whole, target = TABLES[name]()
            size = min(N_LEARNED, len(whole) // 2)
            learned, others = train_test_split(whole, train_size=size, stratify=whole[target], random_state=seed)
            learned, others = (each.reset_index(drop=True) for each in (learned, others.head(MOST_OTHERS)))
            coding = Coding(learned, whole, target)
            for variant, settings in missing.items():
                with learned_latent() if variant == LEARNED else nullcontext():
                    began = time.process_time()
                    model = QGANSynthesizer(**settings, random_state=seed, verbose=False).fit(learned, target=target)
                    seconds = time.process_time() - began
                    made = model.sample(len(others), random_state=seed)
                row = measure(made, learned, others, coding, target)
                score = model.scores[model.description()["method"]]  # type: ignore[index]
                found[variant].append({"table": name, "seed": seed, "score": score, "CPU seconds": seconds} | row)
            print(name, seed, flush=True)
    write(path, {"rows": found})
    columns = ["score", "sliced Wasserstein", "energy distance", "C2ST", "TSTR", "memorised", "CPU seconds"]
    lines = [[name, *(f"{np.mean([each[c] for each in rows]):.3f}" for c in columns)] for name, rows in found.items()]
    (given.out / "own_tables_parts.md").write_text(table(["scores from", *columns], lines))


if __name__ == "__main__":
    main()
