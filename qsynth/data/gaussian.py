"""Random one-dimensional targets: a family of problems that an agent can be trained on in minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qsynth.config import Config
from qsynth.data.dataset import Instance, Split, instance_key, instance_stream, log_uniform
from qsynth.data.scaling import Scaling
from qsynth.data.source import DataSource

Rows = Annotated[int, Field(ge=16, le=100_000)]


class NormalTarget(Config):
    """N(mean, sd), conditioned on lying in [-1, 1]."""

    mean: float = Field(0.0, ge=-1, le=1)
    sd: float = Field(ge=0.01, le=1)


class GaussianFamily(DataSource):
    """Normal, bimodal and log-normal targets with random parameters, equally likely; values in [-1, 1], one class.

    Attributes:
        target: the one target of all instances, which then are other samples of it; left out: a target for each.
        n_train: rows of ``train``, and of ``reserve``.
        n_validation: rows of ``validation``.
        n_test: rows of ``test``.
    """

    kind: Literal["gaussian"] = "gaussian"
    target: NormalTarget | None = None
    n_train: Rows = 512
    n_validation: Rows = 1024
    n_test: Rows = 4096

    @property
    def title(self) -> str:
        return self.kind

    @property
    def width(self) -> int:
        """d of the scaled space."""
        return 1

    def instance(self, seed: int, held_out: bool) -> Instance:
        """The problem of this seed; of random ones held-out seed 0 is N(0, 0.2), the target of Gunduz (2025).

        The key ends with the target, e.g. ``gaussian#held-0:normal(0.00,0.20)``.

        Raises:
            QsynthError: a negative seed.
        """
        if self.target is not None:
            target = _normal(self.target.mean, self.target.sd)
        else:
            target = BENCHMARK if held_out and seed == 0 else _draw_target(instance_stream(seed, held_out, use=0))
        sizes = (self.n_train, self.n_train, self.n_validation, self.n_test)
        train, reserve, validation, test = (
            _sample(target, size, instance_stream(seed, held_out, use)) for use, size in enumerate(sizes, start=1)
        )
        return Instance(
            key=f"{instance_key(self.title, seed, held_out)}:{target.name}",
            train=train,
            reserve=reserve,
            validation=validation,
            test=test,
            class_names=("all",),
            feature_names=("value",),
            scaling=Scaling.identity(1),
        )


@dataclass(frozen=True)
class Target:
    """A distribution of numbers, conditioned on lying in [-1, 1].

    Attributes:
        name: kind and parameters, two decimals each.
        draw: ``n`` unconditioned numbers, given a generator and n.
    """

    name: str
    draw: Callable[[np.random.Generator, int], NDArray[np.float64]]


def _normal(mean: float, sd: float) -> Target:
    return Target(_name("normal", mean, sd), lambda rng, n: rng.normal(mean, sd, n))


def _bimodal(weight: float, low: float, low_sd: float, high: float, high_sd: float) -> Target:
    def draw(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
        return np.where(rng.random(n) < weight, rng.normal(low, low_sd, n), rng.normal(high, high_sd, n))

    return Target(_name("bimodal", weight, low, low_sd, high, high_sd), draw)


def _lognormal(start: float, scale: float, sigma: float) -> Target:
    """``start + scale exp(sigma N(0, 1))``; a negative scale mirrors it."""
    return Target(
        _name("lognormal", start, scale, sigma),
        lambda rng, n: start + scale * rng.lognormal(0.0, sigma, n),
    )


def _name(kind: str, *parameters: float) -> str:
    return f"{kind}({','.join(f'{round(p, 2) + 0.0:.2f}' for p in parameters)})"


def _random_normal(rng: np.random.Generator) -> Target:
    return _normal(rng.uniform(-0.4, 0.4), log_uniform(rng, 0.05, 0.3))


def _random_bimodal(rng: np.random.Generator) -> Target:
    """Two normals at least two sums of their standard deviations apart."""
    low_sd, high_sd = log_uniform(rng, 0.04, 0.12), log_uniform(rng, 0.04, 0.12)
    gap = rng.uniform(max(0.4, 2 * (low_sd + high_sd)), 1.1)
    middle = rng.uniform(-0.2, 0.2)
    return _bimodal(rng.uniform(0.3, 0.7), middle - gap / 2, low_sd, middle + gap / 2, high_sd)


def _random_lognormal(rng: np.random.Generator) -> Target:
    """Starts near one end of [-1, 1] and has its tail toward the other."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    return _lognormal(-side * rng.uniform(0.5, 0.9), side * rng.uniform(0.15, 0.35), log_uniform(rng, 0.25, 0.6))


_KINDS = (_random_normal, _random_bimodal, _random_lognormal)
BENCHMARK = _normal(0.0, 0.2)


def _draw_target(rng: np.random.Generator) -> Target:
    """A random target that isn't the benchmark, not even when rounded."""
    while True:
        target = _KINDS[rng.integers(len(_KINDS))](rng)
        if target.name != BENCHMARK.name:
            return target


def _sample(target: Target, size: int, rng: np.random.Generator) -> Split:
    """``size`` draws; those outside [-1, 1] are drawn again."""
    values = target.draw(rng, size)
    while (outside := np.abs(values) > 1).any():
        values[outside] = target.draw(rng, int(outside.sum()))
    return Split(values[:, None].astype(np.float32), np.zeros(size, dtype=np.int64))
