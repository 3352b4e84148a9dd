"""Going on with a trained trial elsewhere: on a device, under a budget of shots."""

from collections.abc import Iterator
from dataclasses import dataclass

from qsynth.circuits.spend import Spend
from qsynth.data.dataset import Instance
from qsynth.errors import QsynthError
from qsynth.metrics.score import Scorecard
from qsynth.population.snapshot import Snapshot
from rl_envs.tuner import Tuner


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """What came of it.

    Attributes:
        before: test score and raw metrics of the trial as it came.
        after: the same of what is kept: the moment with the best validation score, the first one included.
        scores: validation score at each decision, from the first one.
        kept: which of them.
        spent: circuits and shots that everything took.
        reason: why it ended.
    """

    before: dict[str, float]
    after: dict[str, float]
    scores: tuple[float, ...]
    kept: int
    spent: Spend
    reason: str
    snapshot: Snapshot


def fine_tuning(tuner: Tuner, start: Snapshot, instance: Instance) -> Iterator[FineTuning]:
    """Train on from ``start`` with its hyperparameters as they are, for one episode of ``tuner`` (one lane).

    Yields what would be kept if this were the end: first before any training, then after each decision.

    Raises:
        QsynthError: the device failed before there was anything to keep.
    """
    population, began = tuner.population, tuner.population.spent
    tuner.begin([0], [instance], [start.seed], [start])
    moments = [(float(tuner.score[0]), _measured(tuner), population.snapshot(0))]
    reason, over = "", False
    while True:
        scores = tuple(score for score, _, _ in moments)
        best = max(range(len(scores)), key=scores.__getitem__)
        _, after, snapshot = moments[best]
        yield FineTuning(
            before=moments[0][1],
            after=after,
            scores=scores,
            kept=best,
            spent=population.spent - began,
            reason=reason,
            snapshot=snapshot,
        )
        if over:
            return
        step = tuner.step({})
        reason, over = step.reason[0], bool(step.failed[0] or step.finished[0])
        if not step.failed[0]:
            moments.append((float(step.score[0]), _measured(tuner), population.snapshot(0)))


def _measured(tuner: Tuner) -> dict[str, float]:
    card, broken = tuner.measure_test([0], n_fresh=1)
    if card is None:
        raise QsynthError(f"the trial can't be measured on its device: {broken}")
    return scores_of(card)


def scores_of(card: Scorecard) -> dict[str, float]:
    """Score and raw metrics of the first lane."""
    return {"score": float(card.score[0])} | {name: float(value[0]) for name, value in card.raw.items()}
