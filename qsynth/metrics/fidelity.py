"""How far synthetic rows are from real ones."""

import math

import torch
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import Metric, OfShape, Prepared

QUANTILES = 256
SLICES = 64
CLASS_SCALE = 1.0


class SlicedWasserstein(OfShape, Metric):
    """Sliced Wasserstein-1 distance (Bonneel et al. 2015) between the joint distributions of (x, onehot(y)).

    Averaged over 64 fixed directions (in one dimension: the Wasserstein distance itself), each from 256 quantiles.
    The label is part of the row, so rows that fit the data but carry the wrong class are far away.
    """

    name = "fidelity"
    floor = 0.02

    def __init__(self, n_features: int, n_classes: int) -> None:
        self.n_columns = n_features + (n_classes if n_classes > 1 else 0)
        if self.n_columns == 1:
            self._directions = torch.ones(1, 1)
        else:
            generator = torch.Generator("cpu").manual_seed(20250614)
            drawn = torch.randn(SLICES, self.n_columns, generator=generator, device="cpu")
            raw = drawn.to(torch.get_default_device())  # the same directions everywhere
            self._directions = raw / raw.norm(dim=1, keepdim=True)
        self._levels = (torch.arange(QUANTILES) + 0.5) / QUANTILES

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """Quantiles of the real rows along each direction."""
        onehot = torch.eye(instance.n_classes)[torch.as_tensor(part.y)]
        return {"quantiles": self._quantiles(torch.as_tensor(part.x)[None], onehot[None])[0]}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Distance in units of the scaled space, for each trial."""
        return {self.name: (self._quantiles(x, onehot) - prepared["quantiles"]).abs().mean(dim=(1, 2))}

    def _quantiles(self, x: Tensor, onehot: Tensor) -> Tensor:
        rows = x
        if self.n_columns > x.shape[-1]:
            rows = torch.cat([x, CLASS_SCALE / math.sqrt(2) * onehot], dim=2)
        ordered = (rows @ self._directions.T).sort(dim=1).values
        size = ordered.shape[1]
        if size == QUANTILES:
            return ordered
        position = (self._levels * size - 0.5).clamp(0, size - 1)
        below = position.floor().long()
        share = (position - below)[None, :, None]
        return torch.lerp(ordered[:, below], ordered[:, (below + 1).clamp(max=size - 1)], share)
