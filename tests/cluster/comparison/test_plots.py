"""Pictures of a comparison name whom they show, whatever the name begins with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.comparison.plots import plot_budgets, plot_curves
from tests.cluster.comparison.made import comparison, rival_result

Plot = Callable[[str, str, Path], None]


def budgets(rival: str, yardstick: str, path: Path) -> None:
    made = comparison({"agent": [0.7, 0.8], rival: [0.5, 0.4]})
    made = replace(made, beside=(rival_result(yardstick, [0.6, 0.7]),))
    plot_budgets(made.summary, path, made.rows)


def curves(rival: str, yardstick: str, path: Path) -> None:
    plot_curves(comparison({"agent": [0.7, 0.8], rival: [0.5, 0.4]}).summary, path)


@pytest.mark.parametrize(
    ("plot", "names"),
    [(budgets, ("_other", "_mixture")), (budgets, ("_mine!", "_other")), (curves, ("_other", "_mixture"))],
)
def test_names_that_begin_with_an_underscore_are_in_the_legend(
    plot: Plot, names: tuple[str, str], tmp_path: Path
) -> None:
    plot("_mine!", "_mixture", tmp_path / "one.png")
    plot(*names, tmp_path / "other.png")
    plot("_mine!", "_mixture", tmp_path / "again.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "other.png").read_bytes()
