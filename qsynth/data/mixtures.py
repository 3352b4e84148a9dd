"""Random labelled tables: a family of problems that an agent can be trained on before it meets real ones."""

from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qsynth.data.dataset import instance_stream, log_uniform
from qsynth.data.random_tables import RandomTables, class_counts, labelled
from qsynth.data.table import Table

SMALLEST_SHARE = 0.1
MAX_NORMALS = 2
SKEWED = 1 / 3
HEAVY_TAILED = 1 / 3
GRADED = 1 / 3
ALIKE = 1 / 2
LEAST_APART, MOST_APART = 0.2, 3.0
LEAST_INFORMATIVE = 0.3
FINEST, COARSEST = 0.3, 1.5  # steps of graded columns, in standard deviations
LEAST_FREEDOM, MOST_FREEDOM = 2.5, 8.0  # degrees, of Student's t


class MixtureFamily(RandomTables):
    """Another table for every instance: each class is a mixture of normals in correlated, partly skewed columns.

    Drawn at random for a table: the classes' shares (Dirichlet, none below a tenth of an equal one), in which columns
    they differ and by how much (from hardly to clearly), of one or two normals each, their covariances (in half of the
    tables all classes' alike), how heavy the tails are (a third has those of Student's t), which columns are skewed
    (log-normal), and, in a third, which have a few equidistant values only, as in questionnaires.
    """

    kind: Literal["mixtures"] = "mixtures"
    n_columns: Annotated[int, Field(ge=1, le=100)] = 6
    n_classes: Annotated[int, Field(ge=1, le=16)] = 3

    @property
    def title(self) -> str:
        return f"mixtures-{self.n_classes}"

    def drawn(self, n_rows: int, seed: int, held_out: bool) -> Table:
        return _drawn(self.n_columns, self.n_classes, n_rows, seed, held_out)


@lru_cache(maxsize=4)
def _drawn(n_columns: int, n_classes: int, n_rows: int, seed: int, held_out: bool) -> Table:
    rng = instance_stream(seed, held_out, use=1)
    counts = class_counts(rng, n_classes, n_rows, SMALLEST_SHARE)
    telling = rng.random(n_columns) < rng.uniform(LEAST_INFORMATIVE, 1.0)
    telling[rng.integers(n_columns)] = True
    apart = np.where(telling, log_uniform(rng, LEAST_APART, MOST_APART), 0.0)
    freedom = rng.uniform(LEAST_FREEDOM, MOST_FREEDOM) if rng.random() < HEAVY_TAILED else None
    factors = _factors(rng, n_classes, n_columns)
    x = np.concatenate(
        [_class_rows(rng, int(count), apart, freedom, own) for count, own in zip(counts, factors, strict=True)]
    )
    skewed = rng.random(n_columns) < SKEWED
    x[:, skewed] = np.exp(rng.uniform(0.3, 1.0) * x[:, skewed] / x[:, skewed].std(axis=0))
    if rng.random() < GRADED:
        graded = rng.random(n_columns) < rng.uniform(0.0, 1.0)
        step = rng.uniform(FINEST, COARSEST, size=n_columns) * x.std(axis=0)
        x[:, graded] = (np.round(x / step) * step)[:, graded]
    return labelled(x, counts)


def _factors(rng: np.random.Generator, n_classes: int, n_columns: int) -> NDArray[np.float64]:
    """Of the covariances, n_classes x MAX_NORMALS x n_columns x n_columns; in half of the tables all classes' alike."""
    factors = rng.normal(size=(n_classes, MAX_NORMALS, n_columns, n_columns)) / np.sqrt(n_columns)
    sizes = [[log_uniform(rng, 0.5, 1.5) for _ in range(MAX_NORMALS)] for _ in range(n_classes)]
    factors *= np.array(sizes)[..., None, None]
    return np.broadcast_to(factors[:1], factors.shape) if rng.random() < ALIKE else factors


def _class_rows(
    rng: np.random.Generator,
    count: int,
    apart: NDArray[np.float64],
    freedom: float | None,
    factors: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``count x n_columns`` rows of one class; with ``freedom`` around its centres as Student's t, else as normals.

    Args:
        apart: standard deviation of the classes' centres, for each column.
        factors: of the covariance of each of its normals, MAX_NORMALS x n_columns x n_columns.
    """
    n_columns = len(apart)
    centre = apart * rng.normal(size=n_columns)
    n_normals = int(rng.integers(1, MAX_NORMALS + 1))
    of_normal = rng.integers(n_normals, size=count)
    rows = np.empty((count, n_columns))
    stretch = np.ones(count) if freedom is None else np.sqrt(freedom / rng.chisquare(freedom, count))
    for index in range(n_normals):
        chosen = of_normal == index
        offset = 0.5 * apart * rng.normal(size=n_columns) if n_normals > 1 else 0.0
        noise = rng.normal(size=(int(chosen.sum()), n_columns)) @ factors[index]
        rows[chosen] = centre + offset + stretch[chosen, None] * noise
    return rows
