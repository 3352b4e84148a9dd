"""Ailments: each is found in what it is made by, and nowhere else."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from qsynth.data.dataset import Instance
from qsynth.data.gaussian import GaussianFamily
from qsynth.population.health import AILMENTS, REMEDIES, RealRows, ailments
from qsynth.population.inspection import dead_share
from qsynth.population.population import Population
from qsynth.population.training_statistics import TrainingStatistics
from qsynth.population.trial import TrialConfig

REAL = RealRows(spread=np.array([0.2]), saturation=np.array([0.0]))
WELL = {"spread": 0.2, "saturation": 0.0, "gradient_generator": 0.1, "gradient_critic": 1.0}
SOURCE = GaussianFamily(n_train=64, n_validation=64, n_test=64)
SIZES = {"latent_dim": 2, "n_layers": 2, "critic_width": 8, "batch_size": 16, "n_critic": 2}
TRIAL: dict[str, Any] = {
    "n_qubits": 2,
    "capacity": SIZES,
    "defaults": {**SIZES, "lr_generator": 0.01, "lr_critic": 0.01},
    "score": {"balance": 0, "utility": 0, "n_rows": 32},
}


def statistics(**changes: float) -> TrainingStatistics:
    values = {field.name: np.array([0.0]) for field in fields(TrainingStatistics)}
    return TrainingStatistics(**{**values, **{name: np.array([value]) for name, value in {**WELL, **changes}.items()}})


def raised(found: Mapping[str, np.ndarray], lane: int = 0) -> list[str]:
    return [name for name, lanes in found.items() if lanes[lane]]


def seen(real: RealRows = REAL, dead: float = 0.1, **changes: float) -> list[str]:
    return raised(ailments(statistics(**changes), real, np.array([dead])))


def trained(n_iterations: int, lanes: int = 2, values: Mapping[str, float] | None = None, **changes: Any) -> list[str]:
    """Ailments of lane 0 at the end."""
    instances = [SOURCE.instance(seed, held_out=False) for seed in range(lanes)]
    population = Population(TrialConfig.model_validate({**TRIAL, **changes}), 1, 1, lanes)
    population.reset(range(lanes), instances, range(lanes))
    population.apply({name: np.array(value) for name, value in (values or {}).items()})
    return raised(ailments(population.advance(n_iterations), RealRows.of(instances), np.zeros(lanes)))


def test_what_is_well_has_no_ailment() -> None:
    assert seen() == []
    assert set(REMEDIES) == set(AILMENTS)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("saturation", {"saturation": 0.9}),
        ("collapse", {"spread": 0.01}),
        ("vanishing_gradient", {"gradient_generator": 1e-7}),
        ("exploding_critic", {"gradient_critic": 1e4}),
        ("dead_parameters", {"dead": 0.6}),
    ],
)
def test_each_sign_has_one_name(name: str, changes: dict[str, float]) -> None:
    assert seen(**changes) == [name]


def test_it_is_the_real_rows_that_are_compared_with() -> None:
    """Pixels that are black in the data may be black in what is generated, and a narrow column may be narrow."""
    edges = RealRows(spread=np.array([0.2]), saturation=np.array([0.8]))
    assert seen(edges, saturation=0.85) == []
    assert seen(edges, saturation=0.95) == ["saturation"]
    assert seen(replace(REAL, spread=np.array([0.01])), spread=0.01) == []


def test_what_is_no_number_is_no_ailment() -> None:
    nothing = dict.fromkeys(WELL, np.nan)
    assert seen(dead=np.nan, **nothing) == []


def test_lanes_are_told_apart() -> None:
    instances: list[Instance] = [SOURCE.instance(seed, held_out=False) for seed in range(3)]
    real = RealRows.of(instances)
    assert real.spread.shape == real.saturation.shape == (3,)
    assert real.spread[1] == pytest.approx(float(instances[1].train.x.std()))
    two = TrainingStatistics(**{f.name: np.tile(getattr(statistics(), f.name), 3) for f in fields(TrainingStatistics)})
    two.saturation[1] = 1.0
    assert ailments(two, real, np.zeros(3))["saturation"].tolist() == [False, True, False]


def test_a_trial_that_starts_well_has_none() -> None:
    assert trained(10) == []


def test_a_critic_without_a_penalty_explodes() -> None:
    assert "exploding_critic" in trained(60, values={"gp_weight": 0.0, "lr_critic": 0.3, "lr_generator": 0.0})


def test_a_flat_critic_leaves_no_gradient() -> None:
    instance = SOURCE.instance(0, held_out=False)
    population = Population(TrialConfig.model_validate(TRIAL), 1, 1, 1)
    population.reset([0], [instance], [0])
    snapshot = population.snapshot(0)
    flat = {**snapshot.tensors, "critic": torch.zeros_like(snapshot.tensors["critic"])}
    population.restore(0, replace(snapshot, tensors=flat), instance)
    population.apply({"lr_critic": np.array(0.0)})
    assert raised(ailments(population.advance(3), RealRows.of([instance]), np.zeros(1))) == ["vanishing_gradient"]


@pytest.mark.parametrize(("n_layers", "sick"), [(1, True), (2, False)])
def test_a_qubit_that_nothing_reaches_is_dead(n_layers: int, sick: bool) -> None:
    """With one layer qubit 1 only receives: its input and both its gates are dead. With two, three gates are."""
    config = TrialConfig.model_validate({**TRIAL, "ansatz": "ry_rx_cnot_chain"})
    share = dead_share(config, 1, n_layers)
    assert share == pytest.approx({1: 3 / 6, 2: 3 / 10}[n_layers])
    assert ("dead_parameters" in seen(dead=share)) is sick


def test_what_has_no_circuit_has_no_dead_one() -> None:
    config = TrialConfig.model_validate({**TRIAL, "generator": {"kind": "classical"}})
    assert dead_share(config, 1, 2) == 0.0
    large = TrialConfig.model_validate({**TRIAL, "n_qubits": 11})
    assert np.isnan(dead_share(large, 1, 2))
