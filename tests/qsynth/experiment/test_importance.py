"""A regression finds what an outcome was made of, and nothing where there is nothing."""

import numpy as np
import pytest

from qsynth.errors import DataError
from qsynth.experiment.importance import importance_picture, regress
from qsynth.space.hyperparameters import Tunables
from qsynth.space.search_space import random_values

SPACE = Tunables.model_validate(
    {
        "search_space": {
            "lr_generator": {"kind": "float", "low": 0.001, "high": 0.1, "log": True},
            "gp_weight": {"kind": "float", "low": 0, "high": 10},
            "n_layers": {"kind": "int", "low": 1, "high": 3},
        }
    }
).search_space
N_GROUPS, N_EACH = 30, 8


def drawn(seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Values, groups, and noise with a level of each group's own."""
    random = np.random.default_rng(seed)
    values = random_values(SPACE, random, N_GROUPS * N_EACH)
    groups = np.repeat(np.arange(N_GROUPS), N_EACH)
    return values, groups, random.normal(size=N_GROUPS)[groups] + 0.1 * random.normal(size=len(groups))


def test_what_matters_comes_first_and_its_interval_holds_the_truth() -> None:
    values, groups, noise = drawn()
    outcome = noise + 2.0 * SPACE["lr_generator"].to_unit(values["lr_generator"])
    found = regress(SPACE, values, outcome, groups)
    first, *others = found.effects
    assert first.name == "lr_generator"
    assert first.low < 2.0 < first.high
    assert first.high - first.low < 0.3
    assert first.importance_low > 0.5
    for other in others:
        assert other.low < 0 < other.high
        assert abs(other.importance) < 0.05
    assert found.linear > 0.9
    assert found.forest > 0.8


def test_what_is_not_linear_is_important_all_the_same() -> None:
    values, groups, noise = drawn(1)
    outcome = noise - 4.0 * (values["gp_weight"] / 10 - 0.5) ** 2
    found = regress(SPACE, values, outcome, groups)
    assert found.effects[0].name == "gp_weight"
    assert found.effects[0].low < 0 < found.effects[0].high
    assert found.effects[0].importance_low > 0.5


def test_noise_has_no_causes() -> None:
    found = [regress(SPACE, *_of(drawn(seed))) for seed in range(2, 5)]
    assert sum(effect.low > 0 or effect.high < 0 for each in found for effect in each.effects) <= 2
    assert all(each.forest < 0.1 for each in found)


def test_groups_levels_do_not_count() -> None:
    values, groups, noise = drawn()
    lifted = noise + 1000.0 * groups
    plain, far = (regress(SPACE, values, outcome, groups) for outcome in (noise, lifted))
    assert [each.change for each in plain.effects] == pytest.approx([each.change for each in far.effects], abs=1e-6)


def test_too_few_trials_are_refused() -> None:
    values, groups, noise = drawn()
    few = {name: value[:8] for name, value in values.items()}
    with pytest.raises(DataError, match="got 1 groups of 8 trials"):
        regress(SPACE, few, noise[:8], groups[:8])


def test_the_picture_is_one() -> None:
    assert importance_picture(regress(SPACE, *_of(drawn())), "points").startswith(b"\x89PNG")


def _of(all_of_it: tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]) -> tuple[object, ...]:
    values, groups, noise = all_of_it
    return values, noise, groups
