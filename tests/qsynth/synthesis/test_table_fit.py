"""From a table to a model: which rows are for what, and that rows which are kept back stay unseen."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from qsynth.data.dataset import Instance
from qsynth.population.snapshot import Snapshot
from qsynth.population.trial import TrialConfig
from qsynth.synthesis import table_fit
from qsynth.synthesis.settings import default_config
from qsynth.synthesis.table_fit import fit_table
from qsynth.tables.inference import infer_schema

N = 100


def untrained(config: TrialConfig, instance: Instance) -> Snapshot:
    raise AssertionError("a yardstick's model trains no circuit")


def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    kind = np.repeat(["a", "b"], [N // 4, N - N // 4])
    return pd.DataFrame({"kind": kind, "x": random.normal(size=N), "y": random.normal(size=N)})


def test_rows_that_are_kept_back_are_not_learned_from() -> None:
    frame = table()
    done = fit_table(frame, infer_schema(frame, "kind")[0], default_config(), "tied Gaussian", 0, untrained)
    assert "80 rows to learn from, 20 are kept back to measure; all 100 for the columns' distributions" in done.notes


def test_the_rows_kept_back_are_measured_through_columns_that_have_not_seen_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row far off that is kept back leaves no trace in the columns' distributions by which all are measured."""
    frame = table()
    schema, _ = infer_schema(frame, "kind")
    labels = schema.labels(frame)
    _, held = table_fit._split(labels, 2, 0)
    seen: list[Any] = []
    monkeypatch.setattr(table_fit, "_scores", lambda full, *_: seen.append(full) or {})
    for far in (0.0, 1000.0):
        frame.loc[held[0], "x"] = far
        schema, _ = infer_schema(frame, "kind")
        fit_table(frame, schema, default_config(), "tied Gaussian", 0, untrained)
    np.testing.assert_array_equal(seen[0].train.x, seen[1].train.x)


def test_another_seed_keeps_back_other_rows_of_every_class() -> None:
    frame = table()
    labels = infer_schema(frame, "kind")[0].labels(frame)
    splits = [table_fit._split(labels, 2, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(splits[0][1], splits[1][1])
    assert set(splits[0][1]) != set(splits[2][1])
    for learned, held in splits:
        assert sorted([*learned, *held]) == list(range(N))
        assert np.bincount(labels[held]).tolist() == [5, 15]


def test_of_very_many_rows_some_say_how_columns_go_together_and_rare_classes_stay() -> None:
    labels = np.repeat([0, 1, 2], [200_000, 50, 1000])
    rows = np.arange(0, len(labels), 2)
    chosen = table_fit._at_most(table_fit.MOST_TOGETHER, rows, labels, 0)
    assert set(chosen) <= set(rows)
    assert np.bincount(labels[chosen]).tolist() == [8149, 25, 64]
    np.testing.assert_array_equal(table_fit._at_most(200, rows[:100], labels, 0), rows[:100])
    other = table_fit._at_most(table_fit.MOST_TOGETHER, rows, labels, 1)
    assert not np.array_equal(chosen, other)


def test_what_is_learned_of_very_many_rows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_fit, "MOST_TOGETHER", 50)
    monkeypatch.setattr(table_fit, "FEWEST_TOGETHER", 5)
    frame = table()
    done = fit_table(frame, infer_schema(frame, "kind")[0], default_config(), "tied Gaussian", 0, untrained)
    expected = "80 rows to learn from, 50 of them for how columns go together, 20 are kept back to measure; all 100"
    assert done.notes[0].startswith(expected)
