"""What rivals returned is shown as it was: their trials come out the same when they are played once more."""

import pytest

from cluster.comparison.job import held_out_problem
from cluster.comparison.rival_result import RivalResult, first_schedules
from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.registry import RIVALS
from rl_envs.agents import Schedule
from rl_envs.config import make_tuner
from rl_envs.replay import Replay
from rl_envs.rollout import Assignment, play
from tests.contracts import test_rivals as contract

DECAY = agent_rival("decay", Schedule(contract.START, 0.1))  # type: ignore[arg-type]


@pytest.mark.parametrize("rival", [RIVALS["random"], RIVALS["defaults"], DECAY], ids=lambda rival: rival.name)
def test_a_replayed_trial_is_the_same(rival: object) -> None:
    tuner, data = make_tuner(contract.ENVIRONMENT, 3), contract.ENVIRONMENT.data
    records = contract.play(tuner, [contract.job(rival, number, runs=1) for number in range(2)])  # type: ignore[arg-type]
    result = RivalResult(name="r", details={}, preparations={}, shared=False, records=tuple(reversed(records)))
    problems = [held_out_problem("tiny", number, contract.START) for number in range(2)]
    assignments = [Assignment(data.instance(each.number, held_out=True), each.seed, each.number) for each in problems]
    schedules = first_schedules(result, contract.START, tuner.episode.n_decisions)
    shown = play(tuner, lambda part: Replay(*schedules[part]), assignments, test=True, keep="best")
    assert [episode.test_score for episode in shown] == [record.marks[1].test for record in records]
    assert [episode.scores[1:].max() for episode in shown] == [record.marks[1].validation for record in records]
