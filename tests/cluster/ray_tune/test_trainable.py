"""A trial under Tune is a lane of a population: the same numbers, whoever moves, saves or brings back what."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ray import tune

from cluster.ray_tune import GanTrainable, defaults, synthesizer, trainable
from cluster.study.study import Study
from qsynth.errors import QsynthError
from qsynth.population.snapshot import Snapshot
from qsynth.synthesizer import QGANSynthesizer
from rl_envs.config import make_tuner
from rl_envs.tuner import Tuner

CONFIG = {"lr_generator": 0.02, "n_critic": 2, "seed": 5}


def population_of(study: Study, n_lanes: int, config: dict[str, Any] = CONFIG) -> Tuner:
    """Trials of the same seeds and constants, without Ray."""
    tuner = make_tuner(study.environment(compiled=False), n_lanes)
    instance = study.data.instance(0, held_out=False)
    values = {name: np.full(n_lanes, float(config[name])) for name in config if name != "seed"}
    tuner.begin(range(n_lanes), [instance] * n_lanes, [config["seed"] + lane for lane in range(n_lanes)], None, values)
    return tuner


def networks_of(trial: GanTrainable) -> list[Snapshot]:
    return [trial._tuner.population.snapshot(lane) for lane in range(trial.plan.n_lanes)]


def tuned(result: dict[str, Any]) -> dict[str, float]:
    return {name: result["hyperparameters"][name] for name in ("lr_generator", "n_critic")}


def assert_same(one: Snapshot, other: Snapshot, atol: float = 0.0) -> None:
    assert one.seed == other.seed
    assert one.iteration == other.iteration
    assert one.hyperparameters == other.hyperparameters
    for name, tensor in one.tensors.items():
        torch.testing.assert_close(tensor, other.tensors[name], rtol=0, atol=atol)


@pytest.mark.parametrize("n_lanes", [1, 3])
def test_a_trial_is_bit_for_bit_the_lanes_of_a_population(study: Study, n_lanes: int) -> None:
    trial, tuner = trainable(study, lanes_per_trial=n_lanes)(CONFIG), population_of(study, n_lanes)
    for decision in range(study.episode.n_decisions):
        result, step = trial.train(), tuner.step({})
        assert result["score"] == np.mean(step.score)
        assert result["score_deviation"] == np.std(step.score)
        assert result["seen"] == dict(zip(tuner.features, step.observation.mean(axis=0).tolist(), strict=True))
        assert result["done"] == (decision == study.episode.n_decisions - 1)
        assert result["training"]["loss_critic"] == pytest.approx(step.training["loss_critic"].mean())
        for lane, snapshot in enumerate(networks_of(trial)):
            assert_same(snapshot, tuner.population.snapshot(lane))
    assert result["reason"] == "budget"
    assert result["iterations"] == study.iterations_per_run


def test_a_trial_alone_is_a_lane_among_others_to_rounding(study: Study) -> None:
    """Sums over other numbers of lanes are rounded otherwise."""
    alone, tuner = trainable(study)({**CONFIG, "seed": 6}), population_of(study, 3)
    for _ in range(2):
        alone.train()
        tuner.step({})
    assert_same(networks_of(alone)[0], tuner.population.snapshot(1), atol=1e-4)


def test_a_checkpoint_goes_on_as_if_nothing_had_been(study: Study, tmp_path: Path) -> None:
    kind = trainable(study, lanes_per_trial=2)
    whole = kind(CONFIG)
    results = [whole.train() for _ in range(study.episode.n_decisions)]
    first, second = kind(CONFIG), kind(CONFIG)
    first.train()
    first.save_checkpoint(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "lane-0.safetensors",
        "lane-1.safetensors",
        "trial.json",
    ]
    second.train()  # something else has happened to it
    second.load_checkpoint(str(tmp_path))
    for expected in results[1:]:
        found = second.train()
        for name in ("score", "score_best", "utility", "training", "decision", "progress", "done", "reason"):
            assert found[name] == expected[name]
        # Whoever goes on measures once more where it begins.
        assert found["seen"] == expected["seen"]
        assert found["circuits_total"] > expected["circuits_total"]
    for one, other in zip(networks_of(whole), networks_of(second), strict=True):
        assert_same(one, other)


def test_a_checkpoint_under_another_config_has_its_networks_and_the_configs_values(
    study: Study, tmp_path: Path
) -> None:
    kind = trainable(study)
    source, copy = kind(CONFIG), kind({"lr_generator": 0.0001, "n_critic": 1})
    source.train()
    source.save_checkpoint(str(tmp_path))
    assert copy.train()["schedule"] == {"lr_generator": [0.0001], "n_critic": [1.0]}
    assert copy.reset_config({"lr_generator": 0.05, "n_critic": 1})
    copy.load_checkpoint(str(tmp_path))
    copy._begin()
    [began], [origin] = networks_of(copy), networks_of(source)
    assert began.hyperparameters == {**origin.hyperparameters, "lr_generator": 0.05, "n_critic": 1.0}
    torch.testing.assert_close(began.tensors["generator"], origin.tensors["generator"], rtol=0, atol=0)
    assert tuned(copy.train()) == {"lr_generator": 0.05, "n_critic": 1.0}
    last = copy.train()
    assert last["decision"] == 3
    assert last["schedule"] == {"lr_generator": [0.02, 0.05, 0.05], "n_critic": [2.0, 1.0, 1.0]}


def test_a_trial_becomes_another_one_in_place(study: Study) -> None:
    kind = trainable(study)
    fresh, used = kind(CONFIG), kind({"seed": 9})
    population = used._tuner.population
    used.train()
    assert used.reset_config(CONFIG)
    expected, found = fresh.train(), used.train()
    assert used._tuner.population is population
    for name in ("score", "utility", "training", "seen", "hyperparameters", "circuits", "circuits_total", "decision"):
        assert found[name] == expected[name]


def test_a_change_holds_from_the_next_step_on(study: Study) -> None:
    trial, tuner = trainable(study)(CONFIG), population_of(study, 1)
    for changes in ({}, {"lr_generator": 0.001}, {}):
        trial.change(changes)
        result, step = trial.train(), tuner.step({name: np.array([value]) for name, value in changes.items()})
        assert result["score"] == step.score[0]
    assert tuned(result) == {"lr_generator": 0.001, "n_critic": 2.0}


def test_a_lane_that_diverges_counts_as_nothing_and_the_others_go_on(study: Study) -> None:
    trial = trainable(study, lanes_per_trial=2)(CONFIG)
    trial.train()
    trial._tuner.population.diverged[1] = True
    second, third = trial.train(), trial.train()
    assert (second["failed"], second["reason"], second["done"]) == (0.5, "diverged", False)
    assert second["score"] == second["score_deviation"] > 0  # of one value and 0
    assert (third["failed"], third["reason"], third["done"]) == (0.5, "budget, diverged", True)
    trial.reset_config(CONFIG)
    trial.train()
    trial._tuner.population.diverged[:] = True
    assert trial.train()["done"]


def test_what_breaks_is_raised_for_tune_to_try_again(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = trainable(study)(CONFIG)
    trial.train()
    monkeypatch.setattr(trial._tuner.population, "advance", lambda n: 1 / 0)
    with pytest.raises(QsynthError, match="ZeroDivisionError"):
        trial.step()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"lr_generatr": 0.1}, "Did you mean 'lr_generator'"),
        ({"lr_critic": 0.1}, "config must name what the study tunes; got 'lr_critic'"),
        ({"lr_generator": float("nan")}, "finite number; got nan"),
        ({"lr_generator": "high"}, "finite number; got 'high'"),
        ({"seed": -1}, "seed must be within"),
    ],
)
def test_a_config_that_is_none_is_refused(study: Study, config: dict[str, Any], message: str) -> None:
    with pytest.raises(QsynthError, match=message):
        trainable(study)(config)


def test_values_beyond_the_study_are_its_ends_as_pbt_multiplies_past_them(study: Study) -> None:
    result = trainable(study)({"lr_generator": 3.0, "n_critic": 1.7}).train()
    assert tuned(result) == {"lr_generator": 0.1, "n_critic": 2.0}
    assert defaults(study) == {name: study.trial.default(name) for name in ("lr_generator", "n_critic")}


def test_lanes_take_turns_at_instances(study: Study) -> None:
    trial = trainable(study, instances=(1, 2), lanes_per_trial=3)({})
    trial.train()
    keys = [study.data.instance(number, held_out=False).key for number in (1, 2, 1)]
    assert [each.instance for each in networks_of(trial)] == keys


def test_it_asks_for_what_the_study_takes(study: Study) -> None:
    [alone] = trainable(study).default_resource_request({}).bundles
    [many] = trainable(study, lanes_per_trial=64).default_resource_request({}).bundles
    assert alone["CPU"] == many["CPU"] == 1
    assert many["memory"] > alone["memory"] > 500 << 20
    on_gpu = study.replaced(resources=study.resources.replaced(place="cuda", gpus_per_runner=0.25))
    [share] = trainable(on_gpu).default_resource_request({}).bundles
    assert share["GPU"] == 0.25
    pytest.importorskip("pennylane_qiskit")
    device = study.trial.on({"name": "qiskit.remote", "shots": 10, "backend": "FakeManilaV2"})
    [scarce] = trainable(study.replaced(trial=device)).default_resource_request({}).bundles
    assert scarce["qpu"] == 1


def test_a_checkpoint_of_other_lanes_or_none_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(QsynthError, match=r"trial\.json can't be read: No such file"):
        trainable(study)({}).load_checkpoint(str(tmp_path))
    two = trainable(study, lanes_per_trial=2)({})
    two.train()
    two.save_checkpoint(str(tmp_path))
    with pytest.raises(QsynthError, match="must have 1 lanes; got 2"):
        trainable(study)({}).load_checkpoint(str(tmp_path))


def test_rows_come_out_of_the_best_lane_of_a_checkpoint(study: Study, tmp_path: Path) -> None:
    kind = trainable(study, lanes_per_trial=2)
    trial = kind(CONFIG)
    trial.train()
    trial.save_checkpoint(str(tmp_path))
    best = int(np.argmax(trial._tuner.best))
    model = synthesizer(kind, tune.Checkpoint(str(tmp_path)))
    drawn, _ = model.sample_scaled(20, random_state=3)
    expected = QGANSynthesizer.from_snapshot(
        study.trial, networks_of(trial)[best], study.data.instance(0, held_out=False)
    )
    np.testing.assert_array_equal(drawn, expected.sample_scaled(20, random_state=3)[0])
    assert len(model.sample(7)) == 7
    with pytest.raises(QsynthError, match="checkpoint_at_end=True"):
        synthesizer(kind, None)
