"""Tables whose worth is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsynth.quality.quality_report import assess
from qsynth.tables.inference import infer_schema

Make = Callable[[int, int], pd.DataFrame]

LEVELS = np.array(["low", "middle", "high"])
CITIES = np.array(["Oslo", "Rome", "Lima", "Kyiv"])


@pytest.fixture(scope="session")
def law() -> Make:
    """``n`` rows of one distribution, by a seed: numbers, levels, dates, truths, missing values, three classes."""

    def rows(n: int, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 3, n)
        shift = 1.5 * (y - 1)
        size = rng.normal(size=n) + shift
        frame = pd.DataFrame(
            {
                "size": size,
                "weight": 2 * size + 0.3 * rng.normal(size=n),
                "age": rng.normal(40, 9, n),
                "city": CITIES[np.clip(rng.integers(0, 2, n) + y, 0, 3)],
                "day": pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D"),
                "member": rng.random(n) < 0.2 + 0.3 * y,
                "class": LEVELS[y],
            }
        )
        frame.loc[rng.random(n) < 0.1, "age"] = np.nan
        return frame

    return rows


NASTY = (
    "$0-$50K",
    "<script>document.title='broken'</script>",
    "`tick`",
    "two\nlines",
    "数据 ß 🙂",
    "_hidden",
    "&amp;",
    "%",
)
CLASSES = ("$0-$50K", "<b>$x_{$</b>", "_none")


def nasty(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns and classes with names that a renderer may trip over."""
    named = {
        "size": NASTY[0],
        "weight": NASTY[1],
        "age": NASTY[2],
        "city": NASTY[3],
        "day": NASTY[4],
        "member": NASTY[5],
    }
    renamed = frame.rename(columns=named).rename(columns={"class": "</title>"})
    renamed["</title>"] = renamed["</title>"].map(dict(zip(("low", "middle", "high"), CLASSES, strict=True)))
    renamed[NASTY[3]] = renamed[NASTY[3]].replace(
        {"Oslo": "<img src=x onerror=alert(1)>", "Rome": "$a$_", "Lima": "^{"}
    )
    return renamed.assign(**{NASTY[6]: frame["size"] * 2, NASTY[7]: 1.5})


@pytest.fixture(scope="session")
def nasty_page(law: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    real, synthetic, held_out = (nasty(law(n, seed)) for n, seed in ((90, 1), (90, 2), (45, 3)))
    schema, _ = infer_schema(real, "</title>")
    others = {"<i>SMOTE</i> $x$": real, "_kernel": synthetic}
    report = assess(real, synthetic, schema, held_out, yardsticks=others, scores={"<i>SMOTE</i> $x$": 0.25})
    report.to_html(path)
    return path
