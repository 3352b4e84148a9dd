"""Estimates of what a study takes."""

from typing import Any

import pytest

from cluster.machines.estimate import describe_seconds, study_seconds
from cluster.study.study import Study
from qsynth.config import parse


def test_time_grows_with_the_work_and_shrinks_with_workers(tiny: dict[str, Any]) -> None:
    def seconds(runners: int = 1, compiled: bool = False, **budget: object) -> float:
        study = parse(Study, tiny | {"budget": tiny["budget"] | budget}, source="test")
        found = study_seconds(study, dict.fromkeys(study.placements(), runners), compiled)
        assert found is not None
        return found

    assert seconds(agent_trials=4000) > 2 * seconds(agent_trials=400)  # 9.6 times the trials; each is measured anew
    assert seconds(runners=10) < 0.5 * seconds()
    assert seconds(compiled=True) < seconds()


def test_shots_are_not_spent_on_an_estimate(tiny: dict[str, Any]) -> None:
    tiny["trial"]["engine"] = {"name": "default.qubit", "shots": 10}
    study = parse(Study, tiny, source="test")
    assert study_seconds(study, dict.fromkeys(study.placements(), 1), False) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(3.0, "about 10 s"), (89, "about 90 s"), (300, "about 5 min"), (8000, "about 2.2 h")]
)
def test_it_is_said_as_coarsely_as_it_is_known(seconds: float, said: str) -> None:
    assert describe_seconds(seconds) == said
    assert "device" in describe_seconds(None)


def test_all_trials_are_counted(tiny: dict[str, Any]) -> None:
    budget = parse(Study, tiny, source="test").budget
    assert budget.search_trials == 64
    assert budget.n_trials == 16 + 2 * 64 + 2 * (5 * 2 + 5 * 2 + 4 + 5 + 1)
