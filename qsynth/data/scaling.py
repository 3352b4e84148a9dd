"""The one map between a data set's own units and the generator's range."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from qsynth.data.marginal import Marginal
from qsynth.errors import DataError, FileError, StudyError

TRAINING_RANGE = 0.9
_CONSTANT = 1e-9
_LARGEST = 1e100
_FARTHEST = 1e6

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scaling:
    """Original rows (``n x columns``) to scaled rows (``n x d``) and back.

    Generator outputs are Pauli-Z expectations in [-1, 1]; the rows that :meth:`fit` saw lie in [-0.9, 0.9], and rows
    beyond them may lie outside [-1, 1]. In order: logarithm of heavy-tailed columns, standardisation, normal scores if
    asked for, principal components when there are more columns than d, and an affine map per component. A component
    without spread is 0 when scaled, and its training value when inverted.

    Attributes:
        log_columns: indices of the columns of which ``log(x + log_offsets)`` is taken.
        log_offsets: one number per entry of ``log_columns``.
        mean: per column, subtracted.
        deviation: per column, divided by.
        components: ``d x columns`` principal directions, or None when no column was dropped.
        center: per component, subtracted.
        spread: per component, divided by; 0 marks a component without spread.
        marginals: per column, standardised value to normal score and back; None leaves the values as they are.
    """

    log_columns: NDArray[np.int64]
    log_offsets: Floats
    mean: Floats
    deviation: Floats
    components: Floats | None
    center: Floats
    spread: Floats
    marginals: tuple[Marginal, ...] | None = None

    @property
    def n_columns(self) -> int:
        """Number of original columns."""
        return len(self.mean)

    @property
    def n_features(self) -> int:
        """d of the scaled space."""
        return len(self.center)

    @classmethod
    def identity(cls, d: int) -> Self:
        """Leaves ``n x d`` rows as they are."""
        none, zeros, ones = np.empty(0), np.zeros(d), np.ones(d)
        return cls(
            log_columns=none.astype(np.int64),
            log_offsets=none,
            mean=zeros,
            deviation=ones,
            components=None,
            center=zeros,
            spread=ones,
        )

    @classmethod
    def between(cls, low: float, high: float, d: int) -> Self:
        """Takes ``low`` to -0.9 and ``high`` to 0.9 in each of d columns, whatever their rows."""
        none, zeros, ones = np.empty(0), np.zeros(d), np.ones(d)
        center, spread = (low + high) / 2, (high - low) / (2 * TRAINING_RANGE)
        return cls(
            log_columns=none.astype(np.int64),
            log_offsets=none,
            mean=zeros,
            deviation=ones,
            components=None,
            center=center * ones,
            spread=spread * ones,
        )

    @classmethod
    def fit(
        cls,
        x: ArrayLike,
        n_features: int,
        log_offsets: Mapping[int, float] | None = None,
        *,
        marginals: bool = False,
        standardised: bool = True,
    ) -> Self:
        """Learn the map from training rows.

        Args:
            x: ``n x columns`` training rows in original units.
            n_features: most components to keep; d = min(columns, n_features).
            log_offsets: column index -> offset; ``log(x + offset)`` is standardised instead of x.
            marginals: whether to take each column to its normal scores.
            standardised: whether to divide columns by their standard deviations; not where they have one unit.

        Raises:
            QsynthError: fewer than two rows, numbers not finite or beyond 1e100, a logarithm of a number that is
                not positive, or fewer rows than principal components.
        """
        rows = _matrix(x)
        if len(rows) < 2 or not rows.shape[1]:
            raise DataError(f"a scaling must be fitted to at least 2 rows of 1 column; got shape {rows.shape}")
        if not np.all(np.abs(rows) <= _LARGEST):
            raise DataError("rows to scale must be finite and within +-1e100; got others")
        columns = np.array(sorted(log_offsets or {}), dtype=np.int64)
        offsets = np.array([log_offsets[c] for c in columns.tolist()] if log_offsets else [], dtype=np.float64)
        rows = _logarithm(rows, columns, offsets)
        standard = StandardScaler().fit(rows)
        mean = np.asarray(standard.mean_, np.float64)
        deviation = np.asarray(standard.scale_, np.float64) if standardised else np.ones_like(mean)
        components, rows = None, (rows - mean) / deviation
        scores = tuple(Marginal.fit(column) for column in rows.T) if marginals else None
        rows = _through(scores, Marginal.forward, rows)
        if rows.shape[1] > n_features:
            if len(rows) < n_features:
                raise StudyError(f"n_features must be at most the {len(rows)} training rows; got {n_features}")
            with np.errstate(invalid="ignore"):  # shares of the variance, unused here, are 0 / 0 for constant rows
                components = np.asarray(PCA(n_features, svd_solver="full").fit(rows).components_, np.float64)
            rows = rows @ components.T
        low, high = rows.min(axis=0), rows.max(axis=0)
        spread = np.where(high - low > _CONSTANT, (high - low) / (2 * TRAINING_RANGE), 0.0)
        return cls(
            log_columns=columns,
            log_offsets=offsets,
            mean=mean,
            deviation=deviation,
            components=components,
            center=(low + high) / 2,
            spread=spread,
            marginals=scores,
        )

    def forward(self, x_original: ArrayLike) -> NDArray[np.float32]:
        """``n x columns`` in original units to ``n x d`` scaled, clipped to +-1e6 so that outliers stay finite.

        Raises:
            QsynthError: another number of columns, or a logarithm of a number that is not positive.
        """
        rows = self._checked(x_original, self.n_columns)
        rows = (_logarithm(rows, self.log_columns, self.log_offsets) - self.mean) / self.deviation
        rows = _through(self.marginals, Marginal.forward, rows)
        if self.components is not None:
            rows = rows @ self.components.T
        centered = (rows - self.center) / np.where(self.spread > 0, self.spread, 1.0)
        return np.where(self.spread > 0, centered, 0.0).clip(-_FARTHEST, _FARTHEST).astype(np.float32)

    def inverse(self, x_scaled: ArrayLike) -> Floats:
        """``n x d`` scaled to ``n x columns`` in original units; exact up to float32 when no column was dropped.

        Raises:
            QsynthError: another number of features.
        """
        rows = self._checked(x_scaled, self.n_features) * self.spread + self.center
        if self.components is not None:
            rows = rows @ self.components
        rows = _through(self.marginals, Marginal.inverse, rows)
        rows = rows * self.deviation + self.mean
        rows[:, self.log_columns] = np.exp(rows[:, self.log_columns]) - self.log_offsets
        return rows

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, lossless state."""
        state: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            state[field.name] = value.tolist() if isinstance(value, np.ndarray) else value
        if self.marginals is not None:
            state["marginals"] = [marginal.to_dict() for marginal in self.marginals]
        return state

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The scaling that :meth:`to_dict` described; states from before there were ``marginals`` have none.

        Raises:
            QsynthError: the state isn't one of those.
        """
        state = {"marginals": None, **state}
        names = {field.name for field in fields(cls)}
        if set(state) != names:
            raise FileError(f"a scaling's state must have the keys {', '.join(sorted(names))}; got {sorted(state)}")
        try:
            vectors = names - {"log_columns", "components", "marginals"}
            arrays: dict[str, Any] = {name: np.array(state[name], dtype=np.float64) for name in vectors}
            arrays["log_columns"] = np.array(state["log_columns"], dtype=np.int64)
            components = None if state["components"] is None else np.array(state["components"], dtype=np.float64)
            each = state["marginals"]
            marginals = None if each is None else tuple(Marginal.from_dict(marginal) for marginal in each)
            scaling = cls(**arrays, components=components, marginals=marginals)
            scaling._validate()
        except (TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
            raise FileError(f"a scaling's state must hold matching lists of numbers; got {error}") from None
        return scaling

    def _validate(self) -> None:
        vectors = (self.log_columns, self.log_offsets, self.mean, self.deviation, self.center, self.spread)
        sizes = [v.shape for v in vectors]
        n, d = self.mean.shape, self.center.shape
        shape = n + n if self.components is None else self.components.shape
        if any(v.ndim != 1 for v in vectors) or sizes[0] != sizes[1] or sizes[3] != n or sizes[5] != d:
            raise ValueError(f"shapes {sizes}")
        if shape != d + n:
            raise ValueError(f"components of shape {shape} for {n[0]} columns and {d[0]} features")
        if not all(np.isfinite(a).all() for a in (*vectors, *([] if self.components is None else [self.components]))):
            raise ValueError("numbers that are not finite")
        if (self.deviation <= 0).any() or (self.spread < 0).any():
            raise ValueError("a deviation or spread that is not positive")
        if ((self.log_columns < 0) | (self.log_columns >= n[0])).any():
            raise ValueError(f"log_columns {self.log_columns.tolist()} for {n[0]} columns")
        if self.marginals is not None and len(self.marginals) != n[0]:
            raise ValueError(f"{len(self.marginals)} marginals for {n[0]} columns")

    @staticmethod
    def _checked(x: ArrayLike, width: int) -> Floats:
        rows = _matrix(x)
        if rows.shape[1] != width:
            raise DataError(f"rows must have {width} columns; got {rows.shape[1]}")
        return rows


def _matrix(x: ArrayLike) -> Floats:
    rows = np.array(x, dtype=np.float64)
    if rows.ndim != 2:
        raise DataError(f"rows must be a matrix (n x columns); got shape {rows.shape}")
    return rows


def _through(marginals: tuple[Marginal, ...] | None, way: Callable[[Marginal, Floats], Floats], rows: Floats) -> Floats:
    """Each column (of ``n x columns``) through its marginal, there or back."""
    if marginals is None:
        return rows
    return np.column_stack([way(marginal, column) for marginal, column in zip(marginals, rows.T, strict=True)])


def _logarithm(rows: Floats, columns: NDArray[np.int64], offsets: Floats) -> Floats:
    shifted = rows[:, columns] + offsets
    if (shifted <= 0).any():
        raise DataError(f"columns {columns.tolist()} must be above {(-offsets).tolist()} to take their logarithm")
    rows[:, columns] = np.log(shifted)
    return rows
