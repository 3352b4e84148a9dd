"""Entangling patterns that may change while a trial runs."""

from typing import Any

import numpy as np
import pytest
import torch

from qsynth.config import parse
from qsynth.data.gaussian import GaussianFamily
from qsynth.errors import QsynthError
from qsynth.population.population import Population
from qsynth.population.trial import TrialConfig

NAMES = ["ry_rx_cnot", "ry_rx_cnot_chain", "hardware_efficient"]
SPACE = {"pattern": {"kind": "choice", "values": [0, 1, 2]}, "n_layers": {"kind": "int", "low": 1, "high": 2}}
TINY = {
    "n_qubits": 3,
    "capacity": {"latent_dim": 2, "n_layers": 2, "critic_width": 4, "batch_size": 4, "n_critic": 1},
    "defaults": {"n_layers": 2, "critic_width": 4, "batch_size": 4, "n_critic": 1, "lr_generator": 0.05},
    "score": {"balance": 0, "utility": 0, "n_rows": 32},
}
SOURCE = GaussianFamily(n_train=32, n_validation=32, n_test=32)
KINDS: list[dict[str, Any]] = [
    {},
    {"generator": {"kind": "quantum", "patches": 2}},
    {"generator": {"kind": "vae", "decoder": "quantum"}},
]


def config(**changes: Any) -> TrialConfig:
    return parse(TrialConfig, {**TINY, **changes}, source="study")


def population(n_lanes: int, compiled: bool = False, **changes: Any) -> Population:
    """The same trial in every lane."""
    made = Population(config(**changes), 1, 1, n_lanes, compiled=compiled)
    made.reset(range(n_lanes), [SOURCE.instance(0, held_out=False)] * n_lanes, [3] * n_lanes)
    return made


def chosen(n_lanes: int, **changes: Any) -> Population:
    return population(n_lanes, ansatz=NAMES[0], patterns=NAMES[1:], search_space=SPACE, **changes)


def weights(pop: Population, lane: int) -> torch.Tensor:
    return pop.snapshot(lane).tensors["generator"]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("n_layers", [1, 2])
def test_each_is_the_ansatz_of_its_name(kind: dict[str, Any], n_layers: int) -> None:
    pop = chosen(3, **kind)
    pop.apply({"pattern": np.arange(3), "n_layers": np.full(3, n_layers)})
    pop.advance(3)
    labels = torch.ones(20, 1)
    for lane, name in enumerate(NAMES):
        alone = population(1, ansatz=name, **kind)
        alone.apply({"n_layers": np.array([n_layers])})
        alone.advance(3)
        torch.testing.assert_close(weights(pop, lane), weights(alone, 0), rtol=0, atol=1e-6)
        rows, wanted = pop.sample(lane, labels, seed=1), alone.sample(0, labels, seed=1)
        torch.testing.assert_close(rows, wanted, rtol=0, atol=1e-5)
    assert not torch.equal(weights(pop, 0), weights(pop, 1))


def test_weights_carry_over_and_a_sample_follows_the_pattern() -> None:
    pop, stays = chosen(2), chosen(2)
    before = weights(pop, 0)
    rows = pop.sample(0, torch.ones(64, 1), seed=1)
    pop.apply({"pattern": np.array([1, 0])})
    assert torch.equal(weights(pop, 0), before)
    assert not torch.equal(pop.sample(0, torch.ones(64, 1), seed=1), rows)
    assert torch.equal(pop.sample(1, torch.ones(64, 1), seed=1), rows)
    pop.advance(1)
    stays.advance(1)
    assert torch.equal(weights(pop, 1), weights(stays, 1))
    restored = chosen(1)
    restored.restore(0, pop.snapshot(0), SOURCE.instance(0, held_out=False))
    assert restored.values["pattern"][0] == 1
    assert torch.equal(restored.sample(0, torch.ones(64, 1), seed=1), pop.sample(0, torch.ones(64, 1), seed=1))


def test_without_a_choice_it_is_the_first() -> None:
    one, plain = population(1, patterns=NAMES[1:]), population(1)
    assert "pattern" not in one.values
    assert torch.equal(one.sample(0, torch.ones(9, 1), seed=1), plain.sample(0, torch.ones(9, 1), seed=1))
    other = {**TINY["defaults"], "pattern": 1}  # type: ignore[dict-item]
    fixed, chain = population(1, patterns=NAMES[1:], defaults=other), population(1, ansatz=NAMES[1])
    assert torch.equal(fixed.sample(0, torch.ones(9, 1), seed=1), chain.sample(0, torch.ones(9, 1), seed=1))


@pytest.mark.slow
def test_compiled_trials_have_patterns() -> None:
    changes = {"patterns": NAMES[1:], "search_space": SPACE}
    made, eager = population(3, compiled=True, **changes), population(3, **changes)
    found = []
    for pop in (made, eager):
        pop.apply({"pattern": np.arange(3), "lr_generator": np.zeros(3), "lr_critic": np.zeros(3)})
        found.append(pop.advance(2))
    np.testing.assert_allclose(found[0].spread, found[1].spread, rtol=1e-4)
    np.testing.assert_allclose(found[0].gradient_generator, found[1].gradient_generator, rtol=1e-3)
    assert len(np.unique(found[1].spread)) == 3


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"patterns": ["ry_rx_cnot_chian"]}, "Did you mean 'ry_rx_cnot_chain'"),
        ({"patterns": ["strongly_entangling"]}, "patterns must have the ansatz's 6 weights a layer; .* has 9"),
        ({"search_space": SPACE}, r"search_space\.pattern must stay within 0\.\.0; got 0\.\.2"),
        (
            {"patterns": NAMES[1:], "defaults": {**TINY["defaults"], "pattern": 3}},
            r"defaults\.pattern must be within 0\.\.2; got 3",
        ),
        ({"patterns": NAMES[1:], "generator": {"kind": "classical"}}, "patterns must be left out with generator clas"),
        ({"patterns": NAMES[1:], "engine": {"name": "default.qubit"}}, "patterns need the statevector engine"),
        (
            {"ansatz": "strongly_entangling", "patterns": ["data_reuploading"]},
            "patterns must be of ansaetze whose layers take no inputs; got 'data_reuploading'",
        ),
        (
            {"patterns": NAMES[1:], "search_space": {"pattern": {"kind": "float", "low": 0, "high": 1}}},
            r"search_space\.pattern must be an int or a choice",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(QsynthError, match=expected):
        config(**changes)


def test_a_pattern_in_between_is_refused() -> None:
    with pytest.raises(QsynthError, match=r"pattern must be whole and within"):
        chosen(1).apply({"pattern": np.array([0.5])})
    with pytest.raises(QsynthError, match=r"pattern must be whole and within 0\.\.2; got 3"):
        chosen(1).apply({"pattern": np.array([3])})
