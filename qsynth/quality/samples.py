"""The rows that are compared: which stand for the truth, and which in whose place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qsynth.quality.features import Features, Floats

MAX_ROWS = 2000


@dataclass(frozen=True, eq=False, kw_only=True)
class Rows:
    """Rows in the forms that measures take.

    Attributes:
        matrix: ``n x width``, all columns but ids.
        inputs: ``n x fewer``, without what is to be predicted.
        answers: ``n``, what is to be predicted, NaN where unknown.
    """

    frame: pd.DataFrame
    matrix: Floats
    inputs: Floats
    answers: Floats

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
    """Everything that a report compares, each at most 2,000 rows.

    Rows under judgement (synthetic ones, yardsticks', and real ones, which give the reference) are cut to one size and
    compared with the same ``fresh`` rows.

    Attributes:
        learned: real rows that the model saw.
        unseen: real rows that it did not see; None: none are known.
        fresh: the unseen rows; without any, one half of the learned ones.
        stand_in: real rows in the synthetic rows' place: the learned ones; without unseen rows, their other half.
        shown: synthetic rows, not cut to the size of others: for pictures.
        beside: rows of yardsticks.
    """

    features: Features
    learned: Rows
    unseen: Rows | None
    fresh: Rows
    stand_in: Rows
    synthetic: Rows
    shown: Rows
    beside: Mapping[str, Rows]
    seed: int

    @classmethod
    def of(
        cls,
        features: Features,
        real: pd.DataFrame,
        synthetic: pd.DataFrame,
        held_out: pd.DataFrame | None,
        yardsticks: Mapping[str, pd.DataFrame],
        seed: int,
    ) -> "Samples":
        """Drawn without replacement."""

        def rows(frame: pd.DataFrame, size: int, stream: int) -> Rows:
            order = np.random.default_rng([seed, stream]).permutation(len(frame))[: min(size, MAX_ROWS)]
            drawn = frame.iloc[order].reset_index(drop=True)
            matrix = features.matrix(drawn)
            return Rows(frame=drawn, matrix=matrix, inputs=features.inputs(matrix), answers=features.answers(drawn))

        mixed = real.iloc[np.random.default_rng([seed, 0]).permutation(len(real))]
        half = -(-len(real) // 2)
        in_place, truth = (mixed.iloc[:half], mixed.iloc[half:]) if held_out is None else (mixed, held_out)
        size = min(len(in_place), len(synthetic))
        return cls(
            features=features,
            learned=rows(real, MAX_ROWS, 1),
            unseen=None if held_out is None else rows(held_out, MAX_ROWS, 2),
            fresh=rows(truth, MAX_ROWS, 2),
            stand_in=rows(in_place, size, 3),
            synthetic=rows(synthetic, size, 4),
            shown=rows(synthetic, MAX_ROWS, 4),
            beside={name: rows(frame, size, 5) for name, frame in yardsticks.items()},
            seed=seed,
        )
