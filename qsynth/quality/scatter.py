"""Rows as points in a plane."""

from dataclasses import dataclass

import numpy as np

from qsynth.quality.features import Floats
from qsynth.quality.samples import Rows, Samples

MAX_POINTS = 600
MAX_CLASSES = 6


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """The first two principal components of the real rows, with real and synthetic rows in them.

    Attributes:
        classes: names of the most frequent classes, at most six.
        share: of the variance that the plane keeps.
        real: ``n x 2``.
        real_colours: ``n``, indices into ``classes``; their number: another class, or none.
    """

    classes: tuple[str, ...]
    share: float
    real: Floats
    real_colours: Floats
    synthetic: Floats
    synthetic_colours: Floats

    @classmethod
    def of(cls, samples: Samples) -> "Scatter | None":
        """None where there is no plane: fewer than three rows, or no two columns that vary."""
        rows = samples.learned
        if len(rows) < 3 or rows.matrix.shape[1] < 2 or not len(samples.shown):
            return None
        centre = rows.matrix.mean(axis=0)
        _, spread, axes = np.linalg.svd(rows.matrix - centre, full_matrices=False)
        if spread[1] <= 1e-9:
            return None
        shown = samples.features.classes[:MAX_CLASSES]

        def points(those: Rows) -> tuple[Floats, Floats]:
            colours = np.nan_to_num(those.answers[:MAX_POINTS], nan=len(shown)) if shown else np.zeros(len(those))
            return (those.matrix[:MAX_POINTS] - centre) @ axes[:2].T, np.minimum(colours[:MAX_POINTS], len(shown))

        (real, real_colours), (synthetic, synthetic_colours) = points(rows), points(samples.shown)
        return cls(
            classes=shown,
            share=float((spread[:2] ** 2).sum() / (spread**2).sum()),
            real=real,
            real_colours=real_colours,
            synthetic=synthetic,
            synthetic_colours=synthetic_colours,
        )
