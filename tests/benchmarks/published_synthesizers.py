"""CTGAN, TVAE and copulas, in an environment of their own (`pip install ctgan copulas`), which takes pandas back.

    PYTHON tests/benchmarks/published_synthesizers.py FOLDER [--only NAME]

Each ``*.csv`` in the folder is learned as ``*.json`` beside it says (its columns of names, rows to make, seed); of each
synthesizer ``NAME.out`` is written, a CSV file, and its CPU seconds in ``NAME.seconds``. Missing values are filled in
first, as these synthesizers take none.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")


def ctgan(frame: pd.DataFrame, discrete: list[str], n: int) -> pd.DataFrame:
    """CTGAN [Xu et al. 2019] with its own settings."""
    from ctgan import CTGAN

    model = CTGAN(enable_gpu=False)
    model.fit(frame, discrete)
    return model.sample(n)


def tvae(frame: pd.DataFrame, discrete: list[str], n: int) -> pd.DataFrame:
    """TVAE [Xu et al. 2019] with its own settings."""
    from ctgan import TVAE

    model = TVAE(enable_gpu=False)
    model.fit(frame, discrete)
    return model.sample(n)


def _copula(margin: str) -> Callable[[pd.DataFrame, list[str], int], pd.DataFrame]:
    def run(frame: pd.DataFrame, discrete: list[str], n: int) -> pd.DataFrame:
        from copulas import multivariate, univariate

        coded, names = frame.copy(), {}
        for column in discrete:
            shares = frame[column].value_counts(normalize=True)
            ends = shares.cumsum()
            names[column] = (list(shares.index), ends.to_numpy())
            coded[column] = frame[column].map(ends - shares / 2).astype(float)
        model = multivariate.GaussianMultivariate(distribution=getattr(univariate, margin))
        model.fit(coded)
        made = model.sample(n)
        for column, (values, ends) in names.items():
            made[column] = np.array(values, dtype=object)[np.searchsorted(ends, made[column]).clip(0, len(values) - 1)]
        return made

    return run


SYNTHESIZERS = {
    "CTGAN": ctgan,
    "TVAE": tvae,
    "Gaussian copula": _copula("BetaUnivariate"),  # as in the Synthetic Data Vault
    "KDE copula": _copula("GaussianKDE"),
}


def main(folder: Path, only: str | None) -> None:
    """Run all, or one of them."""
    import torch

    torch.set_num_threads(1)
    for path in sorted(folder.glob("*.csv")):
        job = json.loads(path.with_suffix(".json").read_text())
        frame = pd.read_csv(path, dtype=dict.fromkeys(job["discrete"], str), keep_default_na=True)
        for column in frame:
            if column in job["discrete"]:
                frame[column] = frame[column].fillna("missing")
            else:
                frame[column] = frame[column].fillna(frame[column].median())
        for name, run in SYNTHESIZERS.items():
            out = path.with_name(f"{path.stem}.{name}.out")
            if out.exists() or name != (only or name):
                continue
            np.random.seed(job["seed"])  # the libraries' own source of noise
            torch.manual_seed(job["seed"])
            began = time.process_time()
            try:
                made = run(frame.copy(), list(job["discrete"]), job["rows"])
            except Exception as error:  # whatever it is, it is the synthesizer's result here
                out.with_suffix(".failed").write_text(f"{type(error).__name__}: {error}")
                continue
            out.with_suffix(".seconds").write_text(str(time.process_time() - began))
            made.to_csv(out, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[3] if sys.argv[2:3] == ["--only"] else None)
