"""Whether the classes have the shares that they have in the real data."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import Metric, OfShape, Prepared


class ClassShares(OfShape, Metric):
    """Total variation between the class shares of synthetic and real rows.

    The classes are those that a logistic regression fitted on the real training rows sees, not the labels the rows were
    asked to have: a generator that ignores its label is found out.
    """

    name = "balance"
    floor = 0.05
    needs_classes = True

    def prepare(self, instance: Instance, part: Split) -> Prepared:
        """The reference classifier, and the shares it sees in the real rows."""
        coefficients = np.zeros((instance.n_classes, instance.n_features), dtype=np.float32)
        intercepts = np.zeros(instance.n_classes, dtype=np.float32)
        if instance.n_classes > 1:
            model = LogisticRegression(max_iter=1000).fit(instance.train.x, instance.train.y)
            coefficients[-len(model.coef_) :], intercepts[-len(model.coef_) :] = model.coef_, model.intercept_
        prepared = {"coefficients": torch.as_tensor(coefficients), "intercepts": torch.as_tensor(intercepts)}
        batched = {name: value[None] for name, value in prepared.items()}
        return prepared | {"shares": self._shares(batched, torch.as_tensor(part.x)[None])[0]}

    def measure(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> dict[str, Tensor]:
        """Total variation distance in [0, 1], for each trial."""
        return {self.name: 0.5 * (self._shares(prepared, x) - prepared["shares"]).abs().sum(dim=1)}

    def classes(self, prepared: Prepared, x: Tensor) -> Tensor:
        """The classes that the reference classifier sees, trials x rows x n_classes."""
        logits = x @ prepared["coefficients"].transpose(1, 2) + prepared["intercepts"][:, None, :]
        return torch.nn.functional.one_hot(logits.argmax(dim=2), self.n_classes).to(x.dtype)

    def _shares(self, prepared: Prepared, x: Tensor) -> Tensor:
        return self.classes(prepared, x).mean(dim=1)
