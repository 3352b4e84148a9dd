"""The presets with a quarter of their decisions, as studies for `qsynth compare`: what is reached by then.

    python -m tests.benchmarks.short FOLDER
    qsynth compare FOLDER/*.yaml --agent default --rivals defaults,constants,exponential,ttur \
        --budgets 1 --seeds 48 --search 256 --out short-compare

Searches tune for so short a run. The agent was trained on longer ones; it sees only how fast the budget goes.
"""

import argparse
import math
from pathlib import Path

import yaml

from cluster.study import changed, load_study

STUDIES = ("gaussian", "wine", "qubit_calibrations", "digits")
SHARE = 0.25


def write(name: str, folder: Path) -> None:
    """The preset ``name`` with ``SHARE`` of its decisions, rounded up, as a study file."""
    study = load_study(name)
    n_decisions = math.ceil(SHARE * study.episode.n_decisions)
    short = changed(study, {"name": f"{name}-short", "episode.n_decisions": n_decisions})
    text = yaml.safe_dump(short.model_dump(mode="json"), sort_keys=False)
    (folder / f"{short.name}.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for each in STUDIES:
        write(each, folder)
