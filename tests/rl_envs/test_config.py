"""Settings of environments: plain data will do, errors are one line, instances are made once."""

import pytest

from qsynth.data.dataset import Instance
from qsynth.data.gaussian import GaussianFamily
from qsynth.errors import QsynthError
from rl_envs.config import InstancePool, environment_config, make_tuner
from tests.rl_envs.tiny import environment


def test_plain_data_makes_the_same_config() -> None:
    config = environment()
    assert environment_config(config) is config
    assert environment_config(config.model_dump(mode="json")) == config


def test_a_mistake_is_named_in_one_line() -> None:
    plain = environment().model_dump()
    plain["episode"]["n_decision"] = 3
    with pytest.raises(QsynthError, match=r"environment: unknown key 'episode.n_decision'.*'n_decisions'") as caught:
        environment_config(plain)
    assert "\n" not in str(caught.value)


def test_a_tuner_has_the_instances_shape() -> None:
    tuner = make_tuner(environment(), 2)
    assert (tuner.population.n_lanes, tuner.population.n_features, tuner.population.n_classes) == (2, 1, 1)
    assert tuner.episode == environment().episode


def test_instances_are_made_once_and_only_when_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, bool]] = []
    original = GaussianFamily.instance

    def instance(self: GaussianFamily, seed: int, held_out: bool) -> Instance:
        made.append((seed, held_out))
        return original(self, seed, held_out)

    monkeypatch.setattr(GaussianFamily, "instance", instance)
    pool = InstancePool(environment())
    assert len(pool) == 6
    assert made == []
    assert pool[4] is pool[4]
    assert pool[4].key != pool[2].key
    assert made == [(4, False), (2, False)]  # never a held-out one
