"""Recovery: what is brought back, what is kept, and that the neighbours do not notice."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from qsynth.population.health import RealRows, ailments
from qsynth.population.population import Population
from qsynth.population.recovery import RECOVERIES, Recovery
from tests.qsynth.population.test_population import instances, population, same, state

N_LANES = 3
SICK = 1


def saturated() -> Population:
    """Lane 1's circuit starts at angles 0, where <Z> = 1 whatever the noise."""
    made = population(N_LANES)
    made.advance(2)
    snapshot = made.snapshot(SICK)
    flat = {**snapshot.tensors, "generator": torch.zeros_like(snapshot.tensors["generator"])}
    made.restore(SICK, replace(snapshot, tensors=flat), instances(N_LANES)[SICK])
    return made


def sick(made: Population) -> list[bool]:
    """Saturated lanes, a few iterations on."""
    real = RealRows.of(instances(N_LANES))
    return [bool(one) for one in ailments(made.advance(3), real, np.zeros(N_LANES))["saturation"]]


def test_a_saturated_trial_stays_so_unless_it_is_initialised_anew() -> None:
    assert sick(saturated()) == [False, True, False]
    made = saturated()
    made.recover([SICK], "reinitialise")
    assert sick(made) == [False, False, False]


@pytest.mark.parametrize("how", RECOVERIES)
def test_neighbours_keep_every_bit_then_and_later(how: Recovery) -> None:
    treated, left = saturated(), saturated()
    treated.recover([SICK], how)
    for n_iterations in (0, 4):
        if n_iterations:
            treated.advance(n_iterations)
            left.advance(n_iterations)
        for lane in range(N_LANES):
            assert same(state(treated, lane), state(left, lane)) is (lane != SICK)


def test_initialising_anew_repeats_neither_the_start_nor_itself() -> None:
    made = population(N_LANES)
    starts = [state(made, SICK)]
    for _ in range(2):
        made.advance(1)
        made.recover([SICK], "reinitialise")
        starts.append(state(made, SICK))
    for name in ("generator", "critic", "seed"):
        assert len({str(start[name]) for start in starts}) == 3
    assert starts[2]["iteration"] == 2
    assert not starts[2]["critic_adam.second"].any()
    again = population(N_LANES)
    again.advance(1)
    again.recover([SICK], "reinitialise")
    assert same(state(again, SICK), starts[1])


def test_shrinking_goes_half_way_back_to_the_start() -> None:
    made = population(N_LANES)
    start = state(made, SICK)
    made.advance(5)
    before = state(made, SICK)
    made.recover([SICK], "shrink")
    after = state(made, SICK)
    torch.testing.assert_close(after["generator"], (start["generator"] + before["generator"]) / 2)
    assert torch.equal(after["critic"], before["critic"])
    assert torch.equal(after["critic_adam.first"], before["critic_adam.first"])
    assert not after["generator_adam.first"].any()


def test_a_new_critic_leaves_the_generator_alone() -> None:
    made = population(N_LANES)
    made.advance(5)
    before = state(made, SICK)
    made.recover([SICK], "restart_critic")
    after = state(made, SICK)
    changed = {name for name in before if not same({name: before[name]}, {name: after[name]})}
    assert changed == {"critic", "critic_adam.first", "critic_adam.second", "critic_adam.steps"}


def test_a_trial_that_diverged_can_start_anew() -> None:
    made = population(N_LANES)
    snapshot = made.snapshot(SICK)
    broken = {**snapshot.tensors, "critic": torch.full_like(snapshot.tensors["critic"], torch.nan)}
    made.restore(SICK, replace(snapshot, tensors=broken), instances(N_LANES)[SICK])
    made.advance(1)
    assert made.diverged.tolist() == [False, True, False]
    made.recover([SICK], "reinitialise")
    made.advance(3)
    assert not made.diverged.any()


def test_the_average_starts_anew_with_its_generator() -> None:
    made = population(N_LANES, search_space={"weight_average": {"kind": "float", "low": 0, "high": 0.9}})
    made.apply({"weight_average": np.array(0.9)})
    made.advance(3)
    made.recover([SICK], "shrink")
    after = state(made, SICK)
    assert torch.equal(after["average"], after["generator"])
