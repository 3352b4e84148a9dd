"""Random labelled tables of many shapes: lumps, gaps, tails, rings, curves and flat pieces, thick or thin."""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qsynth.data.dataset import instance_stream, log_uniform
from qsynth.data.random_tables import RandomTables, class_counts, labelled
from qsynth.data.table import Table

Floats = NDArray[np.float64]

SMALLEST_SHARE = 0.2  # of a class, over an equal one
MOST_LUMPS = 5
ALIKE = 1 / 2  # of the tables have classes that differ by their centres only
THINNEST, THICKEST = 0.02, 0.4  # standard deviation across a ring, a curve or a flat piece about one wide
LEAST_APART, MOST_APART = 0.1, 4.0  # of the classes' centres, in standard deviations
NARROWEST, WIDEST = 0.2, 0.8  # half of a gap's width
LEAST_FREEDOM, MOST_FREEDOM = 2.0, 5.0  # degrees, of Student's t


class ShapeFamily(RandomTables):
    """Another table for every instance: each class lies on a shape of its own.

    Drawn at random for a table: the classes' shares, how far their centres are apart (from within one another to far
    away), whether they differ by these only, and each class's shape: a normal, up to five lumps, a normal with a gap
    across it, the heavy tails of Student's t, a ring, a curve, a flat piece of fewer dimensions than columns, a box, or
    a skewed cloud. How narrow lumps are, and how thin rings, curves and flat pieces, is drawn on a logarithmic scale,
    so that how much noise suits the rows differs from table to table by a factor of twenty.
    """

    kind: Literal["shapes"] = "shapes"
    n_columns: Annotated[int, Field(ge=1, le=100)] = 4
    n_classes: Annotated[int, Field(ge=1, le=16)] = 3

    @property
    def title(self) -> str:
        return f"shapes-{self.n_columns}-{self.n_classes}"

    def drawn(self, n_rows: int, seed: int, held_out: bool) -> Table:
        return _drawn(self.n_columns, self.n_classes, n_rows, seed, held_out)


@lru_cache(maxsize=4)
def _drawn(n_columns: int, n_classes: int, n_rows: int, seed: int, held_out: bool) -> Table:
    rng = instance_stream(seed, held_out, use=2)
    counts = class_counts(rng, n_classes, n_rows, SMALLEST_SHARE)
    kinds = rng.integers(len(SHAPES), size=n_classes)
    if rng.random() < ALIKE:
        parts = np.split(SHAPES[kinds[0]](rng, n_rows, n_columns), np.cumsum(counts)[:-1])
    else:
        parts = [
            log_uniform(rng, 0.5, 1.5) * SHAPES[kind](rng, int(count), n_columns)
            for kind, count in zip(kinds, counts, strict=True)
        ]
    apart = log_uniform(rng, LEAST_APART, MOST_APART)
    return labelled(np.concatenate([apart * rng.normal(size=n_columns) + rows for rows in parts]), counts)


def _normal(rng: np.random.Generator, n: int, d: int) -> Floats:
    """Correlated normals."""
    return np.asarray(rng.normal(size=(n, d)) @ (rng.normal(size=(d, d)) / np.sqrt(d)))


def _lumps(rng: np.random.Generator, n: int, d: int) -> Floats:
    """Two to five narrow normals."""
    n_lumps = int(rng.integers(2, MOST_LUMPS + 1))
    centres, width = 1.5 * rng.normal(size=(n_lumps, d)), log_uniform(rng, THINNEST, THICKEST)
    weights = rng.dirichlet(np.full(n_lumps, 4.0))
    return np.asarray(centres[rng.choice(n_lumps, size=n, p=weights)] + width * rng.normal(size=(n, d)))


def _gap(rng: np.random.Generator, n: int, d: int) -> Floats:
    """A normal without its rows between two parallel planes: those beyond the middle are pushed outwards."""
    rows, direction, half = _normal(rng, n, d), rng.normal(size=d), rng.uniform(NARROWEST, WIDEST)
    direction /= np.linalg.norm(direction)
    along = rows @ direction
    return np.asarray(rows + half * np.where(along > rng.normal() * 0.3, 1.0, -1.0)[:, None] * direction)


def _tails(rng: np.random.Generator, n: int, d: int) -> Floats:
    """Student's t."""
    freedom = rng.uniform(LEAST_FREEDOM, MOST_FREEDOM)
    return 0.5 * _normal(rng, n, d) * np.sqrt(freedom / rng.chisquare(freedom, n))[:, None]


def _ring(rng: np.random.Generator, n: int, d: int) -> Floats:
    """A circle in a random plane, or two points in one dimension, and noise."""
    angle = rng.uniform(0.0, 2.0 * np.pi, n)
    plane, width = _directions(rng, min(2, d), d), log_uniform(rng, THINNEST, THICKEST)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, : len(plane)]
    return np.asarray(circle @ plane + width * rng.normal(size=(n, d)))


def _curve(rng: np.random.Generator, n: int, d: int) -> Floats:
    """A smooth curve, three waves a column, and noise."""
    t, waves = rng.uniform(0.0, 1.0, n), np.arange(1, 4)
    amplitude, phase = rng.normal(size=(3, d)) / waves[:, None], rng.uniform(0.0, 2.0 * np.pi, (3, d))
    smooth = (amplitude * np.sin(np.pi * waves[:, None] * t[:, None, None] + phase)).sum(axis=1)
    return np.asarray(smooth + log_uniform(rng, THINNEST, THICKEST) * rng.normal(size=(n, d)))


def _flat(rng: np.random.Generator, n: int, d: int) -> Floats:
    """A normal of at most half as many dimensions as columns, and noise; of one dimension where there is one column."""
    axes = _directions(rng, int(rng.integers(1, max(2, d // 2 + 1))), d)
    thickness = log_uniform(rng, THINNEST, THICKEST)
    return np.asarray(rng.normal(size=(n, len(axes))) @ axes + thickness * rng.normal(size=(n, d)))


def _box(rng: np.random.Generator, n: int, d: int) -> Floats:
    """Evenly within a box."""
    return np.asarray(rng.uniform(-1.0, 1.0, (n, d)) * rng.uniform(0.3, 1.5, d))


def _skewed(rng: np.random.Generator, n: int, d: int) -> Floats:
    """Log-normal columns, half of them mirrored."""
    rows = np.exp(rng.uniform(0.4, 1.0) * _normal(rng, n, d))
    return np.asarray(rows * rng.choice([-1.0, 1.0], size=d))


def _directions(rng: np.random.Generator, n: int, d: int) -> Floats:
    """``n x d`` orthonormal directions, at random."""
    return np.asarray(np.linalg.qr(rng.normal(size=(d, d)))[0][:n])


SHAPES: tuple[Callable[[np.random.Generator, int, int], Floats], ...] = (
    *(_normal, _lumps, _gap, _tails, _ring, _curve, _flat, _box, _skewed),
)
