"""The structure of a trial's circuit."""

from typing import Any

import numpy as np
import pytest
import torch

from qsynth.circuits.spend import Spend
from qsynth.data.gaussian import GaussianFamily
from qsynth.errors import QsynthError
from qsynth.population.inspection import inspect
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig

SIZES = {"n_layers": 2, "batch_size": 4, "n_critic": 2, "critic_width": 8, "latent_dim": 2}


def config(**changes: Any) -> TrialConfig:
    score = {"diversity": 0, "balance": 0, "utility": 0, "n_rows": 64}
    return TrialConfig.model_validate({"n_qubits": 2, "capacity": SIZES, "defaults": SIZES, "score": score, **changes})


def test_only_the_features_outputs_count() -> None:
    """The ring's last CNOT, from qubit 1 to 0, copies both qubits into <Z_0>; <Z_1> is another's."""
    assert inspect(config(), 2, 1).warnings == ()
    [line] = inspect(config(), 1, 1).warnings
    assert line.startswith("2 of 8 weights have no effect on the outputs used: layer 1: 0-1")
    with pytest.raises(QsynthError, match="n_qubits must suffice"):
        inspect(config(), 3, 1)


@pytest.mark.parametrize(
    ("engine", "method"),
    [
        ({}, "backprop"),
        ({"name": "default.qubit", "differentiation": "adjoint"}, "adjoint"),
        ({"name": "lightning.qubit"}, "adjoint"),
        ({"shots": 10}, "backprop"),
        ({"shots": 10, "differentiation": "parameter-shift"}, "parameter-shift"),
        ({"noise": {"one_qubit": 0.01}}, "backprop"),
    ],
)
def test_the_gradient_s_method_is_the_engine_s(engine: dict[str, Any], method: str) -> None:
    assert inspect(config(engine=engine), 2, 1).work.method == method


def test_circuits_of_an_iteration_are_those_that_a_population_executes() -> None:
    made = config(engine={"name": "default.qubit", "differentiation": "parameter-shift", "shots": 5})
    work = inspect(made, 1, 1).work
    assert work.outputs == 2 * 4 + 4
    assert work.gradient == 4 * 2 * (2 + 8)
    population = Population(made, 1, 1, 1)
    population.reset([0], [GaussianFamily().instance(0, held_out=False)], [0])
    population.advance(1)
    assert population.spent == Spend(work.outputs + work.gradient, work.shots or 0)


def test_spread_is_that_of_an_untrained_generator() -> None:
    """Against many rows of a population's own generator, in root mean square over seeds."""
    made = config(n_qubits=3, ansatz="strongly_entangling")
    found = inspect(made, 1, 1).outputs
    assert found is not None
    population = Population(made, 1, 1, 64)
    population.reset(range(64), [GaussianFamily().instance(0, held_out=False)] * 64, range(64))
    rows = np.stack([population.sample(lane, torch.ones(400, 1), 3).numpy() for lane in range(64)])
    assert found.spread[0] == pytest.approx(np.sqrt(rows.var(axis=1).mean()), rel=0.25)


@pytest.mark.parametrize("change", [{"n_layers": 1}, {"latent_dim": 1}])
def test_the_start_is_at_the_defaults_and_the_rest_at_the_capacity(change: dict[str, int]) -> None:
    whole, part = inspect(config(), 2, 1), inspect(config(defaults=SIZES | change), 2, 1)
    assert whole.outputs is not None
    assert part.outputs is not None
    assert whole.outputs.spread != part.outputs.spread
    assert whole.outputs.sd == part.outputs.sd
    assert whole.n_weights == part.n_weights == 8
