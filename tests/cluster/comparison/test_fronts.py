"""Trials that no other beats for their price."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster.comparison.fronts import Fronts, fronts_of, pareto_front
from cluster.comparison.job_result import JobResult
from cluster.comparison.played_trials import PlayedTrials
from cluster.comparison.trials_plots import plot_fronts
from tests.cluster.comparison.made import records

Trial = tuple[float, int, int]  # score, circuits, shots


def played(rival: str, *problems: list[Trial], whole: bool = True) -> list[JobResult]:
    """A record for each problem, with these trials."""
    made = []
    for record, trials in zip(records("a", rival, [0.5] * len(problems)), problems, strict=True):
        scores, circuits, shots = zip(*trials, strict=True)
        columns = PlayedTrials(
            values={"x": tuple(float(place) for place in range(len(trials)))},
            held=(True,) * len(trials),
            whole=(whole,) * len(trials),
            scores=scores,
            circuits=circuits,
            shots=shots,
        )
        made.append(replace(record, trials=columns))
    return made


def prices(found: Fronts, price: str) -> list[tuple[int, float]]:
    return [(getattr(each, price), pytest.approx(each.score)) for each in found.front(price)]  # type: ignore[misc]


def test_a_front_is_all_that_nothing_is_better_than() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        price, score = random.integers(8, size=40), random.integers(8, size=40)
        front = pareto_front(price.tolist(), score.tolist())
        beaten = [
            bool(((price <= p) & (score >= s) & ((price < p) | (score > s))).any())
            for p, s in zip(price, score, strict=True)
        ]
        kept = {(int(price[place]), int(score[place])) for place in front}
        assert kept == {(int(p), int(s)) for p, s, out in zip(price, score, beaten, strict=True) if not out}
        assert len(kept) == len(front)
        assert sorted(price[list(front)]) == list(price[list(front)])


def test_circuits_and_shots_have_fronts_of_their_own() -> None:
    found = fronts_of(played("random search", [(0.2, 100, 9000), (0.4, 200, 1000), (0.3, 300, 500)]))
    assert prices(found, "circuits") == [(100, 0.2), (200, 0.4)]
    assert prices(found, "shots") == [(500, 0.3), (1000, 0.4)]
    assert found.front("shots")[0].values == {"x": 2.0}
    assert found.to_dict()["circuits"][1]["rival"] == "random search"


def test_an_easy_problem_does_not_make_its_trials_better() -> None:
    """The second problem's are worse than its mean, however high."""
    found = fronts_of(played("random search", [(0.1, 100, 0), (0.3, 200, 0)], [(0.9, 50, 0), (0.8, 40, 0)]))
    assert prices(found, "circuits") == [(40, 0.475), (50, 0.575), (200, 0.625)]
    assert found.front("circuits")[-1].problem == 0
    assert not found.shots


def test_trials_that_were_cut_short_are_on_it_but_set_no_level() -> None:
    whole = played("random search", [(0.4, 100, 0), (0.6, 200, 0)])
    short = played("ASHA", [(0.1, 5, 0)], whole=False)
    assert prices(fronts_of([*whole, *short]), "circuits") == [(5, 0.1), (100, 0.4), (200, 0.6)]


def test_what_has_no_trials_has_no_front() -> None:
    assert not fronts_of(records("a", "random search", [0.5])).points


@pytest.mark.parametrize("shots", [0, 100])
def test_the_picture_has_whoever_is_there(shots: int, tmp_path: Path) -> None:
    others = played("_other", [(0.4, 100, shots), (0.6, 200, shots)])
    found = fronts_of([*played("agent", [(0.5, 150, shots)]), *others])
    plot_fronts({"a": found, "b": found}, "agent", tmp_path / "both.png")
    plot_fronts({"a": found, "b": found}, None, tmp_path / "nobody.png")
    assert (tmp_path / "both.png").read_bytes() != (tmp_path / "nobody.png").read_bytes()
