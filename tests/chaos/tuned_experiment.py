"""An experiment of Ray Tune on a cluster: ``python tuned_experiment.py STUDY FOLDER [restore]``."""

import json
import sys
from pathlib import Path

import ray
from ray import tune

from cluster.ray_tune import param_space, trainable
from cluster.study.study import load_study

NAME, TRIALS = "experiment", 6


def main(study_file: str, folder: str, restore: bool) -> None:
    """Begin, or go on."""
    study = load_study(study_file)
    kind, storage = trainable(study), Path(folder)
    ray.init("auto", log_to_driver=False)
    if restore:
        tuner = tune.Tuner.restore(str(storage / NAME), trainable=kind)
    else:
        tuner = tune.Tuner(
            kind,
            param_space=param_space(study),
            tune_config=tune.TuneConfig(metric="score", mode="max", num_samples=TRIALS, max_concurrent_trials=2),
            run_config=tune.RunConfig(
                name=NAME,
                storage_path=str(storage),
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1, checkpoint_at_end=True),
                failure_config=tune.FailureConfig(max_failures=5),
                verbose=0,
            ),
        )
    results = tuner.fit()
    found = [{"error": str(each.error or ""), "decision": (each.metrics or {}).get("decision")} for each in results]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "restore" in sys.argv[3:])
