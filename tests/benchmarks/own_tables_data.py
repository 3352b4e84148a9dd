"""The eight tables of :mod:`tests.benchmarks.own_tables`, as a user would have them."""

from collections.abc import Callable

import pandas as pd


def _sklearn(name: str) -> tuple[pd.DataFrame, str]:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.data.copy()
    frame["target"] = bunch.target.map(dict(enumerate(map(str, bunch.target_names))))
    return frame, "target"


def _calibrations() -> tuple[pd.DataFrame, str]:
    from qsynth.data.bundled import qubit_calibrations

    table = qubit_calibrations()
    frame = pd.DataFrame(table.x, columns=list(table.feature_names))
    return frame.assign(family=[table.class_names[label] for label in table.y]), "family"


def _penguins() -> tuple[pd.DataFrame, str]:
    from palmerpenguins import load_penguins

    return load_penguins(), "species"


def _cars() -> tuple[pd.DataFrame, str]:
    from vega_datasets import data

    frame = data.cars()
    return frame.drop(columns="Name").assign(Year=frame["Year"].dt.year), "Origin"


def _affairs() -> tuple[pd.DataFrame, str]:
    from statsmodels.datasets import fair

    frame = fair.load_pandas().data
    return frame.assign(affair=frame.pop("affairs").gt(0).map({True: "yes", False: "no"})), "affair"


def _smokers() -> tuple[pd.DataFrame, str]:
    from causaldata import nhefs

    columns = ["sex", "age", "race", "education", "wt71", "smokeintensity", "exercise", "active", "qsmk"]
    frame = nhefs.load_pandas().data[columns]
    words = {"sex": {0: "male", 1: "female"}, "race": {0: "white", 1: "other"}, "qsmk": {0: "no", 1: "yes"}}
    for column, names in words.items():
        frame[column] = frame[column].astype(float).map(names)
    return frame, "qsmk"


TABLES: dict[str, Callable[[], tuple[pd.DataFrame, str]]] = {
    "breast_cancer": lambda: _sklearn("breast_cancer"),
    "wine": lambda: _sklearn("wine"),
    "digits": lambda: _sklearn("digits"),
    "qubit_calibrations": _calibrations,
    "penguins": _penguins,
    "cars": _cars,
    "affairs": _affairs,
    "smokers": _smokers,
}
