"""The loop of queries, and what is said of its curves."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Split
from qsynth.data.tabular import TableData
from qsynth.errors import FileError
from qsynth.experiment.active_learning.active import ActiveConfig, ActiveResult, learn
from qsynth.experiment.active_learning.pools import Floats, Places, TablePool, starting_places
from qsynth.experiment.active_learning.rows_saved import rising, rows_needed, saving
from qsynth.experiment.regime import FewLabels
from qsynth.experiment.task import draw_task
from qsynth.qnn.fit import QNNConfig

QNN = QNNConfig(n_starts=2, n_steps=4, n_layers=1)
IRIS = TableData(name="iris")


def iris_pool(seed: int) -> TablePool:
    return TablePool(draw_task(IRIS, FewLabels(n_rows=40, n_more=1), seed))


def config(*strategies: str, n_queries: int = 3, n_rounds: int = 2, n_more_rounds: int = 1) -> ActiveConfig:
    return ActiveConfig(
        strategies=strategies, n_queries=n_queries, n_rounds=n_rounds, n_more_rounds=n_more_rounds, qnn=QNN
    )


def test_curves_begin_together_and_random_goes_on() -> None:
    result = learn("iris", iris_pool, [0, 1], config("uncertainty", "generator"))
    assert result.n_known == [6, 9, 12, 15]
    assert {name: np.array(curve).shape for name, curve in result.curves.items()} == {
        "random": (2, 4),
        "uncertainty": (2, 3),
        "generator": (2, 3),
    }
    assert len({tuple(seed[0] for seed in curve) for curve in result.curves.values()}) == 1
    assert result.circuits == result.shots == [0, 0, 0, 0]


def test_a_run_repeats_and_survives_json() -> None:
    one, again = (learn("iris", iris_pool, [3, 4], config("both", "k-centre")) for _ in range(2))
    assert one == again
    assert ActiveResult.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_lanes_do_not_touch_each_other() -> None:
    together = learn("iris", iris_pool, [0, 1, 2], config("uncertainty", n_rounds=2))
    alone = learn("iris", iris_pool, [1], config("uncertainty", n_rounds=2))
    for name, curve in alone.curves.items():
        np.testing.assert_allclose(curve[0], together.curves[name][1], atol=0.05)


@dataclass(frozen=True, eq=False)
class _Counting(TablePool):
    """Notes what is asked for."""

    asked: list[int]

    def query(self, places: Places) -> Split:
        self.asked.extend(places.tolist())
        return super().query(places)


@pytest.mark.parametrize("name", ["random", "disagreement", "both", "k-centre"])
def test_no_row_is_asked_for_twice_and_a_small_pool_ends_it(name: str) -> None:
    pools: list[_Counting] = []

    def pool(seed: int) -> _Counting:
        pools.append(_Counting(draw_task(IRIS, FewLabels(n_rows=15, n_more=1), seed), []))
        return pools[-1]

    result = learn("iris", pool, [0], config(name, n_queries=4, n_rounds=9))
    assert result.n_known == [6, 10, 14]
    assert all(len(each.asked) == len(set(each.asked)) == 14 for each in pools)


@dataclass(frozen=True, eq=False)
class _Blobs:
    """Two classes; of 60 rows the first 50 are in the middle of the first, where one tells as much as all."""

    seed: int
    asked: list[int]
    n_classes: int = 2
    size: int = 60

    @property
    def spent(self) -> Spend:
        return Spend()

    @property
    def _rows(self) -> Split:
        random = np.random.default_rng(self.seed)
        x = np.concatenate([random.normal(-0.7, 0.03, (50, 2)), random.uniform(-0.3, 0.9, (10, 2))])
        return Split(x.astype(np.float32), (x.sum(axis=1) > 0.1).astype(np.int64))

    @property
    def test(self) -> Split:
        return self._rows

    def start(self) -> Places:
        return starting_places(self._rows.y, self.seed)

    def query(self, places: Places) -> Split:
        self.asked.extend(places.tolist())
        rows = self._rows
        return Split(rows.x[places], rows.y[places])

    def guesses(self, known: Places, rows: Split, places: Places) -> Floats:
        return self._rows.x[places]


def test_learners_that_choose_ask_less_where_all_is_known() -> None:
    pools: list[_Blobs] = []

    def pool(seed: int) -> _Blobs:
        pools.append(_Blobs(seed, []))
        return pools[-1]

    settings = config("uncertainty", "k-centre", n_queries=3, n_more_rounds=0)
    learn("blobs", pool, list(range(6)), settings.replaced(qnn={"n_starts": 2, "n_steps": 40}))
    elsewhere = [np.mean([np.array(each.asked[4:]) >= 50 for each in pools[part : part + 6]]) for part in (0, 6, 12)]
    assert elsewhere[0] < 0.3
    assert elsewhere[1] > elsewhere[0] + 0.2
    assert elsewhere[2] > 0.9


def result(random: list[float], mine: list[float], spread: float = 0.0, n_seeds: int = 4) -> ActiveResult:
    shifts = spread * np.linspace(-1, 1, n_seeds)
    return ActiveResult(
        data="made",
        seeds=list(range(n_seeds)),
        n_known=[4 * (place + 1) for place in range(len(random))],
        curves={
            "random": [[value + shift for value in random] for shift in shifts],
            "mine": [[value + shift for value in mine] for shift in shifts[::-1]],
        },
        circuits=[0] * len(random),
        shots=[0] * len(random),
    )


def test_rows_needed_lie_between_rounds() -> None:
    curve = np.array([0.5, 0.6, 0.8])
    assert rows_needed([4, 8, 12], curve, 8, 0.7) == pytest.approx(10.0, abs=1e-3)
    assert rows_needed([4, 8, 12], curve, 8, 0.9) == 12


def test_a_strategy_like_random_saves_nothing() -> None:
    made = result([0.5, 0.7, 0.7, 0.7, 0.8], [0.5, 0.7, 0.7])
    found = saving([made, made], "mine")
    assert found.factor == pytest.approx(1.0, abs=1e-3)
    assert found.rows == pytest.approx(0.0, abs=1e-2)
    assert (found.beyond, found.n, found.points) == (0, 2, pytest.approx(0.0))


def test_a_better_strategy_saves_what_random_needs_more() -> None:
    made = result([0.5, 0.6, 0.7, 0.8, 0.9], [0.5, 0.8], spread=0.01)
    found = saving([made], "mine")
    assert found.factor == pytest.approx(2.0, abs=0.01)
    assert found.rows == pytest.approx(8.0, abs=0.05)
    assert found.low < 2 < found.high
    assert found.points == pytest.approx(20.0)
    assert found.points_low < 20 < found.points_high


def test_what_random_never_reaches_counts_as_its_last_rows() -> None:
    found = saving([result([0.5, 0.6, 0.7], [0.5, 0.9])], "mine")
    assert (found.beyond, found.factor) == (1, pytest.approx(12 / 8))


def test_a_worse_strategy_costs_rows() -> None:
    found = saving([result([0.5, 0.7, 0.8], [0.5, 0.6, 0.7])], "mine")
    assert found.factor == pytest.approx(8 / 12, abs=1e-3)


def test_curves_are_made_to_rise() -> None:
    np.testing.assert_allclose(rising(np.array([0.5, 0.7, 0.6, 0.8])), [0.5, 0.65, 0.65, 0.8])


@pytest.mark.parametrize(
    "change",
    [
        {"curves": {"mine": [[0.5]]}},
        {"curves": {"random": [[0.5, 0.6]], "mine": [[0.5]]}, "seeds": [0, 1]},
        {"curves": {"random": [[0.5, float("nan")]]}, "seeds": [0]},
        {"curves": {"random": [[0.5]]}, "seeds": [0]},
        {"n_known": []},
        {"shots": [0]},
        {"data": None},
    ],
)
def test_curves_that_are_none_are_refused(change: dict[str, object]) -> None:
    state = result([0.5, 0.6], [0.5, 0.7]).to_dict()
    assert ActiveResult.from_dict(state).to_dict() == state
    with pytest.raises(FileError, match="curves"):
        ActiveResult.from_dict(state | change)
