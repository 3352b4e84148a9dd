"""Each yardstick does what its name says, as well as it can be done."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import gaussian_kde

from qsynth.data.dataset import Instance, Split
from qsynth.yardsticks.duplication import Duplication
from qsynth.yardsticks.gaussian_mixture import GaussianMixture
from qsynth.yardsticks.jittered import WIDTHS, Jittered, energy_distance
from qsynth.yardsticks.kernel_density import KernelDensity
from qsynth.yardsticks.real_sample import RealSample
from qsynth.yardsticks.smote import Smote
from qsynth.yardsticks.tied_gaussian import TiedGaussian
from qsynth.yardsticks.yardstick import Floats, Yardstick
from tests.qsynth.yardsticks.made import instance, normal_rows, split

N = 20_000


def made(yardstick: Yardstick, learned: Instance, label: int, n: int = N) -> Floats:
    """Many rows of one class."""
    return yardstick.fit(learned, 0).sample(np.full(n, label), 0).astype(float)


def two_modes(n: int = 300) -> Split:
    """One class, in two places on a line; nothing lies between."""
    random = np.random.default_rng(3)
    place = np.where(np.arange(n) % 3 == 0, -0.8, 0.8)
    return split(np.stack([place + 0.05 * random.normal(size=n), 0.3 * random.normal(size=n)], axis=1), np.zeros(n))


@pytest.mark.parametrize("label", [0, 1])
def test_a_mixture_of_one_has_the_moments_of_its_class(label: int) -> None:
    rows = normal_rows(0)
    found, real = made(GaussianMixture(), instance(rows), label), rows.x[rows.y == label]
    np.testing.assert_allclose(found.mean(axis=0), real.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.corrcoef(found.T)[0, 1], np.corrcoef(real.T)[0, 1], atol=0.02)
    np.testing.assert_allclose(found.std(axis=0), real.std(axis=0), rtol=0.03)


def test_a_mixture_has_a_component_a_mode_in_the_modes_shares() -> None:
    fitted = GaussianMixture().fit(instance(two_modes()), 0)
    assert len(fitted.laws[0].weights) == 2  # type: ignore[attr-defined]
    first = fitted.sample(np.zeros(N, dtype=np.int64), 0)[:, 0]
    assert (np.abs(first) < 0.4).mean() < 1e-3
    assert (first < 0).mean() == pytest.approx(1 / 3, abs=0.015)


def test_the_criterion_is_content_with_one_component_where_there_is_one() -> None:
    fitted = GaussianMixture().fit(instance(normal_rows(0)), 0)
    assert [len(law.weights) for law in fitted.laws] == [1, 1]  # type: ignore[attr-defined]


def test_a_row_that_is_alone_in_its_class_has_the_spread_of_the_others() -> None:
    rows = normal_rows(0)
    y = np.where(np.arange(len(rows)) == 4, 2, rows.y)
    learned = instance(split(rows.x, y))
    for yardstick in (GaussianMixture(), KernelDensity()):
        found = made(yardstick, learned, 2)
        np.testing.assert_allclose(found.mean(axis=0), rows.x[4], atol=0.02)
        np.testing.assert_allclose(found.std(axis=0), [0.3, 0.3], rtol=0.1)


def test_a_tied_gaussian_shares_its_covariance_and_has_its_own_means() -> None:
    rows = normal_rows(0)
    correlated = split(np.where(rows.y[:, None] == 0, rows.x, rows.x * [1, -1] + [0, 2]), rows.y)
    found = [made(TiedGaussian(), instance(correlated), label) for label in (0, 1)]
    for each, label in zip(found, (0, 1), strict=True):
        np.testing.assert_allclose(each.mean(axis=0), correlated.x[rows.y == label].mean(axis=0), atol=0.01)
        assert np.corrcoef(each.T)[0, 1] == pytest.approx(0.8, abs=0.05)
    np.testing.assert_allclose(np.cov(found[0].T), np.cov(found[1].T), atol=0.005)
    opposed = made(TiedGaussian(), instance(rows), 0)  # +0.8 and -0.8 are 0 together
    assert np.corrcoef(opposed.T)[0, 1] == pytest.approx(0.0, abs=0.06)


@pytest.mark.parametrize("rows", [normal_rows(0, 80), two_modes(60)], ids=["normal", "two modes"])
def test_a_kernel_density_is_scipys(rows: Split) -> None:
    real = rows.x[rows.y == 0].astype(float)
    found, reference = made(KernelDensity(), instance(rows), 0), gaussian_kde(real.T)
    expected = reference.resample(N, seed=np.random.default_rng(1)).T
    np.testing.assert_allclose(np.cov(found.T), np.cov(expected.T), rtol=0.05, atol=0.005)
    for level in (0.1, 0.5, 0.9):
        np.testing.assert_allclose(np.quantile(found, level, axis=0), np.quantile(expected, level, axis=0), atol=0.02)
    assert reference.logpdf(found.T[:, :2000]).mean() == pytest.approx(
        reference.logpdf(expected.T[:, :2000]).mean(), abs=0.08
    )


@pytest.mark.parametrize("lost", [0.3, 0.5])
def test_jitter_gives_back_the_spread_that_a_yardstick_has_lost(lost: float) -> None:
    """Training rows that have been pulled together: validation rows tell how much."""
    wide = normal_rows(1, 600)
    means = np.stack([wide.x[wide.y == label].mean(axis=0) for label in (0, 1)])[wide.y]
    narrow = split(means + (wide.x - means) / np.sqrt(1 + lost**2), wide.y)
    learned = instance(narrow, validation=normal_rows(2, 500))
    plain, jittered = Duplication(), Jittered(Duplication())
    width = jittered.fit(learned, 0).sd[0] / np.sqrt(np.diag(_within(narrow)))[0]
    assert width == pytest.approx(lost, abs=0.201)  # the rows are correlated, the jitter is not
    labels, test = np.arange(1000) % 2, normal_rows(3, 1000)
    missed = [energy_distance(each.fit(learned, 0).sample(labels, 7), labels, test) for each in (plain, jittered)]
    assert missed[1] < missed[0]


def _within(rows: Split) -> Floats:
    centred = [rows.x[rows.y == label] - rows.x[rows.y == label].mean(axis=0) for label in (0, 1)]
    return np.asarray(np.cov(np.concatenate(centred).T))


def test_there_is_no_jitter_where_it_would_harm() -> None:
    chosen = []
    for seed in range(6):
        learned = instance(normal_rows(3 * seed, 400), normal_rows(3 * seed + 1, 512), normal_rows(3 * seed + 2, 400))
        chosen.append(Jittered(RealSample()).fit(learned, 0).sd[0] / np.sqrt(np.diag(_within(learned.train)))[0])
    assert np.median(chosen) <= WIDTHS[2] * 1.01, chosen


def test_jitter_is_of_the_chosen_width_and_knows_no_columns_without_spread() -> None:
    wide = normal_rows(1, 600)
    flat = split(np.column_stack([wide.x * 0.2 + 0.8 * np.sign(wide.y - 0.5)[:, None], np.ones(600)]), wide.y)
    learned = instance(flat, validation=split(np.column_stack([wide.x, np.ones(600)]), wide.y))
    fitted = Jittered(Duplication()).fit(learned, 0)
    labels = np.zeros(600 * 5, dtype=np.int64)
    noise = fitted.sample(labels, 3) - Duplication().fit(learned, 0).sample(labels, 3)
    np.testing.assert_allclose(noise.std(axis=0), fitted.sd, rtol=0.05)
    assert fitted.sd[0] == pytest.approx(0.5 * 0.2 * 0.3, rel=0.1)  # the widest that there is
    assert np.abs(noise[:, 2]).max() < 1e-6


def test_smote_lies_between_a_row_and_one_of_its_five_nearest() -> None:
    rows = normal_rows(0, 120)
    real = rows.x[rows.y == 1].astype(float)
    found = made(Smote(), instance(rows), 1, 3000)
    order = np.argsort(cdist(real, real), axis=1)[:, 1:]
    used = set()
    for row in found:
        start, end = real[:, None, :], real[order]  # n x 1 x d, n x others x d
        away = (
            np.linalg.norm(row - start, axis=2)
            + np.linalg.norm(row - end, axis=2)
            - np.linalg.norm(end - start, axis=2)
        )
        near = int(np.min(np.argwhere(away < 1e-6)[:, 1]))
        assert near < 5
        used.add(near)
    assert used == set(range(5))
    closest = cdist(found, real).min(axis=1)
    assert (closest < 1e-6).mean() < 0.02  # not the rows themselves
    spread = np.array([(found**2).sum(axis=1).std(), (real**2).sum(axis=1).std()])
    assert spread[0] == pytest.approx(spread[1], rel=0.25)


def test_smote_does_not_join_equal_rows_to_others_beyond_the_nearest() -> None:
    points = np.repeat([[0.0, 0.0], [1.0, 0.0]], 7, axis=0)
    found = made(Smote(), instance(split(points, np.zeros(14))), 0, 500)
    assert set(found[:, 0].tolist()) == {0.0, 1.0}  # seven equal rows are neighbours of one another


def test_duplication_gives_every_row_of_the_class_equally_often() -> None:
    rows = normal_rows(0, 40)
    found = made(Duplication(), instance(rows), 1, 50)
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert sorted(set(counts)) == [2, 3]
    assert len(counts) == 20
    assert cdist(found, rows.x[rows.y == 1]).min(axis=1).max() == 0.0


def test_the_second_real_sample_is_the_reserve_without_replacement() -> None:
    reserve = normal_rows(5, 40)
    found = made(RealSample(), instance(normal_rows(0, 40), reserve=reserve), 0, 20)
    assert {tuple(row) for row in found} == {tuple(row) for row in reserve.x[reserve.y == 0].astype(float)}


def test_a_class_that_the_reserve_lacks_has_its_training_rows() -> None:
    train = normal_rows(0, 40)
    reserve = split(train.x[train.y == 0] + 1, np.zeros(20))
    found = made(RealSample(), instance(train, reserve=reserve), 1, 20)
    assert {tuple(row) for row in found} == {tuple(row) for row in train.x[train.y == 1].astype(float)}


def test_energy_distance_is_least_for_the_same_law_and_minds_the_class() -> None:
    real, labels = normal_rows(0, 500), np.arange(500) % 2
    same = normal_rows(1, 500).x
    worse = {"shifted": same + 0.1, "spread": same * 1.15, "swapped": same[::-1], "narrow": same * 0.85}
    missed = {name: energy_distance(x, labels, real) for name, x in worse.items()}
    least = energy_distance(same, labels, real)
    assert all(value > least + 1e-4 for value in missed.values()), (least, missed)
