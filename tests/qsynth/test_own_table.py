"""A user's own table, from a frame or a file to rows in the same form."""

import copy
import os
import pickle
import re
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from qsynth.errors import FileError, QsynthError, StudyError
from qsynth.files.tensor_file import TensorFile
from qsynth.synthesizer import FILE, QGANSynthesizer

N = 120


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    species = random.choice(["Adelie", "Gentoo", "Chinstrap"], p=[0.5, 0.4, 0.1], size=N)
    mass = np.where(species == "Gentoo", 5000, 3700) + random.normal(0, 300, size=N)
    return pd.DataFrame(
        {
            "id": [f"bird-{index:04d}" for index in range(N)],
            "mass": (mass / 25).round() * 25,
            "species": pd.Categorical(species),
            "bill": np.where(random.uniform(size=N) < 0.1, np.nan, (mass / 100 + random.normal(size=N)).round(1)),
            "tagged": random.uniform(size=N) < 0.3,
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, size=N), unit="D"),
            "site": "north",
            "eggs": random.poisson(2, size=N),
        }
    )


def made(**settings: Any) -> QGANSynthesizer:
    return QGANSynthesizer(**{"n_iterations": 10, "evaluate_every": 5, "random_state": 0, "verbose": False, **settings})


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> QGANSynthesizer:
    return made().fit(frame, target="species")


def test_rows_come_back_in_the_form_of_the_table(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    rows = fitted.sample(400)
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    assert fitted.schema is not None
    fitted.schema.check(rows)
    assert set(rows["site"]) == {"north"}
    assert rows["id"].is_unique
    assert rows["id"].str.fullmatch(r"bird-\d{4}").all()
    assert rows["mass"].between(frame["mass"].min(), frame["mass"].max()).all()
    assert (rows["mass"] % 25 == 0).all()
    shares = rows["species"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(frame["species"].value_counts(normalize=True).to_dict(), abs=0.01)
    assert rows["bill"].isna().mean() == pytest.approx(frame["bill"].isna().mean(), abs=0.06)
    means = [each.groupby("species", observed=True)["mass"].mean() for each in (rows, frame)]
    assert means[0].to_dict() == pytest.approx(means[1].to_dict(), abs=150)


def test_conditions_are_met(fitted: QGANSynthesizer) -> None:
    rows = fitted.sample(30, where={"species": "Gentoo", "mass": (4900, None), "tagged": [False]})
    assert set(rows["species"]) == {"Gentoo"}
    assert (rows["mass"] >= 4900).all()
    assert not rows["tagged"].any()
    assert len(rows) == 30
    assert rows["id"].is_unique
    dated = fitted.sample(10, where={"seen": ("2020-06-01", "2020-12-31")})["seen"]
    assert dated.between(pd.Timestamp("2020-06-01"), pd.Timestamp("2020-12-31")).all()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"species": "Gento"}, "Did you mean 'Gentoo'?"),
        ({"specie": "Gentoo"}, "where must name columns of the table"),
        ({"id": "bird-0001"}, "is an id"),
        ({"species": ("a", "b")}, "takes values, not ranges"),
        ({"mass": (5000, 4000)}, "a range from low to high"),
        ({"mass": (90_000, None)}, "0 of "),
        ({"mass": "heavy"}, "takes a number"),
        ({"tagged": []}, "must have a value"),
        ("Gentoo", "where must say"),
    ],
)
def test_conditions_that_cannot_be_met(fitted: QGANSynthesizer, where: Any, expected: str) -> None:
    with pytest.raises(StudyError) as caught:
        fitted.sample(5, where=where)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_seeds(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    assert not fitted.sample(20).equals(fitted.sample(20))
    assert fitted.sample(20, random_state=7).equals(fitted.sample(20, random_state=7))
    one, two = (made().fit(frame, target="species") for _ in range(2))
    for _ in range(2):
        assert one.sample(20).equals(two.sample(20))


def test_it_survives_files_copies_and_pickles(fitted: QGANSynthesizer, tmp_path: Path) -> None:
    rows = fitted.sample(30, random_state=1)
    fitted.save(tmp_path / "model")
    joblib.dump(fitted, tmp_path / "dump")
    again = [QGANSynthesizer.load(tmp_path / "model"), pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)]
    for each in [*again, joblib.load(tmp_path / "dump")]:
        assert each.sample(30, random_state=1).equals(rows)
        assert each.history == fitted.history
    unfitted = clone(fitted)
    assert unfitted.get_params() == fitted.get_params()
    assert pickle.loads(pickle.dumps(unfitted)).get_params() == unfitted.get_params()
    with pytest.raises(QsynthError, match="must be fitted first"):
        unfitted.sample(1)


def test_yardsticks_stand_beside_every_fit(fitted: QGANSynthesizer) -> None:
    assert set(fitted.scores) == {
        "quantum", "Gaussian mixture", "tied Gaussian", "kernel density", "SMOTE", "duplication"
    }  # fmt: skip
    assert all(0 < value < 2 for value in fitted.scores.values())
    assert fitted.scores["quantum"] > fitted.scores["duplication"] - 0.3
    assert any("kept back" in note for note in fitted.notes)


def test_what_factors_keep_is_said(fitted: QGANSynthesizer) -> None:
    [note] = [note for note in fitted.notes if "factors" in note]
    share, auc = (float(found) for found in re.findall(r"have (\d+)% .* and back: AUC (0\.\d+)", note)[0])
    assert 0 < share < 100
    assert 0.2 < auc < 0.9


def test_a_report_has_the_scores_and_yardsticks_beside_the_rows(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    report = fitted.report(frame, n_rows=60)
    copies = report.number("copies")
    assert copies is not None
    assert copies.beside["duplication"] == 1
    assert copies.beside["Gaussian mixture"] == 0
    assert report.scores == fitted.scores


def test_auto_returns_the_best_on_validation_and_says_so(frame: pd.DataFrame, tmp_path: Path) -> None:
    auto = made(method="auto").fit(frame, target="species")
    models = {name: auto.scores[name] for name in ("quantum", "Gaussian mixture", "tied Gaussian", "kernel density")}
    best = max(models, key=lambda name: models[name])
    assert auto.description()["method"] == best
    assert any(f"method auto: {best} is the best" in note for note in auto.notes)
    named = made(method="tied Gaussian").fit(frame, target="species")
    named.save(tmp_path / "model")
    assert QGANSynthesizer.load(tmp_path / "model").sample(9, random_state=0).equals(named.sample(9, random_state=0))
    assert len(named.history) == 1  # nothing was trained


@pytest.mark.parametrize("target", [None, "mass"])
def test_without_classes(frame: pd.DataFrame, target: str | None) -> None:
    rows = made().fit(frame, target=target).sample(300)
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    found = [each[["mass", "bill"]].corr().iloc[0, 1] for each in (rows, frame)]
    assert found[0] == pytest.approx(found[1], abs=0.3)


def test_what_torch_is_set_to_does_not_matter(frame: pd.DataFrame, fitted: QGANSynthesizer) -> None:
    rows = fitted.sample(10, random_state=3)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            again = made().fit(frame, target="species").sample(10, random_state=3)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert again.equals(rows)


def test_interrupting_keeps_the_best_so_far(frame: pd.DataFrame) -> None:
    def stop(entry: dict[str, float]) -> None:
        if entry["iteration"] >= 10:
            raise KeyboardInterrupt

    stopped = made(n_iterations=1000).fit(frame, target="species", on_evaluation=stop)
    assert any("interrupted" in note for note in stopped.notes)
    assert len(stopped.sample(5)) == 5


def test_a_failed_fit_leaves_the_former_one(frame: pd.DataFrame) -> None:
    twice = made().fit(frame, target="species")
    rows = twice.sample(5, random_state=0)
    with pytest.raises(QsynthError):
        twice.fit(frame, target="specie")
    assert twice.sample(5, random_state=0).equals(rows)


def test_wide_tables_and_many_classes() -> None:
    random = np.random.default_rng(0)
    wide = pd.DataFrame(random.normal(size=(200, 60)), columns=[f"x{index}" for index in range(60)])
    wide["kind"] = [f"class {index % 20}" for index in range(200)]
    rows = made(n_iterations=2).fit(wide, target="kind").sample(200)
    assert np.linalg.matrix_rank(rows.drop(columns="kind").to_numpy()) == 60
    assert rows["kind"].nunique() == 20


@pytest.mark.parametrize(
    "path", ["maker.latent.n_factors", "columns.gaps", "shares", "schema", "maker.kind", "quantiles"]
)
def test_forged_models_are_refused_in_one_line(fitted: QGANSynthesizer, tmp_path: Path, path: str) -> None:
    fitted.save(tmp_path / "model")
    with FILE.reading(tmp_path / "model") as (tensors, about):
        *way, last = path.split(".")
        at = about
        for key in way:
            at = at[key]
        for forged in (None, "x", [999], {"a": 1}, 10**9, [[float("nan")]]):
            at[last] = forged
            TensorFile(FILE.format, FILE.what).write(
                tmp_path / "forged", {name: torch.clone(value) for name, value in tensors.items()}, about
            )
            with pytest.raises(FileError) as caught:
                QGANSynthesizer.load(tmp_path / "forged")
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", ["folder", "pipe", "empty", "text"])
def test_what_is_no_model(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("" if what == "empty" else "rows\n1\n")
    with pytest.raises(FileError):
        QGANSynthesizer.load(path)
