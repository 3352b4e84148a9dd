import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import kstest, norm, truncnorm

from qsynth.data.gaussian import (
    BENCHMARK,
    GaussianFamily,
    NormalTarget,
    _draw_target,
    _normal,
    _random_bimodal,
    _random_lognormal,
    _sample,
)

FAMILY = GaussianFamily(n_train=64, n_validation=32, n_test=128)


def kind(key: str) -> str:
    return key.split(":")[1].split("(")[0]


def test_held_out_zero_is_the_published_target() -> None:
    instance = GaussianFamily(n_test=20_000).instance(0, held_out=True)
    assert instance.key == "gaussian#held-0:normal(0.00,0.20)"
    assert kstest(instance.test.x[:, 0], norm(0, 0.2).cdf).pvalue > 0.01


def test_no_other_instance_has_the_published_target() -> None:
    keys = [FAMILY.instance(seed, held_out).key for seed in range(400) for held_out in (False, True)]
    assert [key for key in keys if key.endswith(BENCHMARK.name)] == ["gaussian#held-0:normal(0.00,0.20)"]
    assert len(set(keys)) == len(keys)


def test_a_target_that_rounds_to_the_published_one_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from qsynth.data import gaussian

    drawn = iter([gaussian._normal(0.001, 0.199), gaussian._normal(-0.001, 0.202), gaussian._normal(0.1, 0.2)])
    monkeypatch.setattr(gaussian, "_KINDS", (lambda rng: next(drawn),))
    assert _draw_target(np.random.default_rng(0)).name == "normal(0.10,0.20)"


def test_kinds_are_equally_likely() -> None:
    kinds = [kind(FAMILY.instance(seed, held_out=False).key) for seed in range(600)]
    assert set(kinds) == {"normal", "bimodal", "lognormal"}
    assert all(150 < kinds.count(k) < 250 for k in set(kinds))


def test_values_stay_inside_and_sizes_are_as_asked() -> None:
    for seed in range(100):
        instance = FAMILY.instance(seed, held_out=False)
        parts = (instance.train, instance.reserve, instance.validation, instance.test)
        assert [len(part) for part in parts] == [64, 64, 32, 128]
        assert all(np.abs(part.x).max() <= 1 for part in parts)


def test_parts_are_different_samples() -> None:
    instance = FAMILY.instance(5, held_out=False)
    parts = (instance.train, instance.reserve, instance.validation, instance.test)
    values = np.concatenate([part.x[:, 0] for part in parts])
    assert len(np.unique(values)) == len(values)


def test_values_outside_are_drawn_again_and_not_moved_to_the_ends() -> None:
    x = _sample(_normal(0.0, 1.0), 20_000, np.random.default_rng(0)).x[:, 0]
    assert kstest(x, truncnorm(-1, 1).cdf).pvalue > 0.01


def test_redraws_do_not_distort_the_targets() -> None:
    """A target that leaves [-1, 1] often would pile up at the ends."""
    rng = np.random.default_rng(0)
    outside = [(np.abs(_draw_target(rng).draw(rng, 2000)) > 1).mean() for _ in range(200)]
    assert max(outside) < 0.15


def test_bimodal_targets_have_a_valley() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        target = _random_bimodal(rng)
        _, low, _, high, _ = map(float, target.name.removeprefix("bimodal(").removesuffix(")").split(","))
        histogram, _ = np.histogram(target.draw(rng, 20_000), bins=3, range=(low - 0.1, high + 0.1))
        assert histogram[1] < min(histogram[0], histogram[2])


def test_lognormal_targets_are_skewed_to_both_sides() -> None:
    rng = np.random.default_rng(2)
    signs = []
    for _ in range(40):
        x = _random_lognormal(rng).draw(rng, 5000)
        signs.append(np.sign(np.mean(x) - np.median(x)))
    assert 8 < signs.count(1.0) < 32
    assert signs.count(0.0) == 0


def test_one_target_for_all_instances_which_are_other_samples() -> None:
    family = GaussianFamily(target=NormalTarget(mean=0.3, sd=0.1), n_test=20_000)
    instances = [family.instance(seed, held_out) for seed in (0, 1) for held_out in (False, True)]
    assert {instance.key.split(":")[1] for instance in instances} == {"normal(0.30,0.10)"}
    assert len({instance.train.x.tobytes() for instance in instances}) == 4
    for instance in instances:
        assert kstest(instance.test.x[:, 0], norm(0.3, 0.1).cdf).pvalue > 1e-3


@pytest.mark.parametrize("target", [{"mean": 1.1, "sd": 0.2}, {"sd": 0.0}, {"mean": 0.0}])
def test_targets_must_lie_in_the_range(target: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        GaussianFamily.model_validate({"target": target})


@pytest.mark.parametrize("field", ["n_train", "n_validation", "n_test"])
@pytest.mark.parametrize("size", [15, 100_001])
def test_sizes_are_bounded(field: str, size: int) -> None:
    with pytest.raises(ValidationError):
        GaussianFamily.model_validate({field: size})
