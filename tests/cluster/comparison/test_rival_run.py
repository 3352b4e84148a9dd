"""What a rival would return: of all moments the one with the best validation score, within each budget."""

from typing import cast

import pytest

from cluster.comparison.exam import Grade
from cluster.comparison.job import ComparisonJob, held_out_problem
from cluster.comparison.rival_run import RivalRun, StretchRun
from cluster.comparison.rivals.rival import Outcome, Plan, Rival, Setting, Stretch
from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Instance
from qsynth.population.snapshot import Snapshot
from tests.cluster.comparison.rivals.known_scores import X, a_setting

N_DECISIONS = 3
SCORES = [[0.2, 0.5, 0.3], [0.6, 0.1, 0.55], [0.4, 0.4, 0.7], [0.1, 0.65, 0.2]]


def one_by_one(setting: Setting) -> Plan:
    """A run after another."""
    for trial in range(setting.runs):
        yield [Stretch(trial=trial, decisions=N_DECISIONS, values={"x": trial / 10})]


def in_two_parts(setting: Setting) -> Plan:
    """Two runs of two parts each, the second of a copy of the first one's first."""
    outcomes = yield [Stretch(trial=trial, decisions=1, values={"x": trial / 10}, keep=True) for trial in range(2)]
    yield [Stretch(trial=trial, decisions=2, values={"x": 0.9}, start=outcomes[0].snapshot) for trial in range(2)]


def trained(stretch_run: StretchRun, scores: list[float]) -> None:
    """What a scheduler does with a stretch, but for the training."""
    stretch_run.scores.append(0.0)
    bar = stretch_run.bar
    for decision, score in enumerate(scores, start=1):
        stretch_run.scores.append(score)
        stretch_run.values.append({"x": stretch_run.stretch.values["x"] + decision / 100})
        stretch_run.spend += Spend(10, 100)
        if score > bar:
            bar, stretch_run.best[decision] = score, snapshot(f"{stretch_run.stretch.trial} at {decision}")
    if stretch_run.stretch.keep:
        stretch_run.end = snapshot(f"{stretch_run.stretch.trial} ends")
    stretch_run.rival_run.finish(stretch_run)


def grade(score: float) -> Grade:
    return Grade(score, {"fidelity": score / 2}, 0.5)


def snapshot(name: str) -> Snapshot:
    return Snapshot(tensors={}, hyperparameters={}, instance=name, seed=0, iteration=0)


def begun(plan: object, runs: int, marks: tuple[int, ...]) -> RivalRun:
    rival = Rival(name="some", plan=plan)  # type: ignore[arg-type]
    job = ComparisonJob(rival=rival, problem=held_out_problem("a", 0, {}), runs=runs, marks=marks, context="")
    return RivalRun(job, a_setting(X, N_DECISIONS, runs), cast(Instance, None))


def test_the_best_moment_within_each_budget_is_returned() -> None:
    run = begun(one_by_one, 4, (1, 2, 4))
    for scores in SCORES:
        stretch_run = run.take()
        assert stretch_run is not None
        trained(stretch_run, scores)
    assert run.finished
    assert run.take() is None
    returned = {mark: (found.score, found.snapshot.instance) for mark, found in run.returned.items()}
    assert returned == {1: (0.5, "0 at 2"), 2: (0.6, "1 at 1"), 4: (0.7, "2 at 3")}
    result = run.record({1: grade(0.45), 2: grade(0.5), 4: grade(0.6)})
    assert result.curve == ((1, 0.2), (2, 0.5), (4, 0.6), (9, 0.7))
    assert {mark: (each.validation, each.test) for mark, each in result.marks.items()} == {
        1: (0.5, 0.45),
        2: (0.6, 0.5),
        4: (0.7, 0.6),
    }
    assert result.marks[4].terms == {"fidelity": 0.3}
    assert result.marks[4].memorised == 0.5
    assert result.marks[4].schedule == {"x": pytest.approx([0.21, 0.22, 0.23])}


def test_a_bar_rises_with_what_was_found() -> None:
    """Moments that can't matter any more are not even kept."""
    run = begun(one_by_one, 4, (4,))
    bars = []
    for scores in SCORES:
        stretch_run = run.take()
        assert stretch_run is not None
        bars.append(stretch_run.bar)
        trained(stretch_run, scores)
    assert bars == [-1.0, 0.5, 0.6, 0.7]


def test_of_a_batch_that_ran_side_by_side_the_best_is_returned() -> None:
    def plan(setting: Setting) -> Plan:
        yield [Stretch(trial=trial, decisions=1, values={"x": 0.0}) for trial in range(3)]

    run = begun(plan, 1, (1,))
    attempts = [run.take() for _ in range(3)]
    for stretch_run, score in zip(attempts, (0.5, 0.6, 0.4), strict=True):
        assert stretch_run is not None
        trained(stretch_run, [score])
    assert (run.returned[1].score, run.returned[1].snapshot.instance) == (0.6, "1 at 1")
    assert run.record({1: grade(0.0)}).curve == ((1, 0.5), (2, 0.6))


def test_a_copy_has_its_origins_values_before_its_own() -> None:
    run = begun(in_two_parts, 2, (2,))
    for number in range(2):
        stretch_run = run.take()
        assert stretch_run is not None
        trained(stretch_run, [0.2 + number / 10])
    for number in range(2):
        stretch_run = run.take()
        assert stretch_run is not None
        assert stretch_run.stretch.start is not None
        assert stretch_run.stretch.start.instance == "0 ends"
        trained(stretch_run, [0.4, 0.5 + number / 10])
    assert run.returned[2].score == 0.6
    assert run.record({2: grade(0.5)}).marks[2].schedule == {"x": pytest.approx([0.01, 0.91, 0.92])}


def test_every_trial_is_kept_and_what_went_on_from_one_is_not_kept_twice() -> None:
    """The first copy stands for its origin; the other is a trial of its own, with what both took."""
    run = begun(in_two_parts, 2, (2,))
    for scores in ([0.2], [0.3], [0.4, 0.5], [0.6, 0.1]):
        stretch_run = run.take()
        assert stretch_run is not None
        trained(stretch_run, scores)
    trials = run.record({2: grade(0.5)}).trials
    assert trials is not None
    assert trials.scores == (0.5, 0.3, 0.6)
    assert trials.whole == (True, False, True)
    assert (trials.circuits, trials.shots) == ((30, 10, 30), (300, 100, 300))
    assert trials.values == {"x": (0.92, 0.11, 0.92)}
    assert trials.held == (False, True, False)


def test_outcomes_come_in_the_order_that_was_asked_for() -> None:
    heard: list[Outcome] = []

    def plan(setting: Setting) -> Plan:
        heard.extend((yield [Stretch(trial=trial, decisions=1, values={"x": 0.0}) for trial in range(3)]))

    run = begun(plan, 1, (1,))
    attempts = [run.take() for _ in range(3)]
    for number in (2, 0, 1):
        stretch_run = attempts[number]
        assert stretch_run is not None
        trained(stretch_run, [number / 10])
    assert [outcome.scores for outcome in heard] == [(0.0, 0.0), (0.0, 0.1), (0.0, 0.2)]
    assert run.record({1: grade(0.0)}).curve == ((1, 0.0), (2, 0.1), (3, 0.2))
