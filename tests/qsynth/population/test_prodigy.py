"""A population whose optimiser finds its learning rates."""

import pytest
import torch

from qsynth.config import parse
from qsynth.errors import QsynthError
from qsynth.population.trial import TrialConfig
from qsynth.population.trial_settings import RATES
from qsynth.space.search_space import Float
from tests.qsynth.population.test_population import TINY, config, instances, population, same, state

PRODIGY = {"optimizer": "prodigy"}


def test_it_has_no_learning_rates() -> None:
    assert not RATES & config(**PRODIGY).tunable
    assert not RATES & set(population(**PRODIGY).values)
    rate = {"kind": "float", "low": 0.001, "high": 0.1, "log": True}
    with pytest.raises(QsynthError, match=r"lr_critic must be left out: it does nothing .*, under optimizer prodigy"):
        parse(TrialConfig, TINY | PRODIGY | {"search_space": {"lr_critic": rate}}, source="study")
    with pytest.raises(QsynthError, match="Did you mean 'prodigy'"):
        parse(TrialConfig, TINY | {"optimizer": "prodgy"}, source="study")


def test_a_trial_under_it_tunes_what_is_left() -> None:
    dimension = Float(low=0.001, high=0.1, log=True)
    space = {"lr_critic": dimension, "lr_generator": dimension, "beta1": Float(low=0.0, high=0.9)}
    trial = config(search_space=space)
    assert set(trial.under("prodigy").search_space) == {"beta1"}
    assert trial.under("prodigy").optimizer == "prodigy"
    assert trial.under("adam") == trial


def test_lanes_do_what_they_do_alone_and_snapshots_go_on() -> None:
    beside, alone = population(**PRODIGY), population(1, seeds=[11], **PRODIGY)
    alone.reset([0], [instances(2)[1]], [11])
    for pop in (beside, alone):
        pop.advance(4)
    kept = beside.snapshot(1)
    moved = kept.tensors["generator_adam.distance"]
    assert moved > 1e-6
    assert kept.tensors["critic_adam.distance"] > 1e-6
    torch.testing.assert_close(moved, alone.snapshot(0).tensors["generator_adam.distance"], rtol=1e-3, atol=0)
    beside.advance(2)
    again = population(**PRODIGY)
    again.restore(1, kept, instances(2)[1])
    again.advance(2)
    assert same(state(again, 1), state(beside, 1))


def test_a_recovery_begins_to_find_anew() -> None:
    pop = population(**PRODIGY)
    pop.advance(4)
    pop.recover([0], "restart_critic")
    assert pop.snapshot(0).tensors["critic_adam.distance"] == 0
    assert pop.snapshot(1).tensors["critic_adam.distance"] > 1e-6
    pop.advance(1)
    assert not pop.diverged.any()
