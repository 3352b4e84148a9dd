"""Whether synthetic rows are as varied as real ones."""

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import Metric, OfShape, Prepared

NEIGHBOUR = 3
MAX_ROWS = 128
EPSILON = 1e-4


class EntropyRatio(OfShape, Metric):
    """1 - min(1, exp((H_synthetic - H_real) / d)) with the nearest-neighbour entropy H of Kozachenko & Leonenko (1987).

    The ratio of entropy powers per dimension is capped at the real data's: rows that are merely more scattered than the
    real ones gain nothing. k = 3, from at most 128 rows.
    """

    name = "diversity"
    floor = 0.1

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """Entropy of the real rows."""
        return {"entropy": self._entropy_per_dimension(torch.as_tensor(part.x)[None])[0]}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Missing share of the real data's entropy power, in [0, 1], for each trial."""
        ratio = torch.exp(self._entropy_per_dimension(x) - prepared["entropy"])
        return {self.name: 1.0 - ratio.clamp(max=1.0)}

    def _entropy_per_dimension(self, x: Tensor) -> Tensor:
        """mean log r_k + log(n - 1) / d, the parts of the estimator that differ between samples."""
        rows = x[:, :MAX_ROWS]
        size = rows.shape[1]
        distance = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
        radius = distance.kthvalue(min(NEIGHBOUR + 1, size), dim=2).values
        return torch.log(radius + EPSILON).mean(dim=1) + torch.log(torch.tensor(size - 1.0)) / self.n_features
