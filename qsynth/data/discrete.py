"""Distributions over the integers 0 .. 2^n - 1, for generators that make n bits."""

from abc import abstractmethod
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import stats

from qsynth.config import Config
from qsynth.data.dataset import Instance, Split, instance_key, instance_stream
from qsynth.data.scaling import Scaling
from qsynth.data.source import DataSource

Rows = Annotated[int, Field(ge=16, le=1_000_000)]
Place = Annotated[float, Field(ge=-100, le=100)]
Width = Annotated[float, Field(ge=0.05, le=100)]
Floats = NDArray[np.float64]


class Law(Config):
    """A distribution of numbers that is cut to a grid of integers."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Kind and parameters, two decimals each."""

    @abstractmethod
    def cumulative(self, x: Floats, last: int) -> Floats:
        """Distribution function at x, on a grid that ends at ``last``."""

    def probabilities(self, n_values: int) -> Floats:
        """Of 0 .. n_values - 1 (they sum to one): numbers outside are left out, and the others are rounded."""
        edges = np.r_[0.0, np.arange(n_values - 1) + 0.5, n_values - 1.0]
        mass = np.diff(self.cumulative(edges, n_values - 1))
        probabilities: Floats = mass / mass.sum()
        return probabilities


class LogNormal(Law):
    """``exp(N(mu, sigma))``."""

    kind: Literal["lognormal"] = "lognormal"
    mu: Place = 1.0
    sigma: Width = 1.0

    @property
    def name(self) -> str:
        return f"lognormal({self.mu:.2f},{self.sigma:.2f})"

    def cumulative(self, x: Floats, last: int) -> Floats:
        return np.asarray(stats.lognorm(self.sigma, scale=np.exp(self.mu)).cdf(x))


class Triangular(Law):
    """A triangle over the whole grid with its peak at ``mode``."""

    kind: Literal["triangular"] = "triangular"
    mode: Annotated[float, Field(ge=0)] = 2.0

    @property
    def name(self) -> str:
        return f"triangular({self.mode:.2f})"

    def cumulative(self, x: Floats, last: int) -> Floats:
        return np.asarray(stats.triang(self.mode / last, scale=last).cdf(x))


class Bimodal(Law):
    """Two normal distributions, equally likely."""

    kind: Literal["bimodal"] = "bimodal"
    low: Place = 0.5
    low_sd: Width = 1.0
    high: Place = 3.5
    high_sd: Width = 0.5

    @property
    def name(self) -> str:
        return f"bimodal({self.low:.2f},{self.low_sd:.2f},{self.high:.2f},{self.high_sd:.2f})"

    def cumulative(self, x: Floats, last: int) -> Floats:
        both = stats.norm(self.low, self.low_sd).cdf(x) + stats.norm(self.high, self.high_sd).cdf(x)
        return np.asarray(both / 2)


class Binomial(Law):
    """How many of ``2^n - 1`` coins show heads, which come with probability ``p``."""

    kind: Literal["binomial"] = "binomial"
    p: Annotated[float, Field(gt=0, lt=1)] = 0.5

    @property
    def name(self) -> str:
        return f"binomial({self.p:.2f})"

    def cumulative(self, x: Floats, last: int) -> Floats:
        return np.asarray(stats.binom(last, self.p).cdf(x))

    def probabilities(self, n_values: int) -> Floats:
        """Of 0 .. n_values - 1; all of it lies on the grid."""
        return np.asarray(stats.binom(n_values - 1, self.p).pmf(np.arange(n_values)))


class DiscreteData(DataSource):
    """Samples of one distribution over 0 .. 2^n_qubits - 1, one class; a seed is another sample.

    Log-normal, triangular and bimodal with their defaults on three qubits are the targets of Zoufal, Lucchi & Woerner,
    "Quantum generative adversarial networks for learning and loading random distributions", npj Quantum Information 5,
    103 (2019): numbers outside [0, 7] are left out, the others rounded. In the scaled space the values are
    ``linspace(-0.9, 0.9, 2^n_qubits)``.

    Attributes:
        n_qubits: bits of a value.
        n_train: rows of ``train``, and of ``reserve``; 20,000 in Zoufal et al.
        n_validation: rows of ``validation``.
        n_test: rows of ``test``.
    """

    kind: Literal["discrete"] = "discrete"
    target: Annotated[LogNormal | Triangular | Bimodal | Binomial, Field(discriminator="kind")] = LogNormal()
    n_qubits: int = Field(3, ge=1, le=12)
    n_train: Rows = 20_000
    n_validation: Rows = 4096
    n_test: Rows = 20_000

    @model_validator(mode="after")
    def _lies_on_the_grid(self) -> Self:
        last = self.n_values - 1
        if isinstance(self.target, Triangular) and self.target.mode > last:
            raise ValueError(f"target.mode must be at most 2^n_qubits - 1 = {last}; got {self.target.mode:g}")
        if not isinstance(self.target, Binomial):
            inside = float(np.ptp(self.target.cumulative(np.array([0.0, last]), last)))
            if inside < 0.01:
                raise ValueError(f"target must have at least 1 % of its mass in 0..{last}; got {100 * inside:.2g} %")
        return self

    @property
    def n_values(self) -> int:
        """How many values there are."""
        return int(2**self.n_qubits)

    @property
    def title(self) -> str:
        return self.kind

    @property
    def width(self) -> int:
        """d of the scaled space."""
        return 1

    def probabilities(self) -> Floats:
        """The law itself: of each value, ``2^n_qubits`` numbers that sum to one."""
        return self.target.probabilities(self.n_values)

    def instance(self, seed: int, held_out: bool) -> Instance:
        """The samples of this seed; the key ends with the target, e.g. ``discrete#held-0:triangular(2.00)``.

        Raises:
            QsynthError: a negative seed.
        """
        sizes = (self.n_train, self.n_train, self.n_validation, self.n_test)
        scaling, law = Scaling.between(0.0, self.n_values - 1.0, 1), self.probabilities()

        def sample(use: int, size: int) -> Split:
            values = instance_stream(seed, held_out, use).choice(self.n_values, size, p=law)
            return Split(scaling.forward(values[:, None]), np.zeros(size, dtype=np.int64))

        train, reserve, validation, test = (sample(use, size) for use, size in enumerate(sizes, start=1))
        return Instance(
            key=f"{instance_key(self.title, seed, held_out)}:{self.target.name}",
            train=train,
            reserve=reserve,
            validation=validation,
            test=test,
            class_names=("all",),
            feature_names=("value",),
            scaling=scaling,
        )
