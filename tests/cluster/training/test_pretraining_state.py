"""The state of a curriculum's training: kept whole, and it tells when the agent gets no better."""

import json
from dataclasses import asdict

import pytest

from cluster.training.pretraining_state import ExaminationResult, PretrainingState
from qsynth.errors import FileError


def examined(*totals: float) -> list[ExaminationResult]:
    return [
        ExaminationResult(trials=number, scores={"a": total / 2, "b": total / 2}) for number, total in enumerate(totals)
    ]


def test_what_a_checkpoint_keeps_comes_back() -> None:
    state = PretrainingState(tier=1, trials=7, iterations=70.5, core_seconds=2.5, examined=examined(0.4, 0.6))
    state.about = {"validation": {"a": 0.5}, "keep": "best"}
    assert PretrainingState.of(json.loads(json.dumps(asdict(state)))) == state


@pytest.mark.parametrize("stored", [None, [], {"tier": "first"}, {"examined": [{"scores": {}}]}])
def test_something_else_is_refused_in_one_line(stored: object) -> None:
    with pytest.raises(FileError, match="must hold the state of a curriculum's training") as refused:
        PretrainingState.of(stored)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("totals", "stale"),
    [((), False), ((0.5,), False), ((0.5, 0.4), False), ((0.5, 0.4, 0.5), True), ((0.5, 0.4, 0.6), False)],
)
def test_an_agent_that_gets_no_better_is_stale(totals: tuple[float, ...], stale: bool) -> None:
    state = PretrainingState(examined=examined(*totals))
    assert state.stale(patience=2) is stale
    assert state.best() == (max(totals) if totals else None)


def test_a_new_tier_forgets_examinations_and_keeps_what_was_spent() -> None:
    state = PretrainingState(trials=7, examined=examined(0.5))
    state.begin(2)
    assert (state.tier, state.trials, state.examined, state.best()) == (2, 7, [], None)
