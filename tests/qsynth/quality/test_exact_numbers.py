"""Measures of samples for which the number is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from qsynth.quality.associations import associations
from qsynth.quality.coverage import coverage
from qsynth.quality.distances import energy_distance, sliced_wasserstein
from qsynth.quality.features import Features
from qsynth.quality.privacy import memorised
from qsynth.quality.samples import Samples
from qsynth.quality.tstr import balanced_accuracy
from qsynth.tables.inference import infer_schema


def test_every_class_weighs_the_same_in_the_accuracy() -> None:
    truth, predicted = np.array([0.0] * 8 + [1.0] * 2), np.zeros(10)
    assert balanced_accuracy(truth, predicted).value == 0.5


def test_energy_distance_of_two_points() -> None:
    first, second = np.zeros((3, 2)), np.tile([3.0, 4.0], (2, 1))
    assert energy_distance(first, second) == pytest.approx(np.sqrt(10))
    assert energy_distance(first, first) == 0


def test_sliced_wasserstein_sees_spread_and_not_means_alone() -> None:
    x = np.random.default_rng(0).normal(size=(500, 1))
    assert sliced_wasserstein(x, 3 * x, 0) == pytest.approx(2 * np.abs(x).mean(), rel=0.05)
    assert sliced_wasserstein(x, x + 2, 0) == pytest.approx(2, rel=0.01)


def test_associations_of_dependent_columns() -> None:
    y = np.tile([0, 1, 2], 40)
    frame = pd.DataFrame({"up": y + 0.0, "down": -2.0 * y + 0.5, "level": np.array(["a", "b", "c"])[y]})
    frame = frame.assign(same_level=frame["level"].str.upper(), other=np.repeat(["x", "y"], 60))
    schema, _ = infer_schema(frame, None, {"up": "number", "down": "number"})
    features = Features.of(frame, schema)
    found = associations(features.matrix(frame), features.blocks)
    assert found[0, 1] == pytest.approx(-1)
    assert found[0, 2] == pytest.approx(1), "a correlation ratio"
    assert found[2, 3] == pytest.approx(1), "Cramér's V, of three levels"
    assert found[0, 4] == pytest.approx(0, abs=1e-9)
    assert found[2, 4] == pytest.approx(0, abs=1e-9)


def test_associations_of_columns_that_go_together_a_little() -> None:
    """Each is the root of a share of the variance."""
    rng = np.random.default_rng(0)
    levels = pd.DataFrame({"first": rng.integers(0, 3, 400), "second": rng.integers(0, 4, 400)})
    levels["second"] = np.where(rng.random(400) < 0.5, levels["first"], levels["second"])
    number = rng.normal(size=400) + levels["first"]
    frame = levels.astype(str).assign(number=number, other=number + rng.normal(size=400))
    kinds = {"first": "category", "second": "category", "number": "number", "other": "number"}
    features = Features.of(frame, infer_schema(frame, None, kinds)[0])
    found = associations(features.matrix(frame), features.blocks)
    assert found[0, 1] == pytest.approx(association(pd.crosstab(frame["first"], frame["second"]), method="cramer"))
    assert found[2, 3] == pytest.approx(np.corrcoef(frame["number"], frame["other"])[0, 1])
    between = frame.groupby("first")["number"].transform("mean").var(ddof=0)
    assert found[0, 2] == pytest.approx(np.sqrt(between / frame["number"].var(ddof=0)))
    assert (np.abs(found[np.tril_indices(4, -1)]) < 0.9).all()


def test_without_held_out_rows_those_that_stand_in_are_none_of_those_that_are_compared_with() -> None:
    frame = pd.DataFrame({"size": np.arange(41) + 0.5})
    schema, _ = infer_schema(frame, None, {"size": "number"})
    samples = Samples.of(Features.of(frame, schema), frame, frame, None, {}, 0)
    there, here = (set(rows.frame["size"]) for rows in (samples.fresh, samples.stand_in))
    assert not there & here
    assert there | here == set(frame["size"])


def test_two_levels_are_as_far_apart_as_one_deviation() -> None:
    frame = pd.DataFrame({"level": ["a", "b"] * 10, "size": np.tile([1.0, 3.0], 10)})
    schema, _ = infer_schema(frame, None, {"size": "number", "level": "category"})
    matrix = Features.of(frame, schema).matrix(frame)
    assert np.linalg.norm(matrix[0, :-2] - matrix[1, :-2]) == pytest.approx(1)
    assert matrix[:2, -2] == pytest.approx([-1, 1])


def test_what_is_to_be_predicted_is_no_input() -> None:
    frame = pd.DataFrame({"size": np.arange(20.0), "class": ["a", "b"] * 10})
    features = Features.of(frame, infer_schema(frame, "class", {"size": "number"})[0])
    matrix = features.matrix(frame)
    assert features.inputs(matrix).shape[1] == 2 < matrix.shape[1]
    assert set(features.answers(frame)) == {0, 1}


def test_recall_is_of_balls_of_their_own_size() -> None:
    """A far row with a large ball says nothing of the others' balls."""
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(50, 2)) * 0.01, [[100.0, 100.0]]])
    real = np.vstack([rng.normal(size=(25, 2)) * 0.01, rng.normal(size=(25, 2)) * 0.01 - [5.0, 0.0]])
    assert 0.3 < coverage(rows, real).recall < 0.6


def test_recall_is_of_the_rows_balls_and_precision_of_the_real_ones() -> None:
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) * 0.001
    assert (coverage(wide, narrow).precision, coverage(wide, narrow).recall) == (0, 1)
    assert (coverage(narrow, wide).precision, coverage(narrow, wide).recall) == (1, 0)


def test_more_learned_than_unseen_rows_are_no_memory() -> None:
    rng = np.random.default_rng(0)
    rows, learned, unseen = rng.normal(size=(2000, 2)), rng.normal(size=(900, 2)), rng.normal(size=(100, 2))
    assert memorised(rows, learned, unseen) == pytest.approx(0.5, abs=0.15)
    assert memorised(learned, learned, unseen) == 1
    few_levels = np.zeros((50, 2))
    assert memorised(few_levels, few_levels[:30], few_levels[:10]) == pytest.approx(0.5)
