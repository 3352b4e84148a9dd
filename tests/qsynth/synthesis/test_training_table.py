"""A training table has real rows as they are, synthetic ones with chances, and the weight that each class is due."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from qsynth.errors import DataError, StudyError
from qsynth.synthesizer import QGANSynthesizer

CHANCES = ["kind=common", "kind=rare"]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    kind = np.array(["common"] * 50 + ["rare"] * 5)
    x = random.normal(size=55) + 3 * (kind == "rare")
    site = random.choice(["north", "south"], size=55)
    return pd.DataFrame({"row": [f"r{i:03d}" for i in range(55)], "x": x, "y": x + 1, "site": site, "kind": kind})


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> QGANSynthesizer:
    return QGANSynthesizer(n_iterations=30, random_state=0, verbose=False).fit(frame, target="kind")


def test_it_is_what_a_qnn_learned_from_in_the_experiment(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    table = fitted.training_table(frame, n_rows=41, random_state=1)
    assert list(table.columns) == ["x", "y", "site", *CHANCES, "weight", "synthetic"]
    real, made = table[~table["synthetic"]], table[table["synthetic"]]
    assert len(made) == 41
    pd.testing.assert_frame_equal(real[["x", "y", "site"]], frame[["x", "y", "site"]])
    assert real["kind=rare"].tolist() == (frame["kind"] == "rare").astype(float).tolist()
    chances = made[CHANCES].to_numpy()
    assert np.allclose(chances.sum(axis=1), 1)
    assert ((chances > 0.001) & (chances < 0.999)).any()
    for part in (real, made):
        assert part["weight"].sum() == pytest.approx(0.5)
    for name in CHANCES:  # hard labels: each class has half of its part
        assert real.loc[real[name] == 1, "weight"].sum() == pytest.approx(0.25)
    assert 12 <= made["kind=rare"].sum() <= 29  # 20 were asked for; 4 are in the rows' own shares


def test_chances_are_a_logistic_regressions_on_the_real_rows(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    table = fitted.training_table(frame, n_rows=40, random_state=1)
    made = table[table["synthetic"]]
    model = LogisticRegression(class_weight="balanced").fit(frame[["x"]], frame["kind"])
    told = model.predict_proba(made[["x"]])[:, 1]
    assert np.corrcoef(told, made["kind=rare"])[0, 1] > 0.95


def test_a_seed_repeats_itself(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    first, again, other = (fitted.training_table(frame, n_rows=10, random_state=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_what_can_t_be_one_is_refused(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    with pytest.raises(StudyError, match="at least one a class, 2; got 1"):
        fitted.training_table(frame, n_rows=1)
    with pytest.raises(DataError, match="two classes or more; got 1"):
        fitted.training_table(frame[frame["kind"] == "rare"])
    plain = QGANSynthesizer(n_iterations=2, random_state=0, verbose=False).fit(frame.drop(columns="kind"))
    with pytest.raises(StudyError, match="fitted with a target of classes"):
        plain.training_table(frame)
    taken = frame.rename(columns={"x": "weight"})
    model = QGANSynthesizer(n_iterations=2, random_state=0, verbose=False).fit(taken, target="kind")
    with pytest.raises(DataError, match="adds a column 'weight'"):
        model.training_table(taken)
