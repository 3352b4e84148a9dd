"""Tunes a study until somebody kills it: ``python -m tests.cluster.ray_tune.killed_driver STUDY FOLDER URI``."""

import sys
from pathlib import Path

from cluster.machines.private_ray import private_ray
from cluster.ray_tune import MLflowTracking, defaults, trainable
from cluster.study.study import Study, load_study
from cluster.system.environment import WORKER_ENVIRONMENT, prepare_process

RATES = [0.001, 0.01, 0.05]
NAME = "killed"


def tuner_of(study: Study, folder: Path, uri: str):  # type: ignore[no-untyped-def]
    """A grid of constants; checkpoints after every decision."""
    from ray import tune

    return tune.Tuner(
        trainable(study),
        param_space={**defaults(study), "lr_generator": tune.grid_search(RATES)},
        tune_config=tune.TuneConfig(metric="score", mode="max", reuse_actors=True),
        run_config=tune.RunConfig(
            name=NAME,
            storage_path=str(folder),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1),
            callbacks=[MLflowTracking(study, folder / "journal", uri)],
        ),
    )


def main() -> None:
    """Run the script."""
    prepare_process()
    study, folder, uri = sys.argv[1:]
    with private_ray(num_cpus=2, object_store_memory=200_000_000, runtime_env={"env_vars": WORKER_ENVIRONMENT}):
        tuner_of(load_study(study), Path(folder), uri).fit()


if __name__ == "__main__":
    main()
