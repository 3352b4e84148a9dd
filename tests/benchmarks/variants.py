"""Presets as the shipped agent was not trained: with a quarter of their decisions, and with circuits of finite shots.

    python -m tests.benchmarks.variants FOLDER
    qsynth compare FOLDER/short/*.yaml --agent default --rivals defaults,constants,exponential,ttur \
        --budgets 1 --seeds 48 --search 256 --no-retrain --out short-compare
    qsynth compare FOLDER/shots/*.yaml --agent default --rivals defaults,constants,exponential,ttur \
        --budgets 1 --seeds 24 --search 128 --no-retrain --out shots-compare

Searches tune for such runs; the agent is not told of them. It sees how fast the budget goes, and the scores.
"""

import argparse
import math
from pathlib import Path

import yaml

from cluster.study.study import Study, changed, load_study

STUDIES = ("gaussian", "wine", "qubit_calibrations", "digits")
SHARE = 0.25
SHOTS = 200


def short(study: Study) -> Study:
    """``SHARE`` of the decisions, rounded up."""
    n_decisions = math.ceil(SHARE * study.episode.n_decisions)
    return changed(study, {"name": f"{study.name}-short", "episode.n_decisions": n_decisions})


def shots(study: Study) -> Study:
    """``SHOTS`` for each circuit, in training and in evaluations."""
    engine = {"name": "statevector", "shots": SHOTS}
    return changed(study, {"name": f"{study.name}-shots", "trial.engine": engine})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for change in (short, shots):
        kind = folder / change.__name__
        kind.mkdir(parents=True, exist_ok=True)
        for name in STUDIES:
            study = change(load_study(name))
            text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False)
            (kind / f"{study.name}.yaml").write_text(text, encoding="utf-8")
