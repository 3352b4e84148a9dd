"""What synthetic rows are worth to a QNN beside the real rows that it has."""

import torch
from torch import Tensor

from qsynth.metrics.metric import Anchored, Anchors, Prepared
from qsynth.metrics.utility import QNNUtility
from qsynth.qnn.model import balanced

N_SPLITS = 4
LEAST_WEIGHT = 1e-3  # so that a score of this metric alone is a number
NOISE = 0.05  # nats: what one instance's gain can't be told from nothing below


class QNNGain(QNNUtility, Anchored):
    """Cross-entropy, on held-out real rows, of a QNN fitted on real + synthetic rows; all classes weigh the same.

    Real and synthetic rows have half the weight each in the fit. As many more real rows are worth 1, and no synthetic
    rows a half: a fit on the training rows alone that is stopped when two folds of them say so. The gain from one to
    the other is a mean over ``N_SPLITS`` ways to deal out the training rows, the second real sample and the held-out
    rows anew, class by class. The smaller it is, the less the metric weighs, ``gain^2 / (gain^2 + NOISE^2)``: where
    more real rows bring nothing, it says nothing. Also reports ``qnn_accuracy`` (balanced accuracy).
    """

    abstains = True

    def weight(self, onehot: Tensor) -> Tensor:
        """Of each row of a sample in a fit, trials x rows, of sum 1: every class has as much."""
        return balanced(onehot)

    def anchors(self, prepared: Prepared, x: Tensor, onehot: Tensor) -> Anchors:
        """What the second real samples bring here, and no rows; by how much, from all splits."""
        real = self.measure(prepared, x, onehot)[self.name]
        n_steps = self.qnn.best_step(prepared["x"], prepared["onehot"])
        rows = torch.cat([prepared["x"], x, prepared["x_out"]], dim=1)
        labels = torch.cat([prepared["onehot"], onehot, prepared["onehot_out"]], dim=1)
        sizes = [part.shape[1] for part in (prepared["x"], x, prepared["x_out"])]
        gains = []
        for split in range(N_SPLITS):
            train, more, out = dealt(rows, labels, split).split(sizes, dim=1)
            once = prepared | {"x": train, "x_out": out}
            alone = self.qnn.fit(train, prepared["onehot"], self.weight(prepared["onehot"]), n_steps)
            without = self.qnn.evaluate(alone, out, prepared["onehot_out"]).loss
            gains.append(without - self.measure(once, more, onehot)[self.name])
        gain = torch.stack(gains).mean(dim=0).clamp(min=0.0)
        weight = gain**2 / (gain**2 + NOISE**2)
        return Anchors(far=real + gain.clamp(min=NOISE), real=real, weight=weight.clamp(min=LEAST_WEIGHT))


def dealt(rows: Tensor, onehot: Tensor, seed: int) -> Tensor:
    """``rows`` (trials x rows x n_features) in another order, in which every place keeps its class."""
    generator = torch.Generator("cpu").manual_seed(seed)
    keys = torch.rand(rows.shape[1], generator=generator, device="cpu").to(rows.device)
    label = onehot.argmax(dim=2)
    places = label.argsort(dim=1, stable=True)
    order = torch.empty_like(places).scatter(1, places, (label + keys).argsort(dim=1))
    return rows.gather(1, order[..., None].expand_as(rows))
