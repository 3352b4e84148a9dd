import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.results.study_result import ContenderResult, StudyResult, fraction_to_reach, paired_difference
from qsynth.errors import QsynthError


def contender(scores: tuple[float, ...] = (0.5, 0.7), name: str = "agent") -> ContenderResult:
    return ContenderResult(name, 1, 500, scores, ((0.1, 0.5), (0.1, 0.7)), 1_920_000, "PPO")


def study(*contenders: ContenderResult) -> StudyResult:
    return StudyResult("gaussian", contenders, {"csv": "runs/curves.csv"}, {"sampled_steps": 76_800.0})


def test_moments() -> None:
    result = contender((0.5, 0.7))
    assert result.score_mean == pytest.approx(0.6)
    assert result.score_sd == pytest.approx(np.sqrt(0.02))
    assert contender((0.5,)).score_sd == 0.0


def test_interval_repeats_and_covers_about_as_often_as_it_says() -> None:
    streams = np.random.default_rng(3).normal(0.6, 0.1, (200, 20))
    intervals = [contender(tuple(scores)).score_interval for scores in streams]
    assert intervals[0] == contender(tuple(streams[0])).score_interval
    assert 0.88 <= np.mean([low <= 0.6 <= high for low, high in intervals]) <= 0.98


@pytest.mark.parametrize("scores", [(0.6,), (0.6, 0.6, 0.6), (0.3, 0.1 + 0.2)])
def test_scores_without_spread_give_an_interval_without_width(scores: tuple[float, ...]) -> None:
    low, high = contender(scores).score_interval
    assert low == high == pytest.approx(scores[0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_interval_is_finite_and_holds_the_mean(scores: list[float]) -> None:
    result = contender(tuple(scores))
    low, high = result.score_interval
    assert min(scores) - 1e-9 <= low <= result.score_mean + 1e-9
    assert result.score_mean - 1e-9 <= high <= max(scores) + 1e-9


@pytest.mark.parametrize("scores", [(), (0.5, float("nan"))])
def test_scores_must_be_finite_numbers(scores: tuple[float, ...]) -> None:
    with pytest.raises(QsynthError, match="scores of 'agent' must be one or more finite numbers"):
        contender(scores)


def test_contender_as_json_has_the_agreed_keys() -> None:
    keys = [
        "name",
        "runs_per_instance",
        "iterations_per_run",
        "score_mean",
        "score_sd",
        "score_low",
        "score_high",
        "scores",
        "search_iterations",
        "detail",
    ]
    assert list(contender().to_dict()) == keys
    with_fraction = replace(contender(), fraction_to_best_constants=0.3).to_dict()
    assert list(with_fraction) == [*keys, "fraction_to_best_constants"]


def test_study_survives_json_but_for_its_curves() -> None:
    result = study(replace(contender(), fraction_to_best_constants=0.3), contender((0.4, 0.6), "defaults"))
    read = StudyResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert read == replace(result, contenders=tuple(replace(c, curves=()) for c in result.contenders))


def test_numpy_scores_become_json() -> None:
    values = study(contender(tuple(np.array([0.5, 0.75], dtype=np.float32)))).to_dict()
    assert json.loads(json.dumps(values))["contenders"][0]["scores"] == [0.5, 0.75]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"study": "s"}, "contenders"),
        ({"study": "s", "contenders": [3]}, "contenders"),
        ({"study": "s", "contenders": [], "paths": {}}, "training"),
        ({**study(contender()).to_dict(), "contenders": [{"name": "agent"}]}, r"contenders.0.runs_per_instance"),
        ({**study().to_dict(), "contenders": [{**contender().to_dict(), "scores": []}]}, "one or more finite numbers"),
    ],
)
def test_a_broken_file_is_named_in_one_line(broken: dict[str, object], message: str) -> None:
    with pytest.raises(QsynthError, match=message) as raised:
        StudyResult.from_dict(broken)
    assert "\n" not in str(raised.value)


def test_agent_is_found_by_name() -> None:
    agent = contender()
    assert study(contender(name="defaults"), agent).agent is agent
    assert study(contender(name="defaults")).agent is None


def test_fraction_interpolates_between_decisions() -> None:
    assert fraction_to_reach([0.0, 0.2, 0.6, 0.5, 0.9], 0.3) == pytest.approx(1.25 / 4)
    assert fraction_to_reach([0.0, 0.2, 0.6, 0.5, 0.9], 0.6) == pytest.approx(2 / 4)
    assert fraction_to_reach([0.5, 0.2], 0.4) == 0.0
    assert fraction_to_reach([0.0, 0.2], 0.3) is None
    with pytest.raises(QsynthError, match="before and after"):
        fraction_to_reach([0.5], 0.3)


def test_paired_difference_is_the_t_interval() -> None:
    mean, low, high = paired_difference([0.5, 0.7, 0.9], [0.4, 0.5, 0.6])
    half = 4.302652729911275 * 0.1 / np.sqrt(3)  # t(0.975, 2 degrees of freedom), sd 0.1
    assert (mean, low, high) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    assert paired_difference([0.5, 0.75], [0.25, 0.5]) == (0.25, 0.25, 0.25)
    assert paired_difference([0.5], [0.25]) == (0.25, -np.inf, np.inf)
    with pytest.raises(QsynthError, match="same instances; got 2 against 1"):
        paired_difference([0.5, 0.7], [0.4])
