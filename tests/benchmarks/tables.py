"""Real tables that the shipped agent was not trained on, as studies for `qsynth compare`.

    pip install '.[benchmarks]'
    python -m tests.benchmarks.tables FOLDER
    qsynth compare FOLDER/held_out/*.yaml --agent default --rivals defaults,constants,exponential,ttur \
        --budgets 1 --seeds 48 --search 256 --no-retrain --out tables-compare

Every study is the preset breast_cancer with another table: four principal components on four qubits, 100 training rows,
the same defaults and search space. Tables come from packages that carry them, so nothing is downloaded. Those in
``development`` were looked at when the shipped agent's training tasks were chosen; those in ``held_out`` were looked at
when losses and generators were; those in ``untouched`` no decision has seen.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from cluster.study.study import Study, changed, load_study

LABEL = "class"
MOST_ROWS = 2000


def penguins() -> pd.DataFrame:
    """Three species of penguins by four measurements (Gorman, Williams & Fraser 2014)."""
    from palmerpenguins import load_penguins

    columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    return labelled(load_penguins()[[*columns, "species"]], "species")


def election() -> pd.DataFrame:
    """Whom Americans wanted to vote for in 1996, by ten answers."""
    return labelled(econometric("anes96"), "vote")


def affairs() -> pd.DataFrame:
    """Whether women reported an affair, by eight answers (Fair 1978)."""
    table = econometric("fair")
    return labelled(table.assign(affairs=table["affairs"] > 0), "affairs")


def diabetes() -> pd.DataFrame:
    """Whether diabetes progressed more than in the median patient, by ten measurements (Efron et al. 2004)."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes(as_frame=True).frame
    return labelled(table.assign(target=table["target"] > table["target"].median()), "target")


def cars() -> pd.DataFrame:
    """Cars from America, Europe and Japan, by five measurements."""
    columns = ["Miles_per_Gallon", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration"]
    return labelled(drawn("cars")[[*columns, "Origin"]], "Origin")


def doctor() -> pd.DataFrame:
    """Who sees a doctor more than twice a year, by nine measurements (RAND health insurance experiment)."""
    table = econometric("randhie")
    return labelled(table.assign(mdvis=table["mdvis"] > 2), "mdvis")


def weather() -> pd.DataFrame:
    """Seattle's days of rain, sun and fog, by four measurements."""
    table = drawn("seattle-weather").drop(columns="date")
    return labelled(table[table["weather"].isin(["rain", "sun", "fog"])], "weather")


def schools() -> pd.DataFrame:
    """Californian school districts where most pass a test in mathematics, and others, by twelve measurements."""
    table = econometric("star98").iloc[:, :14]
    return labelled(table.assign(NABOVE=table["NABOVE"] > table["NBELOW"]).drop(columns="NBELOW"), "NABOVE")


def travel() -> pd.DataFrame:
    """Means of travel, four of them, by their time, cost and their traveller's income (Greene & Hensher)."""
    table = econometric("modechoice")
    return labelled(table[["ttme", "invc", "invt", "gc", "hinc", "mode"]], "mode")


def smokers() -> pd.DataFrame:
    """Men and women among smokers, by eight measurements (NHEFS; Hernan & Robins 2020)."""
    columns = ["age", "ht", "wt71", "smokeintensity", "smokeyrs", "sbp", "dbp", "cholesterol"]
    return labelled(causal("nhefs")[[*columns, "sex"]], "sex")


def continents() -> pd.DataFrame:
    """Countries of four continents in twelve years, by life expectancy, population and income (Gapminder)."""
    table = causal("gapminder")
    logs = table.assign(pop=np.log(table["pop"]), gdpPercap=np.log(table["gdpPercap"]))
    large = logs[logs["continent"] != "Oceania"]  # which has two countries
    return labelled(large[["year", "lifeExp", "pop", "gdpPercap", "continent"]], "continent")


def graduates() -> pd.DataFrame:
    """Men who went to college, and others, by wage, experience and where they live (Card 1995)."""
    table = causal("close_college")
    return labelled(table.assign(educ=table["educ"] > 12), "educ")


def numerals() -> pd.DataFrame:
    """The handwritten digits 0 to 4, by 64 pixels (Alpaydin & Kaynak 1998)."""
    from sklearn.datasets import load_digits

    table = load_digits(as_frame=True).frame
    return labelled(table[table["target"] < 5], "target")


DEVELOPMENT: tuple[Callable[[], pd.DataFrame], ...] = (penguins, election, affairs, diabetes, cars)
HELD_OUT: tuple[Callable[[], pd.DataFrame], ...] = (doctor, weather, schools, travel)
UNTOUCHED: tuple[Callable[[], pd.DataFrame], ...] = (smokers, continents, graduates, numerals)


def econometric(name: str) -> pd.DataFrame:
    """A data set of statsmodels."""
    from statsmodels import datasets

    return pd.DataFrame(getattr(datasets, name).load_pandas().data)


def causal(name: str) -> pd.DataFrame:
    """A data set of causaldata."""
    import causaldata

    return pd.DataFrame(getattr(causaldata, name).load_pandas().data)


def drawn(name: str) -> pd.DataFrame:
    """A data set of vega_datasets."""
    from vega_datasets import local_data

    return pd.DataFrame(local_data(name))


def labelled(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """At most ``MOST_ROWS`` rows without gaps; their column ``label`` is called ``LABEL`` and holds words."""
    whole = table.dropna().rename(columns={label: LABEL})
    some = whole.sample(min(len(whole), MOST_ROWS), random_state=0)
    names = np.array([f"{LABEL}_{value}" for value in some[LABEL]])
    return some.assign(**{LABEL: names})


def study_of(table: Callable[[], pd.DataFrame], folder: Path) -> Study:
    """The table's study, after writing the table as CSV to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    name = table.__name__
    path = (folder / f"{name}.csv").absolute()
    table().to_csv(path, index=False)
    data = {"kind": "csv", "path": str(path), "label": LABEL, "n_features": 4, "n_train": 100}
    return changed(load_study("breast_cancer"), {"name": name, "description": table.__doc__, "data": data})


def write(table: Callable[[], pd.DataFrame], folder: Path) -> None:
    """The table as CSV, and its study beside it."""
    text = yaml.safe_dump(study_of(table, folder).model_dump(mode="json"), sort_keys=False)
    (folder / f"{table.__name__}.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, tables in {"development": DEVELOPMENT, "held_out": HELD_OUT, "untouched": UNTOUCHED}.items():
        for each in tables:
            write(each, folder / name)
