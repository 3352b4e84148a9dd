"""What the errors of a recorded processor cost, and whether fine-tuning there wins it back.

    python -m tests.benchmarks.hardware            # needs '.[ibm]'; about two minutes a split

For some splits of iris: 300 GAN iterations at the study's defaults on the simulator, then test scores on the exact
simulator, on the device, and on the device after fine-tuning by SPSA.
"""

import argparse
import warnings

import torch

from cluster.study.hardware import HardwareConfig
from cluster.study.study import load_study
from qsynth.population.population import Population
from rl_envs.fine_tuning import fine_tuning, scores_of
from rl_envs.tuner import Tuner

HARDWARE = {
    "engine": {
        "name": "qiskit.aer",
        "backend": "FakeManilaV2",
        "shots": 500,
        "differentiation": "spsa",
        "spsa": {"directions": 2},
    },
    "shot_budget": 10**9,
    "n_decisions": 4,
    "iterations_per_decision": 3,
    "batch_size": 8,
    "n_rows": 64,
    "hyperparameters": {"lr_generator": 0.01, "lr_critic": 0.005},
}


def main() -> None:
    """Print a line for each split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=3)
    n_splits = parser.parse_args().splits
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # qiskit's, about what it deprecates
    study, hardware = load_study("iris"), HardwareConfig.model_validate(HARDWARE)
    for split in range(n_splits):
        instance = study.data.instance(split, held_out=True)
        shape = instance.n_features, instance.n_classes, 1
        trained = Population(study.trial, *shape)
        trained.reset([0], [instance], [split])
        trained.advance(study.iterations_per_run)
        start = hardware.start(trained.snapshot(0))
        simulated = Population(hardware.simulated(study.trial), *shape)
        simulated.restore(0, start, instance)
        exact = scores_of(simulated.evaluate("test"))["score"]
        tuner = Tuner(Population(hardware.trial(study.trial), *shape), hardware.episode())
        *_, found = fine_tuning(tuner, start, instance)
        print(
            f"split {split}: exact {exact:.3f}, on the device {found.before['score']:.3f}, fine-tuned there "
            f"{found.after['score']:.3f}; {found.spent.circuits:,} circuits, {found.spent.shots:,} shots",
            flush=True,
        )


if __name__ == "__main__":
    main()
