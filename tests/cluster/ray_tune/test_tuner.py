"""Tune's own schedulers and searchers on a study's trials; a killed driver; and what MLflow has of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray import tune

from cluster.ray_tune import MLflowTracking, bounds, defaults, mutations, param_space, trainable
from cluster.ray_tune.trial_folder import TrialFolder
from cluster.study.study import Study, load_study
from cluster.tracking.store import EXPERIMENT
from tests.cluster.ray_tune.killed_driver import NAME, RATES, tuner_of
from tests.cluster.ray_tune.test_trainable import assert_same, population_of
from tests.cluster.tracking.test_tracker import Stored

ROOT = Path(__file__).parents[3]
N_TRIALS = 4
N_LONG = 12
# Tune's and Optuna's own warnings: of deprecated parts of theirs, and of few checkpoints.
pytestmark = pytest.mark.filterwarnings("ignore")


def optuna_search(sampler: str) -> Callable[[Study], dict[str, Any]]:
    def made(study: Study) -> dict[str, Any]:
        optuna = pytest.importorskip("optuna")
        from ray.tune.search.optuna import OptunaSearch

        how = {"seed": 0, **({"n_startup_trials": 2} if sampler != "TPESampler" else {})}
        if sampler == "CmaEsSampler":
            pytest.importorskip("cmaes")
        search = OptunaSearch(sampler=getattr(optuna.samplers, sampler)(**how), points_to_evaluate=[defaults(study)])
        return {"search_alg": tune.search.ConcurrencyLimiter(search, 2)}

    return made


def pb2(study: Study) -> dict[str, Any]:
    from ray.tune.schedulers.pb2 import PB2

    return {"scheduler": PB2(perturbation_interval=1, hyperparam_bounds=bounds(study))}


def pbt(study: Study) -> dict[str, Any]:
    made = tune.schedulers.PopulationBasedTraining(
        perturbation_interval=1, hyperparam_mutations=mutations(study), quantile_fraction=0.5
    )
    return {"scheduler": made}


WAYS: dict[str, Callable[[Study], dict[str, Any]]] = {
    "pbt": pbt,
    "pb2": pb2,
    "asha": lambda _: {"scheduler": tune.schedulers.ASHAScheduler(max_t=3, grace_period=1, reduction_factor=2)},
    "hyperband": lambda _: {"scheduler": tune.schedulers.HyperBandScheduler(max_t=3)},
    "median": lambda _: {"scheduler": tune.schedulers.MedianStoppingRule(grace_period=1, min_samples_required=2)},
    "optuna-tpe": optuna_search("TPESampler"),
    "optuna-gp": optuna_search("GPSampler"),
    "optuna-cma": optuna_search("CmaEsSampler"),
}


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("ray_of_two")
@pytest.mark.parametrize(
    "way", [name if name == "pbt" else pytest.param(name, marks=pytest.mark.slow) for name in WAYS]
)
def test_whatever_tune_has_tunes_a_study(way: str, study: Study, tmp_path: Path, uri: str) -> None:
    kind = trainable(study)
    if way.startswith("pb"):  # where a trial is copied at results of another one, they had better run together
        study = study.replaced(episode=study.episode.replaced(n_decisions=12))
        kind = tune.with_resources(trainable(study), {"CPU": 0.5})
    results = tune.Tuner(
        kind,
        param_space=param_space(study),
        tune_config=tune.TuneConfig(
            metric="score", mode="max", num_samples=N_TRIALS, reuse_actors=True, **WAYS[way](study)
        ),
        run_config=tune.RunConfig(
            storage_path=str(tmp_path / "tune"),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=way != "hyperband"),
            callbacks=[MLflowTracking(study, tmp_path / "journal", uri)],
        ),
    ).fit()
    assert not results.errors
    assert len(results) == N_TRIALS
    n_decisions = study.episode.n_decisions
    ends = [each.metrics["decision"] for each in results]
    assert max(ends) == n_decisions
    assert way in ("asha", "hyperband", "median") or ends == [n_decisions] * N_TRIALS
    for each in results:
        for name, dimension in study.trial.search_space.items():
            assert dimension.low <= each.metrics["hyperparameters"][name] <= dimension.high
    best = results.get_best_result()
    assert best.metrics["score"] == max(each.metrics["score"] for each in results)
    stored = Stored(uri, EXPERIMENT)
    assert stored.statuses() == ["FINISHED"] * (N_TRIALS + 1)
    trials = [run for run in stored.runs if "qsynth.trial" in run.data.tags]
    assert sorted(run.data.metrics["score"] for run in trials) == pytest.approx(
        sorted(each.metrics["score"] for each in results)
    )
    assert all(run.info.run_name.startswith("tiny_") for run in trials)
    if way == "pbt":
        changed = [stored.client.get_metric_history(run.info.run_id, "hyperparameters/lr_generator") for run in trials]
        assert any(len({metric.value for metric in history}) > 1 for history in changed)
    if way.startswith("optuna"):
        first = {name: float(value) for name, value in defaults(study).items()}
        assert first in [{name: each.metrics["hyperparameters"][name] for name in first} for each in results]


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("ray_of_two")
def test_constants_under_tune_are_a_lane_with_the_same_seed(study: Study, tmp_path: Path) -> None:
    seeds = [7, 8]
    results = tune.Tuner(
        trainable(study),
        param_space={"lr_generator": 0.02, "seed": tune.grid_search(seeds)},
        tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=1),
        run_config=tune.RunConfig(
            storage_path=str(tmp_path), verbose=0, checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=True)
        ),
    ).fit()
    for seed, result in zip(seeds, results, strict=True):
        tuner = population_of(study, 1, {"lr_generator": 0.02, "seed": seed})
        steps = [tuner.step({}) for _ in range(study.episode.n_decisions)]
        assert result.metrics_dataframe["score"].tolist() == [float(step.score[0]) for step in steps]
        [snapshot] = TrialFolder.read(Path(result.checkpoint.path)).snapshots
        assert_same(snapshot, tuner.population.snapshot(0))


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("ray_of_two")
def test_an_experiment_goes_on_after_its_driver_was_killed(tiny: dict[str, Any], tmp_path: Path, uri: str) -> None:
    tiny["episode"] = {"n_decisions": N_LONG, "iterations_per_decision": 4}
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(tiny))
    command = [sys.executable, "-m", "tests.cluster.ray_tune.killed_driver", str(file), str(tmp_path), uri]
    driver = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TUNE_GLOBAL_CHECKPOINT_S": "0"})
    end = time.monotonic() + 500
    while len(list(tmp_path.glob(f"{NAME}/*/checkpoint_*/trial.json"))) < 6:
        assert driver.poll() is None, "it came to an end"
        assert time.monotonic() < end, "it did not begin"
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    time.sleep(2)  # its workers die with it
    done = sum(len(list(folder.glob("checkpoint_*"))) for folder in (tmp_path / NAME).iterdir() if folder.is_dir())
    assert done < len(RATES) * N_LONG
    study = load_study(str(file))
    restored = tune.Tuner.restore(
        str(tmp_path / NAME), trainable=tuner_of(study, tmp_path, uri)._local_tuner.trainable, resume_unfinished=True
    )
    results = restored.fit()
    assert [each.metrics["decision"] for each in results] == [N_LONG] * len(RATES)
    repeated = sum(len(each.metrics_dataframe) for each in results) - N_LONG * len(RATES)
    assert 0 <= repeated <= 2 * len(RATES)
    for rate, result in zip(RATES, results, strict=True):
        config = {"lr_generator": rate, "n_critic": 1, "seed": study.seed}
        tuner = population_of(study, 1, config)
        for _ in range(N_LONG):
            step = tuner.step({})
        assert result.metrics["score"] == float(step.score[0])
    stored = Stored(uri, EXPERIMENT)
    assert stored.statuses() == ["FINISHED"] * (len(RATES) + 1)
