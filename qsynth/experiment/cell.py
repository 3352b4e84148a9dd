"""All arms on one data set in one regime, all seeds at once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from qsynth.data.dataset import Split
from qsynth.data.labels import stratified
from qsynth.errors import FileError
from qsynth.experiment.arms import Arm, SyntheticArm, needed
from qsynth.experiment.fits import Outcome, outcomes
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Floats, Labels, Setting
from qsynth.experiment.task import Task
from qsynth.metrics.frechet import entropy, frechet
from qsynth.qnn.fit import QNNConfig, QNNFit
from qsynth.synthesis.soft_labels import soft_labels

LOGISTIC = "logistic regression"


@dataclass(frozen=True, kw_only=True)
class ArmResult:
    """How an arm did; lists have an entry a seed unless they say otherwise.

    Attributes:
        accuracy, balanced, cross_entropy: on the test rows.
        rows: for each test row, the share of seeds and starts that put it into its class.
        path: balanced accuracy at the steps of :func:`qsynth.experiment.fits.looks`, a list a seed.
        n_rows: rows that it was fitted on.
        frechet, entropy: of its synthetic rows, to the test rows and in nats; empty without any.
        seconds: CPU time of making its synthetic rows, all seeds together.
    """

    accuracy: list[float]
    balanced: list[float]
    cross_entropy: list[float]
    rows: list[float]
    path: list[list[float]] = field(default_factory=list)
    n_rows: int = 0
    frechet: list[float] = field(default_factory=list)
    entropy: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """All arms on one data set in one regime.

    Attributes:
        test_labels: classes of the test rows.
        arms: results by name, that of a logistic regression on the real rows among them.
    """

    data: str
    regime: str
    seeds: list[int]
    test_labels: list[int]
    arms: dict[str, ArmResult]

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, lossless."""
        return asdict(self)

    @classmethod
    def from_dict(cls, state: object) -> Self:
        """What :meth:`to_dict` made.

        Raises:
            FileError: the state isn't one, or its parts do not go together.
        """
        try:
            cell = TypeAdapter(cls).validate_python(state)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise FileError(f"a cell's {where or 'content'} is none: {first['msg']}") from None
        n_rows, n_seeds = len(cell.test_labels), len(cell.seeds)
        n_looks = {len(path) for arm in cell.arms.values() for path in arm.path}
        for name, arm in cell.arms.items():
            always = (arm.accuracy, arm.balanced, arm.cross_entropy)
            some = (arm.path, arm.frechet, arm.entropy)
            each_seed = all(len(each) == n_seeds for each in always) and all(len(each) in (0, n_seeds) for each in some)
            if len(arm.rows) != n_rows or not each_seed or not n_seeds or len(n_looks) > 1:
                raise FileError(f"a cell's arm {name!r} must have {n_seeds} seeds and {n_rows} test rows")
        return cell


def run_cell(
    data: str,
    regime: str,
    tasks: Sequence[Task],
    arms: Sequence[Arm],
    config: QNNConfig,
    n_synthetic: int,
    share: float,
    on_stage: Callable[[str], None] = lambda _: None,
) -> CellResult:
    """Make the synthetic rows, fit the QNNs, test them.

    Args:
        data, regime: what reports call them.
        tasks: of this data set and regime, one a seed; they have as many rows as each other.
        n_synthetic: rows of each synthesizer, every class alike.
        share: of the weight, that synthetic rows have in the fit.
        on_stage: is told what begins.
    """
    first = tasks[0].instance
    n_qubits = max(first.n_features, first.n_classes)
    qnn = QNNFit.of(config, n_qubits, first.n_features, first.n_classes)
    labels = stratified(np.full(first.n_classes, 1 / first.n_classes), n_synthetic)
    made: dict[str, list[Floats]] = {}
    seconds: dict[str, float] = {}
    for name in needed(arms):
        on_stage(name)
        began = time.process_time()
        made[name] = ROW_SYNTHESIZERS[name].rows(tasks, labels, Setting(qnn, share))
        seconds[name] = time.process_time() - began
    on_stage("QNNs")
    sets = [
        arm.training_set(task, made[arm.synthesizer][number], labels, share)
        if isinstance(arm, SyntheticArm)
        else arm.training_set(task)
        for arm in arms
        for number, task in enumerate(tasks)
    ]
    tests = [task.instance.test for _ in arms for task in tasks]
    done = outcomes(qnn, sets, tests)
    results = {}
    for index, arm in enumerate(arms):
        part = slice(index * len(tasks), (index + 1) * len(tasks))
        result = _result(done[part], tests[part], len(sets[part.start].x))
        if isinstance(arm, SyntheticArm):
            result = _with_rows(result, made[arm.synthesizer], tasks, seconds[arm.synthesizer])
        results[arm.name] = result
    results[LOGISTIC] = _logistic(tasks)
    y = first.test.y
    return CellResult(
        data=data, regime=regime, seeds=[task.seed for task in tasks], test_labels=y.tolist(), arms=results
    )


def balanced_mean(values: NDArray[np.float64], y: Labels) -> float:
    """Mean over classes of the mean over their rows."""
    return float(np.mean([values[y == label].mean() for label in np.unique(y)]))


def _result(done: Sequence[Outcome], tests: Sequence[Split], n_rows: int) -> ArmResult:
    correct = np.stack([each.correct for each in done])
    return ArmResult(
        accuracy=correct.mean(axis=1).tolist(),
        balanced=[balanced_mean(row, test.y) for row, test in zip(correct, tests, strict=True)],
        cross_entropy=[each.cross_entropy for each in done],
        rows=correct.mean(axis=0).round(4).tolist(),
        path=[each.path.round(5).tolist() for each in done],
        n_rows=n_rows,
    )


def _with_rows(result: ArmResult, made: Sequence[Floats], tasks: Sequence[Task], seconds: float) -> ArmResult:
    """With what is known of the synthetic rows."""
    distances = [frechet(x, task.instance.test.x) for x, task in zip(made, tasks, strict=True)]
    values = {"frechet": distances, "entropy": [entropy(x) for x in made], "seconds": seconds}
    return ArmResult(**{**asdict(result), **values})


def _logistic(tasks: Sequence[Task]) -> ArmResult:
    """A logistic regression on the real rows, classes weighted equally."""
    correct, losses = [], []
    for task in tasks:
        train, test = task.instance.train, task.instance.test
        told = soft_labels(train.x, train.y, task.instance.n_classes, test.x)
        correct.append((told.argmax(axis=1) == test.y).astype(float))
        losses.append(balanced_mean(-np.log(told[np.arange(len(test)), test.y].astype(float).clip(1e-12)), test.y))
    y = tasks[0].instance.test.y
    return ArmResult(
        accuracy=[float(row.mean()) for row in correct],
        balanced=[balanced_mean(row, y) for row in correct],
        cross_entropy=losses,
        rows=np.mean(correct, axis=0).round(4).tolist(),
        n_rows=len(tasks[0].instance.train),
    )
