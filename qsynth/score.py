"""From raw metric values to the composite score."""

from typing import NamedTuple, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from qsynth.config import Config
from qsynth.data.dataset import Instance, Split
from qsynth.metrics.metric import Anchors, Metric, Prepared, utility


class ScoreConfig(Config):
    """Reference weights of the utilities in the composite score; what weighs 0 is not measured."""

    fidelity: float = Field(1.0, ge=0)
    diversity: float = Field(1.0, ge=0)
    balance: float = Field(1.0, ge=0)
    utility: float = Field(1.0, ge=0)
    n_rows: int = Field(256, ge=32, le=100_000)
    n_untrained: int = Field(4, ge=1, le=64)

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not any(self.weights.values()):
            raise ValueError("score must weigh at least one metric above 0")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """Metric name -> weight."""
        return {name: getattr(self, name) for name in ("fidelity", "diversity", "balance", "utility")}


class Scorecard(NamedTuple):
    """Of each trial: composite score in [0, 1], utilities in [0, 1], raw metric values (losses, 0 is best)."""

    score: Tensor
    utilities: dict[str, Tensor]
    raw: dict[str, Tensor]


class Yardstick(NamedTuple):
    """What measuring one trial's rows takes: prepared data and anchors of each metric (leading axis: trials)."""

    prepared: dict[str, Prepared]
    anchors: dict[str, Anchors]


class Scorer:
    """Measures all trials of a population with the metrics that a study weighs."""

    def __init__(self, metrics: list[Metric], weights: dict[str, float]) -> None:
        self.metrics = metrics
        total = sum(weights[metric.name] for metric in metrics)
        self.weights = {metric.name: weights[metric.name] / total for metric in metrics}

    def yardstick(self, instance: Instance, part: Split, untrained: Tensor, untrained_onehot: Tensor) -> Yardstick:
        """Calibrate every metric for one instance (no trials axis).

        Args:
            part: the real rows to compare with.
            untrained: models x rows x n_features, rows of untrained generators.
            untrained_onehot: models x rows x n_classes.
        """
        reserve_onehot = torch.eye(instance.n_classes)[torch.as_tensor(instance.reserve.y)]
        prepared, anchors = {}, {}
        for metric in self.metrics:
            ready = metric.prepare(instance, part)
            many = {name: value.expand(len(untrained), *value.shape) for name, value in ready.items()}
            worst = metric.measure(many, untrained, untrained_onehot)[metric.name].mean()
            once = {name: value[None] for name, value in ready.items()}
            best = metric.measure(once, torch.as_tensor(instance.reserve.x)[None], reserve_onehot[None])
            prepared[metric.name], anchors[metric.name] = ready, Anchors(worst, best[metric.name][0])
        return Yardstick(prepared, anchors)

    def measure(self, yardstick: Yardstick, x: Tensor, onehot: Tensor) -> Scorecard:
        """Scorecard of rows ``x`` (trials x rows x n_features) with labels ``onehot`` (trials x rows x n_classes)."""
        raw: dict[str, Tensor] = {}
        utilities: dict[str, Tensor] = {}
        for metric in self.metrics:
            raw |= metric.measure(yardstick.prepared[metric.name], x, onehot)
            utilities[metric.name] = utility(raw[metric.name], yardstick.anchors[metric.name], metric.floor)
        score = torch.stack([self.weights[name] * value for name, value in utilities.items()]).sum(dim=0)
        return Scorecard(score, utilities, raw)


def stacked(yardsticks: list[Yardstick]) -> Yardstick:
    """One yardstick for several trials, along a new leading axis."""
    first = yardsticks[0]
    prepared = {
        metric: {name: torch.stack([y.prepared[metric][name] for y in yardsticks]) for name in ready}
        for metric, ready in first.prepared.items()
    }
    anchors = {
        metric: Anchors(*(torch.stack(values) for values in zip(*(y.anchors[metric] for y in yardsticks), strict=True)))
        for metric in first.anchors
    }
    return Yardstick(prepared, anchors)
