"""Ways to choose which rows to ask about."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from qsynth.data.dataset import Instance, Split
from qsynth.data.labels import stratified
from qsynth.data.scaling import Scaling
from qsynth.experiment.active_learning.pools import Places
from qsynth.experiment.synthesizers.registry import ROW_SYNTHESIZERS
from qsynth.experiment.synthesizers.row_synthesizer import Setting
from qsynth.experiment.task import Task
from qsynth.qnn.fit import QNNFit
from qsynth.registry import Registry

N_SYNTHETIC = 200
N_NEAREST = 10
SHARPNESS = 2.0  # with which a rank counts
RANDOM = "random"
_QUERY = 12  # stream of random numbers

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """What a strategy sees of one learner.

    Attributes:
        known: rows with their classes.
        x: rows that may be asked about, as far as they are known (``m x d``).
        told: the QNN's probabilities for these, starts x m x classes.
        seed: of the learner.
        qnn: the fit, for synthesizers that choose by it.
    """

    known: Split
    x: Rows
    told: Floats
    seed: int
    qnn: QNNFit

    @property
    def n_classes(self) -> int:
        """Of the classes."""
        return int(self.told.shape[2])

    @property
    def random(self) -> np.random.Generator:
        """Its random numbers, others after each query and the same whatever the strategy."""
        return np.random.default_rng([self.seed, len(self.known), _QUERY])


class QueryStrategy(Protocol):
    """Chooses for several learners at once."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def about(self) -> str:
        """What it does, in words."""
        ...

    def choose(self, views: Sequence[View], n: int) -> list[Places]:
        """Which ``n`` of each view's ``m`` rows to ask about."""
        ...


@dataclass(frozen=True)
class RandomRows:
    """Any rows."""

    name: str = RANDOM
    about: str = "any rows"

    def choose(self, views: Sequence[View], n: int) -> list[Places]:
        """``n`` places of each view."""
        return [view.random.permutation(len(view.x))[:n] for view in views]


class ScoredRows(ABC):
    """Strategies that ask about rows of high scores, drawn so that the rows of a query are not all neighbours.

    The row of rank r, 1 for the highest score, is drawn with a weight of ``1 / r^2``, one row after another and none
    twice: soft-rank acquisition [Kirsch et al. 2023, "Stochastic batch acquisition"]. The highest scores alone, or the
    distance to what is known as a factor, did better on some tables and much worse on others.
    """

    name: str

    @abstractmethod
    def scores(self, views: Sequence[View]) -> list[Floats]:
        """A number for each row of each view, none negative."""

    def choose(self, views: Sequence[View], n: int) -> list[Places]:
        """``n`` places of each view."""
        return [_drawn(view, scores, n) for view, scores in zip(views, self.scores(views), strict=True)]


@dataclass(frozen=True)
class SmallestMargin(ScoredRows):
    """Rows whose two likeliest classes are nearly as likely, by the mean over the QNN's starts."""

    name: str = "uncertainty"
    about: str = "rows between two classes for the QNN: smallest difference of the two highest mean probabilities"

    def scores(self, views: Sequence[View]) -> list[Floats]:
        """One minus the margin."""
        tops = [np.sort(view.told.mean(axis=0), axis=1)[:, -2:] for view in views]
        return [1 - (top[:, 1] - top[:, 0]) for top in tops]


@dataclass(frozen=True)
class StartsDisagree(ScoredRows):
    """Rows about which the QNN's starts disagree: mutual information of class and start [Houlsby et al. 2011]."""

    name: str = "disagreement"
    about: str = "rows about which the QNN's starts disagree: entropy of the mean less mean of the entropies"

    def scores(self, views: Sequence[View]) -> list[Floats]:
        """In nats."""
        found = [_entropy(view.told.mean(axis=0)) - _entropy(view.told).mean(axis=0) for view in views]
        return [each.clip(0) for each in found]  # rounding may make equal ones differ by less


@dataclass(frozen=True)
class ByGenerator(ScoredRows):
    """Rows where a synthesizer puts mass and its classes are not those of the QNN.

    A synthesizer learns the known rows and makes 200, every class alike. Of a row, let r be the distance to the tenth
    nearest of these, q_c the share of class c among the ten, p_c the QNN's mean probability, and m the median of r over
    the rows that may be asked about. The score is ``exp(-r^2 / 2 m^2) (1 - sum_c q_c p_c)``: a bounded density of the
    synthetic rows, times the probability that a class drawn from them and one drawn from the QNN differ.

    Attributes:
        synthesizer: a registered way to make rows.
    """

    name: str
    synthesizer: str

    @property
    def about(self) -> str:
        """What it does, in words."""
        return f"rows among those of {self.synthesizer}, whose classes are not those that the QNN says"

    def scores(self, views: Sequence[View]) -> list[Floats]:
        """Density times disagreement."""
        n_classes = views[0].n_classes
        labels = stratified(np.full(n_classes, 1 / n_classes), N_SYNTHETIC)
        tasks = [_task(view) for view in views]
        made = ROW_SYNTHESIZERS[self.synthesizer].rows(tasks, labels, Setting(views[0].qnn, 0.5))
        return [density_times_disagreement(view, x, labels) for view, x in zip(views, made, strict=True)]


@dataclass(frozen=True)
class Both(ScoredRows):
    """Rows of high rank in two strategies' scores together."""

    name: str
    first: ScoredRows
    second: ScoredRows

    @property
    def about(self) -> str:
        """What it does, in words."""
        return f"sum of the ranks by {self.first.name} and by {self.second.name}"

    def scores(self, views: Sequence[View]) -> list[Floats]:
        """Sums of ranks."""
        both = zip(self.first.scores(views), self.second.scores(views), strict=True)
        return [rankdata(one) + rankdata(other) for one, other in both]


@dataclass(frozen=True)
class FarthestFirst:
    """Rows far from all known ones, one after another: the greedy k-centre core-set [Sener & Savarese 2018]."""

    name: str = "k-centre"
    about: str = "the row farthest from all known ones, again and again; no QNN is asked"

    def choose(self, views: Sequence[View], n: int) -> list[Places]:
        """``n`` places of each view."""
        return [self._farthest(view, n) for view in views]

    def _farthest(self, view: View, n: int) -> Places:
        nearest = distances(view.x, view.known.x).min(axis=1)
        chosen: list[int] = []
        for _ in range(n):
            chosen.append(int(nearest.argmax()))
            nearest = np.minimum(nearest, distances(view.x, view.x[chosen[-1:]])[:, 0])
            nearest[chosen] = -1
        return np.array(chosen)


QUERY_STRATEGIES: Registry[QueryStrategy] = Registry("query strategy", own_name=lambda each: each.name)
_TIED, _CIRCUIT = ByGenerator("generator", "tied Gaussian"), ByGenerator("circuit generator", "qsynth table")
_ALL: tuple[QueryStrategy, ...] = (
    RandomRows(),
    SmallestMargin(),
    StartsDisagree(),
    _TIED,
    _CIRCUIT,
    Both("both", StartsDisagree(), _TIED),
    FarthestFirst(),
)
for _each in _ALL:
    QUERY_STRATEGIES.register(_each.name)(_each)


def density_times_disagreement(view: View, made: Rows, labels: Places) -> Floats:
    """The score of :class:`ByGenerator` (``m``), from synthetic rows ``made`` of classes ``labels``."""
    between = distances(view.x, made)
    nearest = np.argpartition(between, N_NEAREST - 1, axis=1)[:, :N_NEAREST]
    radius = np.take_along_axis(between, nearest, axis=1).max(axis=1)
    shares = np.eye(view.n_classes)[labels[nearest]].mean(axis=1)
    agreement = (shares * view.told.mean(axis=0)).sum(axis=1)
    width = max(float(np.median(radius)), 1e-12)
    return np.asarray(np.exp(-0.5 * (radius / width) ** 2) * (1 - agreement))


def distances(one: Rows, other: Rows) -> Floats:
    """Of each row of one to each of the other."""
    return np.asarray(np.sqrt(((one[:, None].astype(np.float64) - other[None]) ** 2).sum(axis=2)))


def _drawn(view: View, scores: Floats, n: int) -> Places:
    """Places drawn without replacement, by the highest logarithms of their weights with Gumbel noise."""
    logs = -SHARPNESS * np.log(rankdata(-scores))
    return np.argsort(-(logs + view.random.gumbel(size=len(logs))))[:n]


def _entropy(p: Floats) -> Floats:
    return np.asarray(-(p * np.log(p.clip(1e-12))).sum(axis=-1))


def _task(view: View) -> Task:
    """The known rows as all that there is."""
    d = view.x.shape[1]
    known = view.known
    instance = Instance(
        key=f"known#{view.seed}",
        train=known,
        reserve=known,
        validation=known,
        test=known,
        class_names=tuple(map(str, range(view.n_classes))),
        feature_names=tuple(f"x{column}" for column in range(d)),
        scaling=Scaling.identity(d),
    )
    nothing = Split(np.empty((0, d), dtype=np.float32), np.empty(0, dtype=np.int64))
    return Task(instance=instance, more=nothing, seed=view.seed)
