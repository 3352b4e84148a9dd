"""Active learning: a QNN that asks for the rows that it learns from."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from torch import Tensor

from qsynth.config import Config
from qsynth.data.dataset import Split
from qsynth.errors import FileError
from qsynth.experiment.active_learning.pools import Places, Pool
from qsynth.experiment.active_learning.queries import QUERY_STRATEGIES, RANDOM, View
from qsynth.experiment.cell import balanced_mean
from qsynth.experiment.fits import MOST_LANES, logits_of
from qsynth.experiment.training_set import real_rows
from qsynth.qnn.fit import QNNConfig, QNNFit

Floats = NDArray[np.float64]


class ActiveConfig(Config):
    """How rows are asked for, and what learns from them.

    Attributes:
        strategies: names in ``QUERY_STRATEGIES``; ``random``, which all are compared with, is always there.
        n_queries: rows a round.
        n_rounds: of queries.
        n_more_rounds: that ``random`` goes on for, so that one sees how many rows it needs.
        qnn: fitted anew in each round, from the same starts; they are what disagrees.
    """

    strategies: tuple[str, ...] = ("uncertainty", "disagreement", "generator", "both", "k-centre")
    n_queries: int = Field(6, ge=1, le=1000)
    n_rounds: int = Field(5, ge=1, le=1000)
    n_more_rounds: int = Field(5, ge=0, le=1000)
    qnn: QNNConfig = QNNConfig(n_starts=3, n_steps=40)

    @property
    def names(self) -> list[str]:
        """Of all strategies."""
        return list(dict.fromkeys((RANDOM, *self.strategies)))


@dataclass(frozen=True, kw_only=True)
class ActiveResult:
    """Learning curves on one data set.

    Attributes:
        n_known: rows known in each round.
        curves: of each strategy, for each seed, the balanced accuracy on the test rows in each round (mean over the
            QNN's starts); random's are longer than the others'.
        circuits, shots: that one learner's queries took in each round; none on a table.
    """

    data: str
    seeds: list[int]
    n_known: list[int]
    curves: dict[str, list[list[float]]]
    circuits: list[int]
    shots: list[int]

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
            made = TypeAdapter(cls).validate_python(state)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise FileError(f"learning curves' {where or 'content'} is none: {first['msg']}") from None
        n_rounds, n_seeds = len(made.n_known), len(made.seeds)
        if RANDOM not in made.curves or not n_seeds or not (len(made.circuits) == len(made.shots) == n_rounds > 0):
            raise FileError(f"learning curves must have seeds and rounds, and {RANDOM!r} among the strategies")
        for name, curves in made.curves.items():
            lengths = {len(curve) for curve in curves}
            fit = lengths == {n_rounds} if name == RANDOM else len(lengths) == 1 and 0 < max(lengths) <= n_rounds
            numbers = all(0.0 <= value <= 1.0 for curve in curves for value in curve)
            if len(curves) != n_seeds or not fit or not numbers:
                raise FileError(
                    f"learning curves of {name!r} must have {n_seeds} seeds and {n_rounds} rounds in [0, 1]"
                )
        return made


@dataclass(frozen=True, eq=False, kw_only=True)
class _Learner:
    """One strategy with one seed."""

    strategy: str
    seed: int
    pool: Pool
    places: Places
    known: Split

    @property
    def others(self) -> Places:
        """Places that may be asked about."""
        return np.setdiff1d(np.arange(self.pool.size), self.places)


def learn(
    data: str,
    pool: Callable[[int], Pool],
    seeds: Sequence[int],
    config: ActiveConfig,
    on_round: Callable[[int], None] = lambda _: None,
) -> ActiveResult:
    """Let every strategy ask, round after round; all strategies and seeds are lanes of one program.

    Rounds end early where a pool has no rows left, or no budget for another round.

    Args:
        data: what reports call it.
        pool: a new one for each learner with this seed; all are of one size.
        on_round: is told how many rows are known.
    """
    learners = [_begun(name, seed, pool(seed)) for name in config.names for seed in seeds]
    qnn = _qnn(config.qnn, learners[0])
    curves: dict[str, list[list[float]]] = {name: [[] for _ in seeds] for name in config.names}
    n_known: list[int] = []
    circuits: list[int] = []
    shots: list[int] = []
    for round_number in count():
        on_round(len(learners[0].known))
        flat = _fitted(qnn, learners)
        for learner, balanced in zip(learners, _balanced(qnn, flat, learners), strict=True):
            curves[learner.strategy][seeds.index(learner.seed)].append(balanced)
        n_known.append(len(learners[0].known))
        circuits.append(learners[0].pool.spent.circuits)
        shots.append(learners[0].pool.spent.shots)
        if round_number == config.n_rounds:
            n_left = sum(learner.strategy == RANDOM for learner in learners)
            learners, flat = learners[:n_left], flat[:n_left]  # random's are the first
        if round_number == config.n_rounds + config.n_more_rounds:
            break
        asked = _asked(qnn, flat, learners, config.n_queries)
        if asked is None:
            break
        learners = asked
    return ActiveResult(data=data, seeds=list(seeds), n_known=n_known, curves=curves, circuits=circuits, shots=shots)


def _begun(strategy: str, seed: int, pool: Pool) -> _Learner:
    places = pool.start()
    known = pool.query(places)
    assert known is not None  # a budget is at least what the start takes
    return _Learner(strategy=strategy, seed=seed, pool=pool, places=places, known=known)


def _asked(qnn: QNNFit, flat: Tensor, learners: Sequence[_Learner], n_queries: int) -> list[_Learner] | None:
    """The learners with so many rows more; None if there are not as many, or no budget for them."""
    if learners[0].pool.size < len(learners[0].places) + n_queries:
        return None
    views = _views(qnn, flat, learners)
    found: list[_Learner] = []
    for name in dict.fromkeys(learner.strategy for learner in learners):
        mine = [lane for lane, learner in enumerate(learners) if learner.strategy == name]
        chosen = QUERY_STRATEGIES[name].choose([views[lane] for lane in mine], n_queries)
        for lane, places in zip(mine, chosen, strict=True):
            learner = learners[lane]
            asked = learner.others[places]
            rows = learner.pool.query(asked)
            if rows is None:
                return None
            known = Split(np.concatenate([learner.known.x, rows.x]), np.concatenate([learner.known.y, rows.y]))
            found.append(replace(learner, places=np.concatenate([learner.places, asked]), known=known))
    return found


def _views(qnn: QNNFit, flat: Tensor, learners: Sequence[_Learner]) -> list[View]:
    guesses = [learner.pool.guesses(learner.places, learner.known, learner.others) for learner in learners]
    told = torch.softmax(logits_of(qnn, flat, torch.as_tensor(np.stack(guesses))), dim=3).double().numpy()
    return [
        View(known=learner.known, x=x, told=probabilities, seed=learner.seed, qnn=qnn)
        for learner, x, probabilities in zip(learners, guesses, told, strict=True)
    ]


def _qnn(config: QNNConfig, learner: _Learner) -> QNNFit:
    d, n_classes = learner.known.x.shape[1], learner.pool.n_classes
    return QNNFit.of(config, max(d, n_classes), d, n_classes)


def _fitted(qnn: QNNFit, learners: Sequence[_Learner]) -> Tensor:
    """Learners x starts x parameters after all steps: classes weigh the same.

    Two folds of so few rows would stop the fit too early, which costs chosen rows most.
    """
    found = []
    for begin in range(0, len(learners), MOST_LANES):
        some = learners[begin : begin + MOST_LANES]
        sets = [real_rows(each.known, each.pool.n_classes, weighted=True, stops_early=False) for each in some]
        x, targets, weight = (
            torch.as_tensor(np.stack([getattr(each, name) for each in sets])) for name in ("x", "targets", "weight")
        )
        found.append(qnn.fit(x, targets, weight))
    return torch.cat(found)


def _balanced(qnn: QNNFit, flat: Tensor, learners: Sequence[_Learner]) -> list[float]:
    """Balanced accuracy of each learner on its test rows, mean over the starts."""
    tests = [learner.pool.test for learner in learners]
    classes = logits_of(qnn, flat, torch.as_tensor(np.stack([test.x for test in tests]))).argmax(dim=3).numpy()
    return [balanced_mean((found == test.y).mean(axis=0), test.y) for found, test in zip(classes, tests, strict=True)]
