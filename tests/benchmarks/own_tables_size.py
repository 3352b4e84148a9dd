"""What a large table takes: 100,000 rows, 60 columns, 20 classes.

    python -m tests.benchmarks.own_tables_size [--rows 100000] [--out tests/benchmarks/results]

Half of the columns are numbers, half are names, counts and gaps. Measured are CPU seconds and the process's largest
memory, that of Python, the libraries and the table itself beside it.
"""

import argparse
import os
import resource
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import pandas as pd
import torch

from qsynth.synthesizer import QGANSynthesizer
from tests.benchmarks.machine import write

N_NUMBERS, N_NAMES, N_COUNTS, N_CLASSES = 30, 15, 15, 20


def made(n: int) -> pd.DataFrame:
    """A table whose columns hang together through four hidden numbers and the class."""
    random = np.random.default_rng(0)
    y = random.integers(N_CLASSES, size=n)
    hidden = random.normal(size=(n, 4)) + random.normal(size=(N_CLASSES, 4))[y]
    numbers = hidden @ random.normal(size=(4, N_NUMBERS)) + random.normal(size=(n, N_NUMBERS))
    numbers[random.random(size=numbers.shape) < 0.02] = np.nan
    frame = {f"number_{c}": numbers[:, c] for c in range(N_NUMBERS)}
    for c in range(N_NAMES):
        code = np.digitize(hidden @ random.normal(size=4), [-1.5, -0.5, 0.5, 1.5])
        frame[f"name_{c}"] = np.array(["a", "b", "c", "d", "e"], dtype=object)[code]
    for c in range(N_COUNTS):
        frame[f"count_{c}"] = random.poisson(np.exp(0.3 * hidden[:, c % 4]))
    return pd.DataFrame(frame).assign(kind=[f"class {label}" for label in y])


def memory_gib() -> float:
    """The largest that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Run, and write what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=Path("tests/benchmarks/results"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    frame = made(given.rows)
    before, began = memory_gib(), time.process_time()
    model = QGANSynthesizer(random_state=0, verbose=False).fit(frame, target="kind")
    fitted, after = time.process_time() - began, memory_gib()
    began = time.process_time()
    model.sample(given.rows, random_state=1)
    found = {
        "rows": given.rows,
        "columns": frame.shape[1],
        "fit CPU seconds": fitted,
        "sample CPU seconds": time.process_time() - began,
        "memory GiB before, after fit, at last": [before, after, memory_gib()],
        "notes": model.notes,
    }
    write(given.out / "own_tables_size.json", found)
    print(found)


if __name__ == "__main__":
    main()
