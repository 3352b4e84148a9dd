"""Trials without a critic: nothing of one is there, and they learn."""

from typing import Any

import numpy as np
import pytest
import torch

from qsynth.data.gaussian import GaussianFamily
from qsynth.data.source import DataSource
from qsynth.data.tabular import TableData
from qsynth.execution.compilation import eager
from qsynth.gan.distances import DISTANCES
from qsynth.gan.programs import Programs
from qsynth.population.memory import population_bytes
from qsynth.population.population import Population
from qsynth.population.recovery import RECOVERIES
from qsynth.population.trial import TrialConfig
from qsynth.space.controls import is_on

SIZES = {"latent_dim": 2, "n_layers": 2, "batch_size": 32}
SETTINGS: dict[str, Any] = {
    "n_qubits": 4,
    "ansatz": "strongly_entangling",
    "capacity": SIZES,
    "defaults": {**SIZES, "lr_generator": 0.05},
    "score": {"balance": 0, "utility": 0, "diversity": 0, "novelty": 0, "n_rows": 64},
}
IRIS = TableData(name="iris", n_train=45)


def config(**changes: Any) -> TrialConfig:
    return TrialConfig.model_validate({**SETTINGS, **changes})


def population(made: TrialConfig, source: DataSource = IRIS, n_lanes: int = 2) -> Population:
    instances = [source.instance(seed, held_out=False) for seed in range(n_lanes)]
    pop = Population(made, instances[0].n_features, instances[0].n_classes, n_lanes)
    pop.reset(range(n_lanes), instances, range(n_lanes))
    return pop


@pytest.mark.parametrize("loss", DISTANCES)
def test_there_is_no_tensor_and_no_program_of_a_critic(loss: str) -> None:
    pop = population(config(loss=loss))
    assert not [name for name in pop.snapshot(0).tensors if "critic" in name]
    on = {name for name, value in pop._controls._asdict().items() if is_on(value)}
    assert on == {"lr_generator", "beta1", "sample_weights", "latent_mask", "layer_mask"}
    built: list[str] = []
    Programs(pop._update, lambda name, function: eager(built.append(name) or name, function))  # type: ignore[func-returns-value]
    assert built == ["generator_step"]
    tunable = pop.config.tunable
    assert not {"lr_critic", "n_critic", "gp_weight", "fidelity_weight", "critic_start", "critic_width"} & tunable
    assert {"lr_generator", "batch_size", "latent_dim", "n_layers", "weight_average"} <= tunable


def test_it_takes_no_circuits_for_a_critic() -> None:
    with_critic, without = (population(config(**more)) for more in ({}, {"loss": "energy"}))
    batches = with_critic.iteration_cost().circuits / without.iteration_cost().circuits
    assert batches > with_critic.config.capacity.n_critic / 2


@pytest.mark.parametrize("how", RECOVERIES)
def test_recovery_knows_that_there_is_none(how: Any) -> None:
    pop = population(config(loss="energy"))
    pop.advance(2)
    before = [pop.snapshot(lane).tensors for lane in range(2)]
    pop.recover([1], how)
    after = [pop.snapshot(lane).tensors for lane in range(2)]
    for name in before[0]:
        assert torch.equal(before[0][name], after[0][name])
    assert torch.equal(before[1]["generator"], after[1]["generator"]) is (how == "restart_critic")


@pytest.mark.parametrize("loss", DISTANCES)
@pytest.mark.parametrize("source", [IRIS, GaussianFamily(n_train=64)], ids=["iris", "gaussian"])
def test_it_learns(loss: str, source: DataSource) -> None:
    pop = population(config(loss=loss), source)
    start = pop.evaluate()
    pop.advance(100)
    assert not pop.diverged.any()
    end = pop.evaluate()
    assert (end.raw["fidelity"] < start.raw["fidelity"] / 3).all()
    assert (end.score > start.score + 0.1).all()


def test_beside_a_critic_it_is_the_same_distance_and_a_warm_start_is_without_the_critic() -> None:
    """Before ``critic_start`` only the distance moves the generator, so it moves as without a critic."""
    defaults = {**SETTINGS["defaults"], "fidelity_weight": 1.0, "critic_start": 3, "n_critic": 1}
    both = population(config(defaults=defaults))
    alone = population(config(loss="energy"))
    for pop in (both, alone):
        pop.advance(3)
    one, other = (pop.snapshot(1).tensors["generator"] for pop in (both, alone))
    torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    for pop in (both, alone):
        pop.advance(1)
    assert not torch.allclose(both.snapshot(1).tensors["generator"], alone.snapshot(1).tensors["generator"], atol=1e-3)


def test_the_adversarial_weight_acts_at_every_moment() -> None:
    space = {"adversarial_weight": {"kind": "float", "low": 0, "high": 2}}
    pop = population(config(search_space=space))
    pop.apply({"adversarial_weight": np.array([0.0, 1.0])})
    found = pop.advance(1)
    assert (found.gradient_generator[0], found.loss_generator[0]) == (0, 0)
    assert found.gradient_generator[1] > 0
    pop.apply({"adversarial_weight": np.array([2.0, 1.0])})
    assert (pop.advance(1).gradient_generator > 0).all()


def test_memory_counts_pairs_of_rows_and_no_critic() -> None:
    wide = {"capacity": {**SIZES, "critic_width": 1024}, "defaults": {**SIZES, "critic_width": 1024}}
    without, critic = (population_bytes(config(**wide, **more), 4, 3, 45, 8) for more in ({"loss": "energy"}, {}))
    assert without < critic
    many = population_bytes(config(**wide, loss="energy"), 4, 3, 20_000, 8)
    assert many - without > 8 * 4 * 32 * 19_000
