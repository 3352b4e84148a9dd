"""What every rival must hold to: it keeps its budget, never sees test rows, repeats itself, and survives failures."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from cluster.comparison.job import ComparisonJob, held_out_problem
from cluster.comparison.job_result import JobResult
from cluster.comparison.lane_scheduler import LaneScheduler
from cluster.comparison.rivals.ablation import ConstantAction
from cluster.comparison.rivals.agent_run import agent_rival
from cluster.comparison.rivals.mean_schedule import mean_schedule
from cluster.comparison.rivals.meter import Meter
from cluster.comparison.rivals.ppo import ppo_rival
from cluster.comparison.rivals.registry import OF_OPTUNA, RIVALS
from cluster.comparison.rivals.retrained import retrained
from cluster.comparison.rivals.rival import Course, Moment, Outcome, Plan, Rival, Setting
from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Instance, Split
from qsynth.data.gaussian import GaussianFamily
from qsynth.population.snapshot import Keep
from rl_envs.agents import Schedule
from rl_envs.config import make_tuner
from rl_envs.decision_result import DecisionResult
from rl_envs.policy import PolicyConfig, PolicyFile, PolicyNetwork
from rl_envs.tuner import Tuner
from tests.rl_envs.tiny import SPACE, environment

N_LANES = 5
RUNS = 4
ENVIRONMENT = environment(n_decisions=4, iterations_per_decision=1)
START = {"n_critic": 1.0, "lr_generator": 0.05, "batch_size": 4.0, "beta1": 0.2}
FEATURES = ["budget.remaining", "score.now", "score.best"]


def moving_policy() -> tuple[PolicyNetwork, PolicyFile]:
    """One that moves a lot, and was not made for this study: it sees less."""
    torch.manual_seed(0)
    config = PolicyConfig(hidden=(4,), log_std=-1.0)
    network = PolicyNetwork(len(FEATURES), SPACE, config)
    with torch.no_grad():
        for parameter in network.network.parameters():
            parameter.normal_()
    return network, PolicyFile(features=tuple(FEATURES), search_space=SPACE, policy=config, max_step=0.3)


COURSES = {problem: Course([[0.0]] * 3, {name: [value] * 3 for name, value in START.items()}) for problem in range(3)}
OTHERS = {
    "fine-tuned": ppo_rival("fine-tuned", moving_policy(), "an agent that learns on"),
    "agent": agent_rival("agent", ConstantAction(SPACE, dict.fromkeys(SPACE, 0.1)), watched=True),
    "mean schedule": mean_schedule(SPACE, COURSES, "agent"),
    "decay": agent_rival("decay", Schedule(START, 0.1, shape="cosine")),
}
COPYING = ("pbt", "pb2")  # a copy goes on with other noise than its origin
EVERYBODY: dict[str, Rival] = {**{name: RIVALS[name] for name in RIVALS}, **OTHERS}


class GarbageOnTest(GaussianFamily):
    """The same problems with other test rows."""

    def instance(self, seed: int, held_out: bool) -> Instance:
        """As ever, but for the test rows."""
        instance = super().instance(seed, held_out)
        noise = np.random.default_rng(seed).uniform(-1, 1, instance.test.x.shape)
        return replace(instance, test=Split(noise.astype(np.float32), instance.test.y))


class Unlucky(Tuner):
    """Every third trial diverges when it is first trained."""

    def step(self, changes: dict[str, np.ndarray]) -> DecisionResult:
        """A decision."""
        for lane in range(self.population.n_lanes):
            if self.population.snapshot(lane).seed % 3 == 1:
                self.population.diverged[lane] = True
        return super().step(changes)


def job(rival: Rival, number: int = 0, runs: int = RUNS) -> ComparisonJob:
    marks = (1, 2, RUNS)[: 3 if runs == RUNS else 1] if rival.anytime else (runs,)
    return ComparisonJob(
        rival=rival, problem=held_out_problem("tiny", number, START), runs=runs, marks=marks, context=""
    )


def play(tuner: Tuner, jobs: Sequence[ComparisonJob], data: GaussianFamily | None = None) -> list[JobResult]:
    """Records in the order of the jobs."""
    found: dict[str, JobResult] = {}
    waiting = iter(jobs)
    LaneScheduler(
        tuner,
        data or ENVIRONMENT.data,  # type: ignore[arg-type]
        lambda: next(waiting, None),
        lambda job, record: found.update({job.key: record}),
    ).run()
    return [found[job.key] for job in jobs]


@pytest.fixture(scope="module")
def tuner() -> Tuner:
    return make_tuner(ENVIRONMENT, N_LANES)


@pytest.fixture(scope="module")
def together(tuner: Tuner) -> dict[str, JobResult]:
    """What all rivals do side by side, on two problems; the records of the first."""
    jobs = [job(rival, number) for rival in EVERYBODY.values() for number in range(2)]
    return dict(zip(EVERYBODY, play(tuner, jobs)[::2], strict=True))


@pytest.fixture(params=EVERYBODY)
def name(request: pytest.FixtureRequest) -> str:
    if request.param in OF_OPTUNA:
        pytest.importorskip("optuna")
    if request.param == "cma-es":
        pytest.importorskip("cmaes")
    return str(request.param)


def counted(rival: Rival, counts: list[int]) -> Rival:
    """The rival; ``counts`` receives the decisions of each stretch that was trained for it."""

    def plan(setting: Setting) -> Plan:
        inner = rival.plan(setting)
        batch = next(inner, None)
        while batch is not None:
            assert sum(stretch.decisions for stretch in batch) <= setting.meter.left
            outcomes = yield batch
            counts.extend(len(outcome.scores) - 1 for outcome in outcomes)
            try:
                batch = inner.send(outcomes)
            except StopIteration:
                return

    return replace(rival, plan=plan)


@pytest.fixture(scope="module")
def elsewhere() -> Tuner:
    """Another one: populations remember what they know of an instance."""
    return make_tuner(ENVIRONMENT, N_LANES)


def test_company_and_test_rows_change_nothing_but_test_scores(
    name: str, elsewhere: Tuner, together: dict[str, JobResult]
) -> None:
    counts: list[int] = []
    garbage = GarbageOnTest(**ENVIRONMENT.data.model_dump())
    [alone] = play(elsewhere, [job(counted(EVERYBODY[name], counts))], garbage)
    before = together[name]
    assert alone.curve == before.curve
    assert alone.spent == before.spent
    assert alone.course == before.course
    assert {mark: each.validation for mark, each in alone.marks.items()} == {
        mark: each.validation for mark, each in before.marks.items()
    }
    assert any(alone.marks[mark].test != each.test for mark, each in before.marks.items())
    assert sum(counts) * ENVIRONMENT.episode.iterations_per_decision == before.spent["iterations"]


def test_it_uses_its_budget_and_keeps_it(name: str, together: dict[str, JobResult]) -> None:
    record, budget = together[name], RUNS * 4
    assert budget - 4 < record.spent["iterations"] <= budget
    assert 1 <= record.spent["trials"] <= record.spent["iterations"]
    assert record.spent["failed"] == 0
    each = ENVIRONMENT.trial.iteration_cost(make_tuner(ENVIRONMENT, 1).population.engine, {"batch_size": 2}, 1)
    assert record.spent["circuits"] > record.spent["iterations"] * each.circuits
    assert record.spent["shots"] == 0


def test_its_curve_ascends_and_ends_in_what_it_returns(name: str, together: dict[str, JobResult]) -> None:
    record = together[name]
    spent, scores = zip(*record.curve, strict=True)
    assert list(spent) == sorted(set(spent))
    assert list(scores) == sorted(set(scores))
    assert spent[-1] <= record.spent["iterations"]
    assert record.marks[RUNS].validation == scores[-1]
    for mark, returned in record.marks.items():
        reached = [score for at, score in record.curve if at <= mark * 4]
        assert returned.validation == reached[-1]
        assert 0.0 <= returned.test <= 2.0


def test_what_it_returns_comes_with_its_schedule(
    name: str, tuner: Tuner, together: dict[str, JobResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    won, n_decisions = together[name].marks[RUNS], ENVIRONMENT.episode.n_decisions
    assert set(won.schedule) == set(SPACE)
    [length] = {len(values) for values in won.schedule.values()}
    assert 1 <= length <= n_decisions
    assert all(SPACE[key].low <= value <= SPACE[key].high for key, values in won.schedule.items() for value in values)
    if name in COPYING:
        return
    # One of the trials begins with the winner's networks; along the winner's schedule it is the winner.
    again = []
    for trial in range(together[name].spent["trials"]):
        monkeypatch.setattr("cluster.comparison.rivals.retrained.TRIAL", trial)
        rival = retrained(EVERYBODY[name], won.schedule, n_decisions)
        again += play(
            tuner,
            [ComparisonJob(rival=rival, problem=held_out_problem("tiny", 0, START), runs=1, marks=(RUNS,), context="")],
        )
    assert any(won.validation in [score for _, score in record.curve] for record in again)


@pytest.mark.parametrize(("keep", "told"), [("best", 0.9), ("last", 0.3)])
def test_tpe_learns_of_what_a_trial_returns(keep: Keep, told: float, monkeypatch: pytest.MonkeyPatch) -> None:
    optuna = pytest.importorskip("optuna")
    made, create = [], optuna.create_study
    monkeypatch.setattr(optuna, "create_study", lambda **how: made.append(create(**how)) or made[-1])
    setting = Setting(
        problem=0,
        space=SPACE,
        features=FEATURES,
        start=START,
        n_decisions=2,
        max_step=0.15,
        runs=1,
        seed=0,
        meter=Meter(budget=2, iterations_per_decision=1),
        keep=keep,
    )
    plan = RIVALS["tpe"].plan(setting)
    next(plan)
    setting.meter.charge(2, Spend(), new=True, failed=False)
    with pytest.raises(StopIteration):
        plan.send([Outcome((0.95, 0.9, 0.3), failed=False)])
    assert [trial.value for trial in made[0].trials] == [told]


def test_whoever_is_anytime_does_the_same_with_a_smaller_budget(
    name: str, tuner: Tuner, together: dict[str, JobResult]
) -> None:
    if not EVERYBODY[name].anytime:
        pytest.skip("its plan depends on the budget")
    [small] = play(tuner, [job(EVERYBODY[name], runs=1)])
    assert small.marks[1] == together[name].marks[1]


def test_it_survives_trials_that_fail_and_pays_for_them(name: str) -> None:
    made = make_tuner(ENVIRONMENT, N_LANES)
    [record] = play(Unlucky(made.population, made.episode), [job(EVERYBODY[name])])
    assert record.spent["failed"] >= 1
    assert record.spent["trials"] > record.spent["failed"]
    assert RUNS * 4 - 4 < record.spent["iterations"] <= RUNS * 4 or not EVERYBODY[name].anytime
    assert record.marks[RUNS].validation > 0


def test_it_comes_to_an_end_where_everything_fails(name: str) -> None:
    meter = Meter(budget=RUNS * 4, iterations_per_decision=1)
    plan = EVERYBODY[name].plan(
        Setting(
            problem=0,
            space=SPACE,
            features=FEATURES,
            start=START,
            n_decisions=4,
            max_step=0.15,
            runs=RUNS,
            seed=7,
            meter=meter,
            keep="best",
        )
    )
    batch = next(plan, None)
    while batch is not None:
        for stretch in batch:
            stretch.steer(Moment(0, 0.4, np.zeros(3), START))
            meter.charge(1, Spend(), new=True, failed=True)
        try:
            batch = plan.send([Outcome((0.4, 0.0), failed=True) for _ in batch])
        except StopIteration:
            break
    assert meter.failed == meter.trials > 0


@pytest.mark.parametrize("name", ["random", "defaults", "agent", "bandit"])
def test_only_ends_of_whole_runs_are_returned_where_the_last_is_kept(name: str) -> None:
    [best, last] = (
        play(make_tuner(ENVIRONMENT, N_LANES), [replace(job(EVERYBODY[name]), keep=keep)])[0]
        for keep in ("best", "last")
    )
    a_run = ENVIRONMENT.episode.n_decisions * ENVIRONMENT.episode.iterations_per_decision
    assert last.curve
    assert all(spent % a_run == 0 for spent, _ in last.curve)
    assert any(spent % a_run for spent, _ in best.curve)
    assert last.marks[RUNS].validation <= best.marks[RUNS].validation
    assert last.spent == best.spent
